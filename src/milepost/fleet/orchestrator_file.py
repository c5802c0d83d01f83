"""`orchestrator.json`: the documented picture of a fleet, written by its coordinator whenever something changed.

A projection for GSD's own programs and for people: nothing of ours reads it to decide anything. A worker is listed
from its first heartbeat on, under the process that really runs; what died without a last word is an `error`, and when
the coordinator ends, nothing is active any more. Source: parallel PR-306, FM-07, FM-08, FM-11, FM-12, FM-18.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET

from milepost.formats import orchestrator
from milepost.formats.orchestrator import ConfigSnapshot, Orchestrator, Worker
from milepost.formats.status import Status, WorkerState
from milepost.rules.standings import Live
from milepost.store import atomic, regular

if TYPE_CHECKING:
    # Who only reads the file does not load what coordinates.
    from milepost.fleet.observe import Observation
    from milepost.fleet.site import Site

NAME: Final = "orchestrator.json"
"""Below the state directory."""
_AT_WORK = (WorkerState.RUNNING, WorkerState.PAUSED)
_MOST_BYTES = 1 << 20


class Publisher:
    """Writes the file of one coordinator; a full disk is passed over, since it is only a picture."""

    def __init__(self) -> None:
        self._last: Orchestrator | None = None

    def publish(self, seen: "Observation", session: str, site: "Site") -> None:
        """Write what is observed, unless the file says so already."""
        found = picture(seen, session, site)
        if found == self._last:
            return
        with suppress(OSError):
            _write(site.state, found)
            self._last = found

    def close(self, site: "Site") -> None:
        """The coordinator ends; what it listed stays to be looked at."""
        if self._last is not None:
            with suppress(OSError):
                _write(site.state, msgspec.structs.replace(self._last, active=False))


def picture(seen: "Observation", session: str, site: "Site") -> Orchestrator:
    """The workers of a session as the file shows them. Pure."""
    alive = {m.id for m in seen.milestones if m.live is not Live.NONE}
    ours = [s for s in seen.statuses.values() if s.fleet == session or s.milestone_id in alive]
    ours = [s for s in ours if s.milestone_id not in alive or _has_spoken(s, seen)]
    workers = tuple(_worker(status, alive=status.milestone_id in alive) for status in _in_order(ours, seen))
    parallel = site.preferences.parallel
    ceiling = UNSET if parallel.budget_ceiling is None else parallel.budget_ceiling
    return Orchestrator(
        active=True,
        workers=workers,
        total_cost=round(sum(worker.cost for worker in workers), 6),
        started_at=seen.fleet.started.at_ms if seen.fleet.started else 0,
        config_snapshot=ConfigSnapshot(max_workers=parallel.max_workers, budget_ceiling=ceiling),
        run=site.run,
    )


def load(state: Path) -> Orchestrator | None:
    """What the file says; None when there is none, or it cannot be read."""
    try:
        return orchestrator.decode(regular.read(state / NAME, most=_MOST_BYTES))
    except OSError:
        return None


def deactivate(state: Path, living: Callable[[Worker], bool]) -> bool:
    """Make a file whose coordinator was killed say what is true; whether there was anything to say. Raises OSError."""
    found = load(state)
    if found is None or not found.active:
        return False
    workers = tuple(worker if living(worker) else _ended(worker) for worker in found.workers)
    _write(state, msgspec.structs.replace(found, active=False, workers=workers))
    return True


def _has_spoken(status: Status, seen: "Observation") -> bool:
    """Whether the file is of the run that lives, and not of the one before it."""
    holder = seen.holders[status.milestone_id]
    return not holder.pid or holder.run == status.run


def _in_order(statuses: Iterable[Status], seen: "Observation") -> list[Status]:
    order = {m.id: number for number, m in enumerate(seen.milestones)}
    return sorted(statuses, key=lambda status: (order.get(status.milestone_id, len(order)), status.milestone_id))


def _worker(status: Status, *, alive: bool) -> Worker:
    found = Worker(
        milestone_id=status.milestone_id,
        title=status.milestone_id if status.title is UNSET else status.title,
        pid=status.pid,
        worktree_path=status.worktree_path,
        started_at=status.started_at,
        state=status.state,
        completed_units=status.completed_units,
        cost=status.cost,
        run=status.run,
        host=status.host,
        boot_id=status.boot_id,
        start_ticks=status.start_ticks,
    )
    return found if alive else _ended(found)


def _ended(worker: Worker) -> Worker:
    """A last word counts; whoever is gone without one has crashed."""
    return msgspec.structs.replace(worker, state=WorkerState.ERROR) if worker.state in _AT_WORK else worker


def _write(state: Path, found: Orchestrator) -> None:
    atomic.replace(state / NAME, orchestrator.encode(found), durable=False, within=state)
