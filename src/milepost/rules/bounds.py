"""How far one run may go, as a person says on its command line.

    --until M001/S02   --until plan   --max-units 5   --max-cost 3.50   --max-time 90m

A bound is asked between units and never cuts one short, except the money, which is watched as any ceiling is.
Pure. Source: issue "autonomy bounds".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from milepost.formats import plan, roadmap
from milepost.formats.tree import Tree, milestone_file, read, slice_file
from milepost.model.state import State, Status
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.rules.targets import BadTarget, Target, parse

PHASES: Final[Mapping[str, frozenset[str]]] = {
    "discuss": frozenset({"discuss-milestone", "discuss-slice"}),
    "research": frozenset({"research-milestone", "research-slice"}),
    "plan": frozenset({"plan-milestone", "plan-slice"}),
    "execute": frozenset({"execute-task"}),
    "complete": frozenset({"complete-slice"}),
    "uat": frozenset({"run-uat"}),
    "reassess": frozenset({"reassess-roadmap"}),
    "validate": frozenset({"validate-milestone"}),
}
"""Names of phases for `--until`, and their units."""


class Bounds(NamedTuple):
    """What limits one run; None: nothing does."""

    until: Target | str | None = None
    """A place or a unit that is to be done, or the name of a phase that is to be over."""
    cost_micro_usd: int | None = None
    time_ms: int | None = None


UNBOUNDED: Final = Bounds()


def until(text: str, state: State, tree: Tree) -> Target | str:
    """What `--until` names; raises BadTarget or BadId, also for a place that the plan there is does not know."""
    if text in PHASES:
        return text
    try:
        goal = parse(text, state)
        _require_planned(goal, state, tree)
    except BadTarget as error:
        raise BadTarget(str(error), hint=f"Or a phase: {', '.join(PHASES)}") from None
    return goal


def _require_planned(goal: Target, state: State, tree: Tree) -> None:
    """A place that never comes would be no bound; what is not planned yet may come under its usual name."""
    if all(entry.id != goal.milestone for entry in state.registry):
        raise BadTarget(f"there is no milestone {goal.milestone}")
    slices = [entry.id for entry in roadmap.slices(read(tree, milestone_file(tree, goal.milestone, "ROADMAP")))]
    if goal.slice and not _may_be(goal.slice, slices, "S"):
        raise BadTarget(f"{goal.milestone} has no slice {goal.slice}")
    if not goal.task or goal.kind not in (None, UnitKind.EXECUTE_TASK):
        return
    found = plan.tasks(read(tree, slice_file(tree, goal.milestone, goal.slice, "PLAN")))
    if not _may_be(goal.task, [task.id for task in found], "T"):
        raise BadTarget(f"{goal.milestone}/{goal.slice} has no task {goal.task}")


def _may_be(name: str, planned: Sequence[str], letter: str) -> bool:
    return name in planned if planned else bool(re.fullmatch(rf"{letter}\d+", name))


def duration_ms(text: str) -> int | None:
    """`90m`, `2h`, `1h30m`, `45s` or bare minutes, in milliseconds; None for anything else and for nothing."""
    found = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)(?:m|$))?(?:(\d+)s)?", text.strip().lower())
    hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
    return round(hours * 3_600_000 + minutes * 60_000 + seconds * 1000) or None


def met(goal: Target | str, state: State, tree: Tree, ran: Sequence[str], coming: Unit | None) -> bool:
    """Whether a run has come as far as it was to.

    ran: kinds of the run's units so far, in order; coming: the unit that would be next, None when there is none. A
    phase is over when a unit of it was run and another phase comes.
    """
    if isinstance(goal, str):
        return bool(ran) and ran[-1] in PHASES[goal] and (coming is None or coming.kind not in PHASES[goal])
    if goal.unit is not None:
        return done.settled(goal.unit, tree)
    if goal.task:
        return done.settled(Unit(UnitKind.EXECUTE_TASK, goal.id), tree)
    if goal.slice:
        slices = roadmap.slices(read(tree, milestone_file(tree, goal.milestone, "ROADMAP")))
        return any(entry.id == goal.slice and entry.done for entry in slices)
    return any(entry.id == goal.milestone and entry.status is Status.COMPLETE for entry in state.registry)
