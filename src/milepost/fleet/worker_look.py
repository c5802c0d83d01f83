"""What is true now of the worker of one milestone. Source: parallel PR-081, PR-140, DV-13, DV-30, FM-12, FM-16."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType

from milepost.fleet import processes
from milepost.fleet.condition import LIVING, Cause, Condition, Facts, judge, published
from milepost.fleet.processes import Role, Runner
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result
from milepost.formats.status import CurrentUnit, LastOrder, Status, WorkerState
from milepost.model import money
from milepost.rules.accounts import Accounts, Share
from milepost.rules.fleet import Past


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
    wakes_at: int
    """Until when it waits, epoch milliseconds; 0: it does not, or until somebody else is done."""
    started_at: int
    """Epoch milliseconds; 0: not known."""
    last_heartbeat: int
    worktree: str
    """Absolute path; empty: not known."""
    last_order: LastOrder | None
    past: Past


class Plan(NamedTuple):
    """What the plan's files say."""

    titles: Mapping[str, str]
    """In working order."""
    complete: tuple[str, ...]
    """Milestones whose summary stands in a worktree that is still there."""
    open: tuple[str, ...] = ()
    """Milestones that are not complete, and not parked."""


class Known(NamedTuple):
    """What is known of one milestone, whoever lives."""

    state: Path
    milestone: str
    said: Status | None
    past: Past
    plan: Plan
    books: "Books"
    now_ms: int

    def judged(self, runner: Runner | None) -> tuple[Status | None, Condition, Cause]:
        """The status file if it is of this run, the word and the cause."""
        worker = runner if runner is not None and runner.role is Role.WORKER else None
        status = _of_this_run(self.said, worker, self.past)
        facts = Facts(
            alive=worker is not None,
            merging=runner is not None and worker is None,
            status=status,
            past=self.past,
            complete=self.milestone in self.plan.complete and not landed(self.past),
            now_ms=self.now_ms,
        )
        return status, *judge(facts)


def of(known: Known, runner: Runner | None) -> WorkerLook:
    """The worker. runner: who was seen at work on the milestone."""
    status, condition, cause = known.judged(runner)
    if condition is Condition.CRASHED:
        # It may have begun after it was asked who lives, and before its file was read.
        runner = processes.at_work(known.state, known.milestone, known.said)
        status, condition, cause = known.judged(runner)
    said, past = known.said, known.past
    alive = runner is not None and runner.role is Role.WORKER
    spent, unpriced, units = known.books.of(known.milestone, said)
    return WorkerLook(
        milestone=known.milestone,
        title=known.plan.titles.get(known.milestone) or _text(said.title if said else UNSET) or known.milestone,
        state=published(condition, status),
        condition=condition,
        cause=cause,
        alive=alive,
        runner=runner,
        run=(runner.run if runner and alive else "") or past.run or _text(said.run if said else UNSET),
        pid=runner.who.pid if runner and runner.who else status.pid if status else 0,
        unit=status.current_unit if status and condition in LIVING else None,
        units=units,
        micro_usd=spent,
        unpriced=unpriced,
        heartbeat_ms=max(0, known.now_ms - status.last_heartbeat) if status else None,
        progress_ms=_since(status.last_progress if status else UNSET, known.now_ms),
        wakes_at=status.wakes_at if status and alive and status.wakes_at is not UNSET else 0,
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


class Books(NamedTuple):
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


def units_of(events: Sequence[AnyEvent]) -> dict[str, int]:
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


def landed(past: Past) -> bool:
    """Whether its latest work is on its target."""
    return past.landed is not None and past.landed.at_ms >= past.began_ms
