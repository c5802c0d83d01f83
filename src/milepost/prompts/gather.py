"""Reads what a line of the manifest asks for, as pieces with a label and a path.

Documents of other milestones are never among them, but for the summaries of the milestone before and of those
depended on. A file that is no text, or too large to be read, becomes a piece that says so.
Source: spec auto 5.17.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from milepost.errors import FormatError
from milepost.formats import context, overrides, roadmap, summary
from milepost.formats._markdown import frontmatter, scalar
from milepost.formats.tree import (
    milestone_file,
    milestone_ids,
    milestone_path,
    root_file,
    slice_file,
    slice_home,
    slice_path,
    task_path,
)
from milepost.prompts import digest, narrow
from milepost.prompts.blanks import Values, fill
from milepost.prompts.brief import Desk
from milepost.prompts.manifest import Item, Level, Source
from milepost.prompts.names import earlier_summaries
from milepost.prompts.quoting import fenced

MOST_SUMMARIES = 24
"""Of a longer series only the last ones are inlined; the others are listed by path."""


class Group(Enum):
    """How a piece is treated when space is short."""

    FORM = "form"
    """A document form: never cut."""
    NEEDED = "needed"
    """Gets its share before the others."""
    SUMMARY = "summary"
    """Shares the budget of summaries."""
    EXTRA = "extra"


class Piece(NamedTuple):
    """One block of inlined context."""

    label: str
    path: str
    """Relative to the session's directory; empty for what is no file."""
    text: str
    group: Group


def gather(item: Item, desk: Desk, values: Values) -> tuple[Piece, ...]:
    """The pieces of one manifest line; none when there is nothing and nothing was required."""
    if "/" in item.source:
        label = f"Template: {item.source.removeprefix('documents/')}"
        return (Piece(label=label, path="", text=fenced(fill(item.source, values), "markdown"), group=Group.FORM),)
    found = _READERS[item.source](desk)
    if item.required:
        return tuple(_needed(piece) for piece in found)
    return tuple(piece for piece in found if piece.text.strip())


def _needed(piece: Piece) -> Piece:
    group = Group.NEEDED if piece.group is Group.EXTRA else piece.group
    missing = "(not found: there is no such file yet)" if not piece.text.strip() else piece.text
    return piece._replace(group=group, text=missing)


def _file(desk: Desk, label: str, path: str, group: Group = Group.EXTRA) -> Piece:
    return Piece(label=label, path=desk.shown(path), text=_text(desk, path), group=group)


def _text(desk: Desk, path: str | None) -> str:
    try:
        return (desk.tree.text(path) or "").strip("\n") if path else ""
    except FormatError as error:
        return f"(not inlined: {error.expected})"


def _milestone(suffix: str, label: str) -> Callable[[Desk], tuple[Piece, ...]]:
    def read(desk: Desk) -> tuple[Piece, ...]:
        return (_file(desk, label, milestone_path(desk.tree, desk.unit.milestone, suffix)),)

    return read


def _slice(suffix: str, label: str) -> Callable[[Desk], tuple[Piece, ...]]:
    def read(desk: Desk) -> tuple[Piece, ...]:
        if not desk.sid:
            return ()
        path = slice_path(desk.tree, desk.unit.milestone, desk.sid, suffix)
        return (_file(desk, f"{label} {desk.sid}", path),)

    return read


def _root(name: str, label: str) -> Callable[[Desk], tuple[Piece, ...]]:
    def read(desk: Desk) -> tuple[Piece, ...]:
        return (_file(desk, label, root_file(desk.tree, name) or f"{name}.md"),)

    return read


def _requirements(desk: Desk) -> tuple[Piece, ...]:
    found = _root("REQUIREMENTS", "Requirements")(desk)[0]
    return (found._replace(text=narrow.requirements(found.text, desk.unit.milestone, desk.sid)),)


def _decisions(desk: Desk) -> tuple[Piece, ...]:
    found = _root("DECISIONS", "Decisions")(desk)[0]
    return (found._replace(text=narrow.decisions(found.text, desk.unit.milestone)),)


