"""What is true now of a fleet: of each milestone's worker, of the coordinator, of the session.

Folded from leases, processes, status files, the journal and the plan at the moment it is asked; no coordinator needs
to live for it, and nothing is written. Source: DESIGN "Parallel"; parallel PR-081, PR-140, PR-150 to PR-153, PR-190 to
PR-197, DV-13, DV-17, DV-30, FM-11, FM-12, FM-16, FM-18.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType

from milepost.errors import FormatError
from milepost.fleet import processes
from milepost.fleet.condition import LIVING, Cause, Condition, Facts, judge, published
from milepost.fleet.processes import Role, Runner
from milepost.formats import forecast
from milepost.formats.forecast import Forecast
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, RunStarted, WorkerSpawned
from milepost.formats.status import CurrentUnit, LastOrder, Status, WorkerState
from milepost.model import money
from milepost.model.state import Status as Standing
from milepost.rules import fleet
from milepost.rules.accounts import Accounts, Share
from milepost.rules.derive import derive
from milepost.rules.fleet import Fleet, Past
from milepost.store import beacons
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot

FORECAST: Final = "forecast.json"
"""Below `parallel/`; written by the coordinator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLook:
    """One worker, as it is now."""

    milestone: str
    title: str
    state: WorkerState | None
    """The documented state; None: it is starting and has not spoken yet."""
    condition: Condition
    cause: Cause
    alive: bool
    runner: Runner | None
    """Its process, or that of its merge."""
    run: str
    pid: int
    """0: not known, or never started."""
    unit: CurrentUnit | None
    """What it is at; of a living worker only."""
    units: int
    """Completed, over all its runs."""
    micro_usd: int
    """Known prices, over all its runs."""
    unpriced: int
    """Requests whose price is not known."""
    heartbeat_ms: int | None
    """Since the last heartbeat; None: there was none."""
    progress_ms: int | None
    """Since the agent last did something; None: not known."""
    started_at: int
    """Epoch milliseconds; 0: not known."""
    last_heartbeat: int
    worktree: str
    """Absolute path; empty: not known."""
    last_order: LastOrder | None
    past: Past


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A fleet, as it is now."""

    state: Path
    """The project's state directory."""
    workers: tuple[WorkerLook, ...]
    """In working order: those of the open session, whoever is alive, and whose status file is still there."""
    coordinator: Runner | None
    runners: tuple[Runner, ...]
    """Everything that lives: coordinator, workers, merges."""
    fleet: Fleet
    unmerged: tuple[str, ...]
    """Milestones that are complete in their worktree and not on their target, whoever worked on them."""
    titles: Mapping[str, str]
    forecasts: tuple[Forecast, ...]
    events: Sequence[AnyEvent]
    now_ms: int

    @property
    def active(self) -> bool:
        """Whether any process of a fleet lives."""
        return bool(self.runners)

    @property
    def micro_usd(self) -> int:
        """What all workers cost: the sum, never accumulated (PR-140, PR-317)."""
        return sum(worker.micro_usd for worker in self.workers)

    def of(self, milestone: str) -> WorkerLook | None:
        """The worker of a milestone."""
        return next((worker for worker in self.workers if worker.milestone == milestone), None)


def look(state: Path, *, now_ms: int, events: Sequence[AnyEvent] | None = None) -> Look:
    """Look. `state`: the project's state directory; events: the journal, when the caller has it. Never raises for
    files that cannot be read: what they would have said is then missing.
    """
    known = Journal(state, "project").everything() if events is None else events
    told = fleet.fold(known)
    plan = _plan(state)
    statuses = {status.milestone_id: status for status in beacons.load(state / "parallel")}
    alive = processes.runners(state)
    at_work = _by_milestone(alive)
    books = _Books(accounts=Accounts(known), units=_units(known))
    workers = (
        _worker(mid, at_work.get(mid), statuses.get(mid), told.of(mid), plan, books, now_ms)
        for mid in _listed(known, told, statuses, at_work, plan)
    )
    return Look(
        state=state,
        workers=tuple(workers),
        coordinator=next((runner for runner in alive if runner.role is Role.COORDINATOR), None),
        runners=alive,
        fleet=told,
        unmerged=tuple(mid for mid in plan.complete if not _landed(told.of(mid))),
        titles=plan.titles,
        forecasts=_forecasts(state, told),
        events=known,
        now_ms=now_ms,
    )


def _by_milestone(alive: Sequence[Runner]) -> dict[str, Runner]:
    """A worker rather than the merge of one of its slices."""
    found = {runner.milestone: runner for runner in alive if runner.role is Role.MERGE and runner.milestone}
    return found | {runner.milestone: runner for runner in alive if runner.role is Role.WORKER}


class _Plan(NamedTuple):
    """What the plan's files say."""

    titles: Mapping[str, str]
    """In working order."""
    complete: tuple[str, ...]
    """Milestones whose summary stands in a worktree that is still there."""


