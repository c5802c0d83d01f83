"""When a unit is done: one predicate per kind, for dispatch, for the unit transaction and for the doctor.

Two questions are kept apart, because the model writes content and Milepost keeps the books:

- `missing` lists what the *agent* still owes: files with content in them. It never asks for a box.
- `settled` is whether derivation goes past the unit. For a task that is its box or its summary, for a slice its box
  in the roadmap, for all others that nothing is missing.

After a unit's files are there and Milepost has ticked its box, `missing` is empty and `settled` holds, and
derivation never comes back to it. Source: spec auto 4.2, 8.1.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from milepost.formats import context, overrides, placeholder, plan, replan, roadmap, summary, uat, validation
from milepost.formats.tree import (
    Tree,
    milestone_file,
    milestone_path,
    read,
    root_file,
    slice_file,
    slice_path,
    task_file,
    task_path,
)
from milepost.model import work
from milepost.model.units import Unit, UnitKind
from milepost.rules._derive_slice import task_reported


class Owed(NamedTuple):
    """One thing that a unit has not delivered. path: relative to the state directory; problem: ends the sentence
    that begins with the path.
    """

    path: str
    problem: str


def missing(unit: Unit, tree: Tree) -> tuple[Owed, ...]:
    """What the agent still owes for `unit`; empty when all its files are there and say something."""
    return tuple(_OWED[unit.kind](unit, tree))


def settled(unit: Unit, tree: Tree) -> bool:
    """Whether derivation counts `unit` as done."""
    if unit.kind is UnitKind.EXECUTE_TASK:
        mid, sid, tid = _ids(unit)
        entry = plan.parse(read(tree, slice_file(tree, mid, sid, "PLAN"))).task(tid)
        return (entry is not None and entry.done) or task_reported(tree, mid, sid, tid)
    if unit.kind is UnitKind.COMPLETE_SLICE:
        slices = roadmap.slices(read(tree, milestone_file(tree, unit.milestone, "ROADMAP")))
        return any(entry.id == unit.slice and entry.done for entry in slices)
    return not missing(unit, tree)


def artifact(unit: Unit, tree: Tree) -> str | None:
    """Path of the file that the unit is for, existing or to be written; None for one that has no file of its own."""
    if unit.kind is UnitKind.QUICK:
        return work.document(unit.id, "SUMMARY.md")
    mid, sid, tid = _ids(unit)
    suffix = _ARTIFACTS.get(unit.kind)
    if suffix is None:
        return None
    if tid:
        return task_path(tree, mid, sid, tid, suffix)
    return slice_path(tree, mid, sid, suffix) if sid else milestone_path(tree, mid, suffix)


def given_up(unit: Unit, tree: Tree) -> str | None:
    """Why the unit was given up, when a note says so in the place of its artifact; None otherwise."""
    path = artifact(unit, tree)
    return placeholder.reason(read(tree, path)) if path else None


_ARTIFACTS: Mapping[UnitKind, str] = {
    UnitKind.DISCUSS_MILESTONE: "CONTEXT",
    UnitKind.DISCUSS_SLICE: "CONTEXT",
    UnitKind.RESEARCH_MILESTONE: "RESEARCH",
    UnitKind.PLAN_MILESTONE: "ROADMAP",
    UnitKind.RESEARCH_SLICE: "RESEARCH",
    UnitKind.PLAN_SLICE: "PLAN",
    UnitKind.EXECUTE_TASK: "SUMMARY",
    UnitKind.COMPLETE_SLICE: "SUMMARY",
    UnitKind.REPLAN_SLICE: "REPLAN",
    UnitKind.REASSESS_ROADMAP: "ASSESSMENT",
    UnitKind.RUN_UAT: "UAT-RESULT",
    UnitKind.VALIDATE_MILESTONE: "VALIDATION",
    UnitKind.COMPLETE_MILESTONE: "SUMMARY",
}


def _ids(unit: Unit) -> tuple[str, str, str]:
    return unit.milestone, unit.slice or "", unit.task or ""


def _document(tree: Tree, path: str) -> Iterator[Owed]:
    """Whether there is a document with content that is not a note of Milepost's own."""
    text = tree.text(path)
    if text is None:
        yield Owed(path, "was not written")
    elif not text.strip():
        yield Owed(path, "is empty")
    elif placeholder.reason(text) is not None:
        yield Owed(path, "is a note that the work was given up")


def _file(unit: Unit, tree: Tree) -> Iterator[Owed]:
    path = artifact(unit, tree)
    if path:
        yield from _document(tree, path)


def _discuss(unit: Unit, tree: Tree) -> Iterator[Owed]:
    """A context says what was taken for granted: what nobody was asked, a person must be able to find."""
    path = artifact(unit, tree) or ""
    owed = tuple(_document(tree, path))
    yield from owed
    if not owed and not context.has_assumptions(read(tree, path)):
        yield Owed(path, "has no section `## Assumptions`; write what you assumed, or `- none`")


def _plan_milestone(unit: Unit, tree: Tree) -> Iterator[Owed]:
    path = milestone_path(tree, unit.milestone, "ROADMAP")
    yield from _document(tree, path)
    text = read(tree, path)
    slices = roadmap.slices(text)
    if text and not slices:
        yield Owed(path, "has no slices; each is a line `- [ ] **S01: Title** `risk:low` `depends:[]``")
    known = {entry.id for entry in slices}
    for entry in slices:
        for need in entry.depends:
            if need not in known and "/" not in need:
                yield Owed(path, f"lets {entry.id} depend on {need}, which is not listed")
    yield from (Owed(path, words) for words in _circle(slices))


