"""All that is planned: milestones, their slices and tasks, with what is done."""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats import plan, roadmap
from milepost.formats.tree import Tree, milestone_file, read, slice_file
from milepost.model.state import RegistryEntry


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


class Stem(NamedTuple):
    """A milestone, as the registry has it, with its slices."""

    entry: RegistryEntry
    slices: tuple[Branch, ...]


def of(tree: Tree, registry: Iterable[RegistryEntry]) -> tuple[Stem, ...]:
    """The plan, in working order. Raises FormatError for a document that cannot be read."""
    return tuple(Stem(entry, _slices(tree, entry.id)) for entry in registry)


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
    return tuple(Branch(s.id, s.title, s.done, tuple(s.depends), _tasks(tree, mid, s.id)) for s in found)


def _tasks(tree: Tree, mid: str, sid: str) -> tuple[Leaf, ...]:
    return tuple(Leaf(t.id, t.title, t.done) for t in plan.tasks(read(tree, slice_file(tree, mid, sid, "PLAN"))))
