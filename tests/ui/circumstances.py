"""Situations that are built from a journal, for tables."""

from collections.abc import Sequence
from pathlib import Path

from milepost.fleet.look import Look
from milepost.fleet.processes import Role, Runner
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    Result,
    RunEnded,
    RunStarted,
    SessionEnded,
    UsageReported,
)
from milepost.formats.preferences import Preferences
from milepost.model.state import Counts, Phase, Progress, Ref, RegistryEntry, State, Status, Tally
from milepost.model.units import Unit, UnitKind
from milepost.rules import fleet as told
from milepost.rules.dispatch import Decision, Dispatch
from milepost.ui.views import fleet
from milepost.ui.views.plan_tree import Branch, Leaf, Stem
from milepost.ui.views.situation import Situation

NOW = 1_763_760_000_000
STATE = State(
    phase=Phase.EXECUTING,
    next_action="Execute T02.",
    registry=(
        RegistryEntry("M001", "Feed store", Status.ACTIVE),
        RegistryEntry("M002", "Sync", Status.PENDING, ("M001",)),
        RegistryEntry("M003", "Later", Status.PARKED),
    ),
    requirements=Counts(),
    progress=Progress(milestones=Tally(0, 3), slices=Tally(0, 2), tasks=Tally(1, 2)),
    active_milestone=Ref("M001", "Feed store"),
    active_slice=Ref("S01", "Core"),
    active_task=Ref("T02", "Write"),
)
DUE = Dispatch(Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02"), "task-is-executed")
PLAN = (
    Stem(
        STATE.registry[0],
        (
            Branch("S01", "Core", False, (), (Leaf("T01", "Read", True), Leaf("T02", "Write", False))),
            Branch("S02", "Fetch", False, ("S01",), (Leaf("T01", "Loop", False),)),
        ),
    ),
    *(Stem(entry, ()) for entry in STATE.registry[1:]),
)


def began(run: str = "r1", at_ms: int = NOW - 600_000, **more: object) -> RunStarted:
    facts: dict[str, object] = {"pid": 4711, "version": "1", "command": "auto"}
    return RunStarted(at_ms=at_ms, run=run, **{**facts, **more})  # type: ignore[arg-type]


def ended(state: str, reason: str = "because", run: str = "r1", at_ms: int = NOW - 60_000, **more: object) -> RunEnded:
    return RunEnded(at_ms=at_ms, run=run, state=state, reason=reason, **more)  # type: ignore[arg-type]


def attempt(
    name: str,
    unit: str = "M001/S01/T01",
    result: Result | None = Result.COMMITTED,
    *,
    kind: str = "execute-task",
    at_ms: int = NOW - 500_000,
    took_ms: int = 30_000,
    number: int = 1,
    prices: Sequence[int | None] = (1_000,),
    reason: str = "",
    run: str = "r1",
    **more: object,
) -> list[AnyEvent]:
    """One attempt from its beginning to its end; result None: it has none."""
    facts: dict[str, object] = {"base": "b", "branch": "milestone/M001", "fingerprint": "f", "agent": "builtin"}
    found: list[AnyEvent] = [
        AttemptStarted(at_ms=at_ms, run=run, attempt=name, kind=kind, unit=unit, number=number, **{**facts, **more}),  # type: ignore[arg-type]
        *(
            UsageReported(at_ms=at_ms + 1, run=run, attempt=name, model="m", input=600, output=400, micro_usd=price)
            for price in prices
        ),
        SessionEnded(at_ms=at_ms + took_ms - 1, run=run, attempt=name, stop="end", requests=len(prices), tool_calls=3),
    ]
    if result is not None:
        commit = "0123456789abcdef" if result is Result.COMMITTED else ""
        end = AttemptEnded(at_ms=at_ms + took_ms, run=run, attempt=name, result=result, commit=commit, reason=reason)
        found.append(end)
    return found


def here(
    events: Sequence[AnyEvent] = (),
    *,
    runner: str = "",
    state: State = STATE,
    decision: Decision = DUE,
    preferences: Preferences | None = None,
    runners: Sequence[Runner] = (),
    **more: object,
) -> Situation:
    """What `looking.around` would give. runner: the run of an auto mode that lives."""
    settings = preferences or Preferences()
    look = Look(
        state=Path("/p/.gsd"),
        workers=(),
        coordinator=next((r for r in runners if r.role is Role.COORDINATOR), None),
        runners=tuple(runners),
        fleet=told.fold(events),
        unmerged=(),
        titles={},
        forecasts=(),
        events=tuple(events),
        now_ms=NOW,
    )
    return Situation(
        program="gsd",
        state_dir=".gsd",
        state=state,
        decision=decision,
        preferences=settings,
        board=fleet.board(look, settings, "gsd"),
        runner=runner,
        pid=4711 if runner else 0,
        carried=0,
        plan=lambda: PLAN,
        **more,  # type: ignore[arg-type]
    )