def _overrides(desk: Desk) -> tuple[Piece, ...]:
    path = root_file(desk.tree, "OVERRIDES") or "OVERRIDES.md"
    changes = desk.extras.overrides or tuple(entry.change for entry in overrides.active(_text(desk, path)))
    text = "\n".join(f"{number}. {change}" for number, change in enumerate(changes, 1))
    label = "Instructions in force (they override every document below)"
    return (Piece(label=label, path=desk.shown(path), text=text, group=Group.NEEDED),)


def _captures(desk: Desk) -> tuple[Piece, ...]:
    text = "\n".join(f"- {note}" for note in desk.extras.captures)
    return (Piece(label="Captured notes", path="", text=text, group=Group.NEEDED),)


def _draft(desk: Desk) -> tuple[Piece, ...]:
    """What the person wants, in their own words: never pushed out by anything."""
    found = _milestone("CONTEXT-DRAFT", "What is wanted (the draft)")(desk)
    return tuple(piece._replace(group=Group.NEEDED) for piece in found)


def _resume(desk: Desk) -> tuple[Piece, ...]:
    """CONTINUE notes of an interrupted session, if they are about this task or do not say of which."""
    path = slice_file(desk.tree, desk.unit.milestone, desk.sid, "CONTINUE")
    if path is None:
        return ()
    found = _file(desk, "Resume: where an interrupted session stopped", path)
    return (found,) if scalar(frontmatter(found.text), "task") in ("", desk.tid) else ()


def _earlier_milestones(desk: Desk) -> tuple[Piece, ...]:
    """Summary of the milestone before, and of those this one depends on."""
    ids = milestone_ids(desk.tree)
    mid = desk.unit.milestone
    before = (
        [other for other in ids[: ids.index(mid)] if milestone_file(desk.tree, other, "SUMMARY")] if mid in ids else []
    )
    wanted = dict.fromkeys((*before[-1:], *context.depends_on(_text(desk, milestone_file(desk.tree, mid, "CONTEXT")))))
    paths = ((other, milestone_file(desk.tree, other, "SUMMARY")) for other in wanted if other != mid)
    return tuple(_file(desk, f"Summary of milestone {other}", path, Group.SUMMARY) for other, path in paths if path)


def _slices(desk: Desk) -> tuple[roadmap.Slice, ...]:
    return roadmap.slices(_text(desk, milestone_file(desk.tree, desk.unit.milestone, "ROADMAP")))


def _dependencies(desk: Desk) -> tuple[Piece, ...]:
    ids = next((entry.depends for entry in _slices(desk) if entry.id == desk.sid), ())
    return tuple(piece for piece in _slice_documents(desk, ids, "SUMMARY", "Summary of") if piece.text)


def _slice_summaries(desk: Desk) -> tuple[Piece, ...]:
    ids = tuple(dict.fromkeys(entry.id for entry in _slices(desk)))
    return _latest(_slice_documents(desk, ids, "SUMMARY", "Summary of"))


def _uat_results(desk: Desk) -> tuple[Piece, ...]:
    ids = tuple(dict.fromkeys(entry.id for entry in _slices(desk)))
    return _latest(tuple(p for p in _slice_documents(desk, ids, "UAT-RESULT", "UAT result of") if p.text))


def _slice_documents(desk: Desk, ids: tuple[str, ...], suffix: str, label: str) -> tuple[Piece, ...]:
    """ids: of this milestone's slices, or `M001/S02` of another's (only as a dependency)."""
    pairs = (
        (sid.partition("/")[0], sid.partition("/")[2]) if "/" in sid else (desk.unit.milestone, sid) for sid in ids
    )
    return tuple(
        _file(desk, f"{label} {sid}", slice_path(desk.tree, mid, sid, suffix), Group.SUMMARY)
        for mid, sid in pairs
        if sid
    )