def _circle(slices: tuple[roadmap.Slice, ...]) -> Iterator[str]:
    """Slices that wait for each other: found by taking away all that can be done."""
    left = {entry.id: {need for need in entry.depends if "/" not in need} for entry in slices}
    while ready := [sid for sid, needs in left.items() if not needs & left.keys()]:
        for sid in ready:
            del left[sid]
    if left:
        yield f"has slices that wait for each other: {', '.join(left)}"


def _plan_slice(unit: Unit, tree: Tree) -> Iterator[Owed]:
    mid, sid, _ = _ids(unit)
    path = slice_path(tree, mid, sid, "PLAN")
    yield from _document(tree, path)
    text = read(tree, path)
    tasks = plan.tasks(text)
    if text and not tasks and placeholder.reason(text) is None:
        yield Owed(path, "has no tasks; each is a line `- [ ] **T01: Title** `est:30m``")
    for task in tasks:
        if not task.done and not task_reported(tree, mid, sid, task.id):
            yield from _document(tree, task_path(tree, mid, sid, task.id, "PLAN"))


def _replan_slice(unit: Unit, tree: Tree) -> Iterator[Owed]:
    yield from _file(unit, tree)
    path = artifact(unit, tree) or ""
    if replan.superseded(read(tree, path)):
        yield Owed(path, "is the earlier replan (status: superseded); write what this one changes and why")
    yield from _plan_slice(unit, tree)


def _complete_slice(unit: Unit, tree: Tree) -> Iterator[Owed]:
    mid, sid, _ = _ids(unit)
    yield from _file(unit, tree)
    yield from _document(tree, slice_path(tree, mid, sid, "UAT"))


def _run_uat(unit: Unit, tree: Tree) -> Iterator[Owed]:
    mid, sid, _ = _ids(unit)
    if uat_verdict(tree, mid, sid) is None:
        path = slice_path(tree, mid, sid, "UAT-RESULT")
        owed = tuple(_document(tree, path))
        yield from owed or (Owed(path, "has no verdict: PASS, FAIL, PARTIAL or surfaced-for-human-review"),)


def uat_verdict(tree: Tree, mid: str, sid: str) -> str | None:
    """How the slice's acceptance test went, from either place a result is kept; None when there was none."""
    for suffix in ("UAT-RESULT", "ASSESSMENT"):
        if found := uat.verdict(read(tree, slice_file(tree, mid, sid, suffix))):
            return found
    return None


def _validate(unit: Unit, tree: Tree) -> Iterator[Owed]:
    path = milestone_path(tree, unit.milestone, "VALIDATION")
    owed = tuple(_document(tree, path))
    yield from owed
    if not owed and validation.verdict(read(tree, path)) is None:
        yield Owed(path, "has no verdict: pass, needs-attention or needs-remediation")


def _complete_milestone(unit: Unit, tree: Tree) -> Iterator[Owed]:
    path = milestone_path(tree, unit.milestone, "SUMMARY")
    owed = tuple(_document(tree, path))
    yield from owed
    if not owed and summary.reports_failure(read(tree, path)):
        yield Owed(path, "says of itself that the milestone is not complete")


def _rewrite_docs(_unit: Unit, tree: Tree) -> Iterator[Owed]:
    path = root_file(tree, "OVERRIDES")
    count = len(overrides.active(read(tree, path)))
    if path and count:
        yield Owed(path, f"still has {count} override{'s' if count > 1 else ''} with the scope active")


def _triage(unit: Unit, tree: Tree) -> Iterator[Owed]:
    from milepost.rules import captures  # only a run needs it, a query does not

    if not captures.decisions(tree, unit):
        yield Owed(captures.path(tree, unit.milestone), "says of no capture what it is")


def _nothing(_unit: Unit, _tree: Tree) -> Iterator[Owed]:
    """No file says that it is done: `unit.by_session` judges by the session."""
    yield from ()


_OWED: Mapping[UnitKind, Callable[[Unit, Tree], Iterator[Owed]]] = {
    UnitKind.DISCUSS_MILESTONE: _discuss,
    UnitKind.DISCUSS_SLICE: _discuss,
    UnitKind.RESEARCH_MILESTONE: _file,
    UnitKind.PLAN_MILESTONE: _plan_milestone,
    UnitKind.RESEARCH_SLICE: _file,
    UnitKind.PLAN_SLICE: _plan_slice,
    UnitKind.EXECUTE_TASK: _file,
    UnitKind.COMPLETE_SLICE: _complete_slice,
    UnitKind.REPLAN_SLICE: _replan_slice,
    UnitKind.REASSESS_ROADMAP: _file,
    UnitKind.RUN_UAT: _run_uat,
    UnitKind.VALIDATE_MILESTONE: _validate,
    UnitKind.COMPLETE_MILESTONE: _complete_milestone,
    UnitKind.REWRITE_DOCS: _rewrite_docs,
    UnitKind.TRIAGE_CAPTURES: _triage,
    UnitKind.QUICK_TASK: _nothing,
    UnitKind.QUICK: _file,
    UnitKind.HOOK: _nothing,
}


def task_planned(tree: Tree, mid: str, sid: str, tid: str) -> bool:
    """Whether the task has a plan of its own with content."""
    return bool(read(tree, task_file(tree, mid, sid, tid, "PLAN")))
