"""Which unit `gsd dispatch uat` means, and whether it can be done now.

    research, plan    of the milestone while it has no roadmap, else of the active slice
    complete          the slice when its tasks are done, the milestone when its slices are
    reassess, uat     the slice that was finished last
    execute, replan   the active task, the active slice
    validate          the milestone

With an id it is of that milestone, slice or task. What a unit needs must be there; its turn it need not be. Pure.
Source: spec auto 7 (#1693), 4.4.
"""

from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.formats import plan, roadmap
from milepost.formats.tree import Tree, milestone_file, read, slice_file
from milepost.model.state import Phase, State
from milepost.model.units import ERRANDS, Unit, UnitKind
from milepost.rules import done, remediation, targets
from milepost.rules._derive_slice import task_reported
from milepost.rules.targets import Target

_OF_MILESTONE: Final = {
    "research": UnitKind.RESEARCH_MILESTONE, "plan": UnitKind.PLAN_MILESTONE, "complete": UnitKind.COMPLETE_MILESTONE,
    "validate": UnitKind.VALIDATE_MILESTONE,
}  # fmt: skip
_OF_SLICE: Final = {
    "research": UnitKind.RESEARCH_SLICE, "plan": UnitKind.PLAN_SLICE, "complete": UnitKind.COMPLETE_SLICE,
    "reassess": UnitKind.REASSESS_ROADMAP, "uat": UnitKind.RUN_UAT, "replan": UnitKind.REPLAN_SLICE,
}  # fmt: skip
_OF_TASK: Final = {"execute": UnitKind.EXECUTE_TASK}
_AFTERWARDS: Final = (UnitKind.REASSESS_ROADMAP, UnitKind.RUN_UAT)
WORDS: Final = tuple(dict.fromkeys((*_OF_MILESTONE, *_OF_SLICE, *_OF_TASK)))


class NotNow(MilepostError):
    """The unit cannot be done as things are; nothing was started."""

    exit_code = ExitCode.BLOCKED


def unit(word: str, named: str, state: State, tree: Tree) -> Unit:
    """The unit of a word or of a full unit type. named: an id, or empty. Raises BadTarget, BadId or NotNow."""
    target = targets.parse(named, state) if named else None
    if word in set(UnitKind):
        found = _of_type(UnitKind(word), target, state, tree)
    elif word in WORDS:
        found = _of_word(word, target or _natural(word, state, tree))
    else:
        raise targets.BadTarget(f"{word!r} is no kind of unit", hint=f"One of: {', '.join(WORDS)}, or a unit type")
    _require(found, tree)
    return found


def _of_type(kind: UnitKind, target: Target | None, state: State, tree: Tree) -> Unit:
    if kind in (*ERRANDS, UnitKind.REWRITE_DOCS, UnitKind.DISCUSS_MILESTONE, UnitKind.DISCUSS_SLICE):
        raise NotNow(
            f"{kind} has a command of its own", hint="gsd discuss, gsd triage, gsd steer, gsd quick, gsd hooks"
        )
    tables = (_OF_MILESTONE, _OF_SLICE, _OF_TASK)
    depth, word = next((n, w) for n, table in enumerate(tables) for w, known in table.items() if known is kind)
    if target is None:
        target = _natural(word, state, tree, slice_wanted=depth > 0)
        target = Target(target.milestone, target.slice if depth else "", target.task if depth > 1 else "")
    return _fitting(kind, target, depth)


def _of_word(word: str, target: Target) -> Unit:
    depth = 2 if target.task else 1 if target.slice else 0
    kind = (_OF_MILESTONE, _OF_SLICE, _OF_TASK)[depth].get(word)
    if kind is None:
        raise targets.BadTarget(f"{target.id} is nothing to {word}", hint="gsd dispatch --help")
    return Unit(kind, target.id)


def _fitting(kind: UnitKind, target: Target, depth: int) -> Unit:
    if (2 if target.task else 1 if target.slice else 0) != depth:
        wanted = ("a milestone (M001)", "a slice (M001/S01)", "a task (M001/S01/T01)")[depth]
        raise targets.BadTarget(f"{kind} is of {wanted}, and {target.id} is none", hint="gsd dispatch --help")
    return Unit(kind, target.id)