def _task_summaries(desk: Desk) -> tuple[Piece, ...]:
    """Summaries of all tasks that have one, in order of their ids, also of tasks that the plan forgot."""
    home = f"{slice_home(desk.tree, desk.unit.milestone, desk.sid)}/tasks"
    found = (re.match(r"(T\d[\w.]*)-(?:.*-)?SUMMARY\.md$", name, re.IGNORECASE) for name in desk.tree.names(home))
    ids = sorted({name[1] for name in found if name}, key=_number)
    paths = ((tid, task_path(desk.tree, desk.unit.milestone, desk.sid, tid, "SUMMARY")) for tid in ids)
    return _latest(tuple(_file(desk, f"Summary of {tid}", path, Group.SUMMARY) for tid, path in paths))


def _number(tid: str) -> tuple[int, str]:
    digits = re.match(r"\D*(\d+)", tid)
    return (int(digits[1]) if digits else 0, tid)


def _blocker_summaries(desk: Desk) -> tuple[Piece, ...]:
    found = (piece for piece in _task_summaries(desk) if summary.blocker_discovered(piece.text))
    return tuple(piece._replace(group=Group.NEEDED) for piece in found)


def _latest(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The last of a long series, with the paths of the others before them."""
    if len(pieces) <= MOST_SUMMARIES:
        return pieces
    others = pieces[:-MOST_SUMMARIES]
    listed = "\n".join(f"- `{piece.path}`" for piece in others)
    note = Piece(label="Earlier ones, not inlined", path="", text=listed, group=Group.SUMMARY)
    return (note, *pieces[-MOST_SUMMARIES:])


def _task_plan(desk: Desk) -> tuple[Piece, ...]:
    path = task_path(desk.tree, desk.unit.milestone, desk.sid, desk.tid, "PLAN")
    return (_file(desk, f"Task plan {desk.tid}", path),)


def _slice_excerpt(desk: Desk) -> tuple[Piece, ...]:
    found = _slice("PLAN", "Excerpt of the plan of")(desk)
    return tuple(piece._replace(text=digest.excerpt(piece.text, desk.tid)) for piece in found)


def _carry_forward(desk: Desk) -> tuple[Piece, ...]:
    paths = earlier_summaries(desk)
    paths = paths[-1:] if desk.level is Level.MINIMAL else paths[-MOST_SUMMARIES:]
    text = "\n".join(digest.carried(desk.shown(path), _text(desk, path)) for path in paths)
    return (Piece(label="What earlier tasks left", path="", text=text, group=Group.SUMMARY),)


_READERS: Mapping[Source, Callable[[Desk], tuple[Piece, ...]]] = MappingProxyType(
    {
        Source.OVERRIDES: _overrides,
        Source.CAPTURES: _captures,
        Source.RESUME: _resume,
        Source.PROJECT: _root("PROJECT", "Project"),
        Source.REQUIREMENTS: _requirements,
        Source.DECISIONS: _decisions,
        Source.KNOWLEDGE: _root("KNOWLEDGE", "Knowledge"),
        Source.CONTEXT: _milestone("CONTEXT", "Milestone context"),
        Source.DRAFT: _draft,
        Source.RESEARCH: _milestone("RESEARCH", "Milestone research"),
        Source.ROADMAP: _milestone("ROADMAP", "Roadmap"),
        Source.VALIDATION: _milestone("VALIDATION", "Previous validation"),
        Source.EARLIER_MILESTONES: _earlier_milestones,
        Source.SLICE_CONTEXT: _slice("CONTEXT", "Context of"),
        Source.SLICE_RESEARCH: _slice("RESEARCH", "Research of"),
        Source.PLAN: _slice("PLAN", "Plan of"),
        Source.SLICE_SUMMARY: _slice("SUMMARY", "Summary of"),
        Source.UAT: _slice("UAT", "Acceptance script of"),
        Source.DEPENDENCIES: _dependencies,
        Source.SLICE_SUMMARIES: _slice_summaries,
        Source.UAT_RESULTS: _uat_results,
        Source.TASK_PLAN: _task_plan,
        Source.SLICE_EXCERPT: _slice_excerpt,
        Source.CARRY_FORWARD: _carry_forward,
        Source.TASK_SUMMARIES: _task_summaries,
        Source.BLOCKER_SUMMARIES: _blocker_summaries,
    }
)
