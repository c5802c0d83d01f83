"""Complete is not merged: what `query` and `status` say of a milestone that is still in its worktree."""

import pytest

from milepost.model.state import Counts, Phase, Progress, RegistryEntry, State, Status, Tally
from milepost.model.units import Unit, UnitKind
from milepost.rules.dispatch import Dispatch, Halt, Level
from milepost.ui.views.waiting import honest

HALT = Halt(reason="All milestones complete.", level=Level.INFO, rule="complete")


def _state(*entries: tuple[str, Status]) -> State:
    return State(
        phase=Phase.COMPLETE,
        next_action="",
        registry=tuple(RegistryEntry(id=mid, title=mid, status=status) for mid, status in entries),
        requirements=Counts(),
        progress=Progress(milestones=Tally(done=0, total=len(entries))),
    )


@pytest.mark.parametrize(
    ("entries", "worktrees", "reason"),
    [
        ([("M001", Status.COMPLETE)], {"M001"}, "M001 is complete and not merged yet"),
        (
            [("M001", Status.COMPLETE), ("M002", Status.COMPLETE)],
            {"M001", "M002"},
            "M001, M002 are complete and not merged yet",
        ),
        ([("M001", Status.COMPLETE)], set(), "All milestones complete."),
        ([("M001", Status.ACTIVE)], {"M001"}, "All milestones complete."),
    ],
)
def test_a_halt_says_what_waits(entries: list[tuple[str, Status]], worktrees: set[str], reason: str) -> None:
    decision = honest(HALT, _state(*entries), worktrees)
    assert isinstance(decision, Halt)
    assert decision.reason == reason


def test_a_unit_comes_first() -> None:
    unit = Dispatch(Unit(UnitKind.PLAN_MILESTONE, "M002"), "rule")
    assert honest(unit, _state(("M001", Status.COMPLETE)), {"M001"}) is unit