def _natural(word: str, state: State, tree: Tree, *, slice_wanted: bool = False) -> Target:
    """What a word means without an id."""
    if state.active_milestone is None:
        raise NotNow("no milestone is active", hint="gsd status")
    mid = state.active_milestone.id
    sid, tid = state.active_slice, state.active_task
    if word in ("reassess", "uat"):
        slices = roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
        if not (last := remediation.last_done(tree, mid, slices)):
            raise NotNow(f"{mid} has no finished slice yet", hint="gsd status")
        return Target(mid, last)
    of_slice = slice_wanted or (word == "complete" and state.phase is Phase.SUMMARIZING) or word == "replan"
    of_slice |= word in ("research", "plan") and state.phase is not Phase.PRE_PLANNING
    if word == "execute":
        if sid is None or tid is None:
            raise NotNow(f"{mid} has no task that could be done now", hint="gsd status")
        return Target(mid, sid.id, tid.id)
    if not of_slice:
        return Target(mid)
    if sid is None:
        raise NotNow(f"{mid} has no slice that could be worked on now", hint="gsd status")
    return Target(mid, sid.id)


def _require(wanted: Unit, tree: Tree) -> None:
    """What the unit stands on is there, and it would not do again what counts as done."""
    slices = roadmap.slices(read(tree, milestone_file(tree, wanted.milestone, "ROADMAP")))
    if wanted.kind in (UnitKind.VALIDATE_MILESTONE, UnitKind.COMPLETE_MILESTONE):
        left = [entry.id for entry in slices if not entry.done]
        if left or not slices:
            raise NotNow(
                f"{wanted.milestone} has open slices: {', '.join(left) or 'no slices at all'}", hint="gsd auto"
            )
        _require_open(wanted, tree, wanted.kind is UnitKind.COMPLETE_MILESTONE)
    if wanted.slice:
        _require_slice(wanted, slices, tree)


def _require_slice(wanted: Unit, slices: tuple[roadmap.Slice, ...], tree: Tree) -> None:
    entry = next((one for one in slices if one.id == wanted.slice), None)
    if entry is None:
        raise NotNow(f"{wanted.milestone} has no slice {wanted.slice}", hint="gsd status")
    if (wanted.kind in _AFTERWARDS) != entry.done:
        is_ = "finished" if entry.done else "not finished"
        raise NotNow(
            f"{wanted.milestone}/{wanted.slice} is {is_}",
            hint=f"gsd undo {wanted.milestone}/{wanted.slice}" if entry.done else "gsd auto",
        )
    finished = {one.id for one in slices if one.done}
    if waits := [need for need in entry.depends if need not in finished and "/" not in need]:
        raise NotNow(f"{wanted.milestone}/{wanted.slice} waits for {', '.join(waits)}", hint="gsd auto")
    if wanted.kind in (UnitKind.EXECUTE_TASK, UnitKind.COMPLETE_SLICE):
        _require_tasks(wanted, tree)


def _require_tasks(wanted: Unit, tree: Tree) -> None:
    mid, sid = wanted.milestone, wanted.slice or ""
    tasks = plan.tasks(read(tree, slice_file(tree, mid, sid, "PLAN")))
    if wanted.task:
        if wanted.task not in {task.id for task in tasks}:
            raise NotNow(f"{mid}/{sid} has no task {wanted.task}", hint="gsd status")
        _require_open(wanted, tree, refuse=True)
        return
    left = [task.id for task in tasks if not task.done and not task_reported(tree, mid, sid, task.id)]
    if left or not tasks:
        raise NotNow(f"{mid}/{sid} has open tasks: {', '.join(left) or 'no plan yet'}", hint="gsd auto")


def _require_open(wanted: Unit, tree: Tree, refuse: bool) -> None:
    if refuse and done.settled(wanted, tree):
        raise NotNow(f"{wanted} is done already", hint=f"To do it again: gsd undo {wanted.id}")
