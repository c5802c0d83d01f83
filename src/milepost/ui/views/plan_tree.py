"""All that is planned: milestones, their slices and tasks, with what is done and what was discussed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from milepost.formats import plan, roadmap
from milepost.formats.tree import Tree, milestone_file, read, slice_file
from milepost.model.state import RegistryEntry, Status


class Discussion(StrEnum):
    """Whether somebody settled what it is to be; the values are shown to people."""

    DISCUSSED = "discussed"
    """It has a context."""
    DRAFT = "draft"
    """Only a draft of one."""
    NOT_DISCUSSED = "not discussed"


class Leaf(NamedTuple):
    """A task."""

    id: str
    title: str
    done: bool


class Branch(NamedTuple):
    """A slice."""

    id: str
    title: str
    done: bool
    depends: tuple[str, ...]
    tasks: tuple[Leaf, ...]
    discussion: Discussion = Discussion.NOT_DISCUSSED


class Stem(NamedTuple):
    """A milestone, as the registry has it, with its slices."""

    entry: RegistryEntry
    slices: tuple[Branch, ...]
    discussion: Discussion = Discussion.NOT_DISCUSSED


def of(tree: Tree, registry: Iterable[RegistryEntry]) -> tuple[Stem, ...]:
    """The plan, in working order. Raises FormatError for a document that cannot be read."""
    return tuple(Stem(entry, _slices(tree, entry.id), discussion(tree, entry.id)) for entry in registry)


def discussion(tree: Tree, mid: str) -> Discussion:
    """How far it is settled what a milestone is to be, by its documents."""
    if read(tree, milestone_file(tree, mid, "CONTEXT")):
        return Discussion.DISCUSSED
    return Discussion.DRAFT if milestone_file(tree, mid, "CONTEXT-DRAFT") else Discussion.NOT_DISCUSSED


def drafts(tree: Tree, registry: Iterable[RegistryEntry]) -> tuple[str, ...]:
    """Milestones to come that have a draft of their context and no context."""
    waits = (Status.ACTIVE, Status.PENDING)
    open_ = (entry.id for entry in registry if entry.status in waits)
    return tuple(mid for mid in open_ if discussion(tree, mid) is Discussion.DRAFT)


def ids(stems: Iterable[Stem]) -> frozenset[str]:
    """`M001/S01` and `M001/S01/T01`, of all that is planned."""
    found = set()
    for stem in stems:
        for part in stem.slices:
            found.add(f"{stem.entry.id}/{part.id}")
            found |= {f"{stem.entry.id}/{part.id}/{task.id}" for task in part.tasks}
    return frozenset(found)


def _slices(tree: Tree, mid: str) -> tuple[Branch, ...]:
    found = roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
    return tuple(
        Branch(s.id, s.title, s.done, tuple(s.depends), _tasks(tree, mid, s.id), _talked(tree, mid, s.id))
        for s in found
    )


def _talked(tree: Tree, mid: str, sid: str) -> Discussion:
    settled = read(tree, slice_file(tree, mid, sid, "CONTEXT"))
    return Discussion.DISCUSSED if settled else Discussion.NOT_DISCUSSED


def _tasks(tree: Tree, mid: str, sid: str) -> tuple[Leaf, ...]:
    return tuple(Leaf(t.id, t.title, t.done) for t in plan.tasks(read(tree, slice_file(tree, mid, sid, "PLAN"))))
