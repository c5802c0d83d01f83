"""From "this milestone may start" to a living worker, or to a reason that costs nothing.

    lease → worktree, registration and branch proved → plan readable → process, with the lease in its hands

What fails here is that milestone's alone; it is written down as a run that ended blocked, so that everybody shows
the same reason. Source: DESIGN rule 5, parallel FM-07, FM-08, FM-19, FM-21, FM-22, DV-22, DV-23.
"""

from dataclasses import dataclass
from functools import partial

from anyio import to_thread

from milepost import __version__
from milepost.errors import MilepostError
from milepost.fleet import spawn
from milepost.fleet.site import Site
from milepost.fleet.spawn import Child
from milepost.formats.assignment import Assignment
from milepost.formats.journal import RunEnded, RunStarted
from milepost.formats.status import Status, WorkerState
from milepost.formats.tree import milestone_dir
from milepost.git import repo
from milepost.model.state import Phase
from milepost.rules.attempts import open_attempts
from milepost.rules.derive import derive
from milepost.store import beacons
from milepost.store.lease import Handed, Lease
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Workspace
from milepost.worker import places
from milepost.worker.holding import signed
from milepost.worker.shift import Shift


class NoPlan(MilepostError):
    """The worktree does not show the milestone's plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The milestone turned out to be complete: it only waits to be merged."""

    milestone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It could not be started; nothing was spent."""

    milestone: str
    reason: str
    hint: str


async def start(milestone: str, title: str, run: str, session: str, site: Site) -> Child | Finished | Failed:
    """Make the place and start the worker. Expected failures are values."""
    try:
        return await _start(milestone, run, session, site)
    except (MilepostError, OSError) as error:
        failed = Failed(milestone=milestone, reason=str(error), hint=getattr(error, "hint", ""))
        await to_thread.run_sync(_write_down, failed, title, run, session, site)
        return failed


async def _start(milestone: str, run: str, session: str, site: Site) -> Child | Finished:
    with Lease(
        site.lease(milestone), milestone, signed(run, "start", site.now_ms()), guard=site.guard(milestone)
    ) as lease:
        shift = site.shift()
        place = await to_thread.run_sync(partial(_made, milestone, shift))
        state = derive(Snapshot(str(site.root), site.state_dir), lock=milestone)
        if state.phase is Phase.COMPLETE and not open_attempts(site.journal(milestone).own()):
            return Finished(milestone=milestone)
        handed = lease.detach()
    try:
        return await to_thread.run_sync(partial(_spawned, milestone, place, handed, run, session, site))
    finally:
        handed.close()


def _made(milestone: str, shift: Shift) -> Workspace:
    place = repo.inspect(shift.root)
    repo.require_ready(place)
    made = places.make(milestone, place, shift)
    seen = Snapshot(str(made.cwd), made.state_dir, homes={})
    if milestone_dir(seen, milestone) is None:
        raise NoPlan(
            f"{made.cwd} does not hold the plan of {milestone}", hint=f"git -C {made.cwd} status; commit the plan"
        )
    return made


def _spawned(milestone: str, place: Workspace, handed: Handed, run: str, session: str, site: Site) -> Child:
    given = Assignment(
        milestone=milestone,
        root=str(site.root),
        parallel_dir=str(site.box),
        run=run,
        fleet=session,
        lease_fd=handed.lease,
        guard_fd=handed.guard,
        model=site.preferences.parallel.worker_model or "",
    )
    return spawn.worker(
        given, place.cwd, env=site.env, state_dir=site.state_dir, options=site.worker_options, fds=handed.fds
    )


def _write_down(failed: Failed, title: str, run: str, session: str, site: Site) -> None:
    journal, now = site.journal(failed.milestone), site.now_ms()
    journal.append(
        RunStarted(
            at_ms=now, run=run, pid=0, version=__version__, command="auto", milestone=failed.milestone, fleet=session
        )
    )
    journal.append(
        RunEnded(
            at_ms=now, run=run, state="blocked", reason=failed.reason, hint=failed.hint, milestone=failed.milestone
        )
    )
    beacons.publish(
        site.box,
        Status(
            milestone_id=failed.milestone,
            pid=0,
            state=WorkerState.ERROR,
            current_unit=None,
            completed_units=0,
            cost=0.0,
            last_heartbeat=now,
            started_at=now,
            worktree_path=str(site.state / "worktrees" / failed.milestone),
            run=run,
            reason=failed.reason,
            title=title,
            doing="ended",
            fleet=session,
        ),
    )
