"""What is true now of a fleet: of each milestone's worker, of the coordinator, of the session.

Folded from leases, processes, status files, the journal and the plan at the moment it is asked; no coordinator needs
to live for it, and nothing is written. Source: DESIGN "Parallel"; parallel PR-081, PR-140, PR-150 to PR-153, PR-190 to
PR-197, DV-13, DV-17, DV-30, FM-11, FM-12, FM-16, FM-18.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from msgspec import structs

from milepost.errors import FormatError
from milepost.fleet import processes, worker_look
from milepost.fleet.processes import Role, Runner
from milepost.fleet.worker_look import Books, Known, Plan, WorkerLook, landed, units_of
from milepost.formats import forecast
from milepost.formats.forecast import Forecast
from milepost.formats.journal import AnyEvent, RunStarted, WorkerSpawned
from milepost.formats.status import Status
from milepost.git import refs
from milepost.model.state import Status as Standing
from milepost.rules import fleet
from milepost.rules.accounts import Accounts
from milepost.rules.derive import derive
from milepost.rules.eligibility import OUTSIDE, Facts, analyze
from milepost.rules.fleet import Fleet, Past
from milepost.store import beacons, regular
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot

FORECAST: Final = "forecast.json"
"""Below `parallel/`; written by the coordinator."""
_MOST_BYTES = 1 << 20


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
    uncleared: tuple[str, ...] = ()
    """Milestones that landed and whose worktree is still there."""
    left: tuple[str, ...] = ()
    """Milestones that something is still to be done for."""
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


def look(state: Path, *, now_ms: int, events: Callable[[], Sequence[AnyEvent]] | None = None) -> Look:
    """Look. `state`: the project's state directory; events: reads the journal, for a caller that follows it.

    Never raises for files that cannot be read: what they would have said is then missing. Who lives is asked first,
    so that the last word of one who ends meanwhile is read.
    """
    alive = processes.runners(state)
    statuses = {status.milestone_id: status for status in beacons.load(state / "parallel")}
    known = Journal(state, "project").everything() if events is None else events()
    told = _pushed_since(fleet.fold(known), state.parent)
    plan = _plan(state)
    books = Books(accounts=Accounts(known), units=units_of(known))
    at_work = _by_milestone(alive)
    workers = (
        worker_look.of(Known(state, mid, statuses.get(mid), told.of(mid), plan, books, now_ms), at_work.get(mid))
        for mid in _listed(known, told, statuses, at_work, plan)
    )
    return Look(
        state=state,
        workers=tuple(workers),
        coordinator=next((runner for runner in alive if runner.role is Role.COORDINATOR), None),
        runners=alive,
        fleet=told,
        unmerged=tuple(mid for mid in plan.complete if not landed(told.of(mid))),
        uncleared=tuple(mid for mid in plan.complete if landed(told.of(mid))),
        left=(*plan.open, *(mid for mid in plan.complete if not landed(told.of(mid)))),
        titles=plan.titles,
        forecasts=_forecasts(state, told),
        events=known,
        now_ms=now_ms,
    )


def _pushed_since(told: Fleet, root: Path) -> Fleet:
    """Without the failures to push that a person has mended since: the remote's branch holds the landing now."""
    mended: dict[str, Past] = {}
    for mid, past in told.past.items():
        if past.landed is not None and past.landed.push_error and refs.on_a_remote(root, past.landed.commit):
            mended[mid] = replace(past, landed=structs.replace(past.landed, push_error=""))
    return replace(told, past={**told.past, **mended}) if mended else told


def _by_milestone(alive: Sequence[Runner]) -> dict[str, Runner]:
    """A worker rather than the merge of one of its slices."""
    found = {runner.milestone: runner for runner in alive if runner.role is Role.MERGE and runner.milestone}
    return found | {runner.milestone: runner for runner in alive if runner.role is Role.WORKER}


def _plan(where: Path) -> Plan:
    try:
        tree = Snapshot(str(where.parent), where.name)
        state = derive(tree)
        outside = {entry.id for entry in analyze(tree, state, Facts()).ineligible if entry.cause in OUTSIDE}
    except FormatError:
        # To stop what runs, nobody needs to mend a roadmap first.
        return Plan({}, ())
    done = tuple(e.id for e in state.registry if e.status is Standing.COMPLETE and e.id in tree.homes)
    waits = (Standing.ACTIVE, Standing.PENDING)
    open_ = tuple(e.id for e in state.registry if e.status in waits and e.id not in outside)
    return Plan({entry.id: entry.title for entry in state.registry}, done, open_)


def _listed(
    events: Sequence[AnyEvent], told: Fleet, statuses: Mapping[str, Status], alive: Mapping[str, Runner], plan: Plan
) -> list[str]:
    """Whose workers are shown: of this session, alive, or with a status file whose milestone has not landed."""
    found = set(alive) | {mid for mid in statuses if not landed(told.of(mid))}
    if told.session:
        found |= {e.milestone for e in events if isinstance(e, WorkerSpawned) and e.session == told.session}
        found |= {e.milestone for e in events if isinstance(e, RunStarted) and e.fleet == told.session}
    order = {mid: number for number, mid in enumerate(plan.titles)}
    return sorted(found, key=lambda mid: (order.get(mid, len(order)), mid))


def _forecasts(state: Path, told: Fleet) -> tuple[Forecast, ...]:
    """Conflicts to come, without those of milestones that have landed since they were seen."""
    try:
        found = forecast.decode(regular.read(state / "parallel" / FORECAST, most=_MOST_BYTES))
    except OSError:
        return ()
    return tuple(f for f in found if not any(landed(told.of(side)) for side in (f.a, f.b)))