def _plan(state: Path) -> _Plan:
    try:
        tree = Snapshot(str(state.parent), state.name)
        registry = derive(tree).registry
    except FormatError:
        # To stop what runs, nobody needs to mend a roadmap first.
        return _Plan({}, ())
    done = tuple(e.id for e in registry if e.status is Standing.COMPLETE and e.id in tree.homes)
    return _Plan({entry.id: entry.title for entry in registry}, done)


def _listed(
    events: Sequence[AnyEvent], told: Fleet, statuses: Mapping[str, Status], alive: Mapping[str, Runner], plan: _Plan
) -> list[str]:
    """Whose workers are shown: of this session, alive, or with a status file whose milestone has not landed."""
    found = set(alive) | {mid for mid in statuses if not _landed(told.of(mid))}
    if told.session:
        found |= {e.milestone for e in events if isinstance(e, WorkerSpawned) and e.session == told.session}
        found |= {e.milestone for e in events if isinstance(e, RunStarted) and e.fleet == told.session}
    order = {mid: number for number, mid in enumerate(plan.titles)}
    return sorted(found, key=lambda mid: (order.get(mid, len(order)), mid))


def _landed(past: Past) -> bool:
    return past.landed is not None and past.landed.at_ms >= past.began_ms


def _worker(
    mid: str, runner: Runner | None, said: Status | None, past: Past, plan: _Plan, books: "_Books", now_ms: int
) -> WorkerLook:
    worker = runner if runner is not None and runner.role is Role.WORKER else None
    status = _of_this_run(said, worker, past)
    condition, cause = judge(
        Facts(
            alive=worker is not None,
            merging=runner is not None and worker is None,
            status=status,
            past=past,
            complete=mid in plan.complete and not _landed(past),
            now_ms=now_ms,
        )
    )
    spent, unpriced, units = books.of(mid, said)
    return WorkerLook(
        milestone=mid,
        title=plan.titles.get(mid) or _text(said.title if said else UNSET) or mid,
        state=published(condition, status),
        condition=condition,
        cause=cause,
        alive=worker is not None,
        runner=runner,
        run=(worker.run if worker else "") or past.run or _text(said.run if said else UNSET),
        pid=runner.who.pid if runner and runner.who else status.pid if status else 0,
        unit=status.current_unit if status and condition in LIVING else None,
        units=units,
        micro_usd=spent,
        unpriced=unpriced,
        heartbeat_ms=max(0, now_ms - status.last_heartbeat) if status else None,
        progress_ms=_since(status.last_progress if status else UNSET, now_ms),
        started_at=status.started_at if status else past.began_ms,
        last_heartbeat=status.last_heartbeat if status else 0,
        worktree=said.worktree_path if said else "",
        last_order=None if status is None or status.last_order is UNSET else status.last_order,
        past=past,
    )


def _of_this_run(said: Status | None, worker: Runner | None, past: Past) -> Status | None:
    """The status file, unless it is of an earlier run than the one in question (FM-16)."""
    if said is None or said.run is UNSET:
        return said
    run = worker.run if worker is not None and worker.run else past.run
    if worker is None and not run and past.wanted_at_ms > said.last_heartbeat:
        return None  # A coordinator has started since, and takes the milestone up anew.
    return said if run in ("", said.run) else None


class _Books(NamedTuple):
    """What the journal says of money and units."""

    accounts: Accounts
    units: Mapping[str, int]

    def of(self, mid: str, said: Status | None) -> tuple[int, int, int]:
        """Spent, requests of unknown price, units; of another program's worker by its own word."""
        share = Share(milestone=mid)
        if said is not None and not any(True for _ in self.accounts.select(share)):
            believable = 0 <= said.cost < _UNBELIEVABLE_USD
            return money.from_usd(said.cost) if believable else 0, 0, said.completed_units
        books = self.accounts.books(share)
        return books.spent, books.unpriced, self.units.get(mid, 0)


_UNBELIEVABLE_USD: Final = 1e9
"""A cost that is no cost."""


def _units(events: Sequence[AnyEvent]) -> dict[str, int]:
    """Finished units of each milestone."""
    of: dict[str, str] = {}
    units: dict[str, int] = {}
    for event in events:
        match event:
            case AttemptStarted():
                of[event.attempt] = event.unit.split("/")[0]
            case AttemptEnded(attempt=attempt, result=Result.COMMITTED) if attempt in of:
                units[of[attempt]] = units.get(of[attempt], 0) + 1
            case _:
                pass
    return units


def _text(value: str | UnsetType) -> str:
    return "" if value is UNSET else value


def _since(at_ms: int | UnsetType, now_ms: int) -> int | None:
    return None if at_ms is UNSET else max(0, now_ms - at_ms)


def _forecasts(state: Path, told: Fleet) -> tuple[Forecast, ...]:
    """Conflicts to come, without those of milestones that have landed since they were seen."""
    try:
        found = forecast.decode((state / "parallel" / FORECAST).read_bytes())
    except OSError:
        return ()
    return tuple(f for f in found if not any(_landed(told.of(side)) for side in (f.a, f.b)))
