"""What a parallel worker has beside the loop: a heart that beats, a desk for orders, an eye on its lease.

`Alone` is the same for an auto mode, which has none of it. The first status is published when the lease is held and
the process is known; the last one says how it ended, and stays. Source: parallel PR-100 to PR-104, PR-308,
FM-07, FM-08, FM-29, section 7; DESIGN rule 9.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import anyio
from msgspec import UNSET

from milepost.errors import ExitCode, FormatError, MilepostError
from milepost.formats.status import Status, WorkerState
from milepost.git import refs, worktrees
from milepost.process import identity
from milepost.rules.derive import derive
from milepost.rules.lifecycle import Worker
from milepost.store import mailbox
from milepost.store.lease import LeaseLost
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.unit.converse import ending_together
from milepost.worker import bringing, orders, places
from milepost.worker.bell import Bell
from milepost.worker.heartbeat import Heartbeat
from milepost.worker.shift import Ending, Shift
from milepost.worker.stoppable import unless_stopped

_SIGNAL = "stopped by a person or a signal"
_GO_ON = "gsd auto goes on from here."


class Station(Protocol):
    """What the loop reports to and asks at each boundary."""

    shift: Shift

    def open(self) -> None:
        """The run has begun."""

    async def accompany(self, run: Callable[[], Awaitable[Ending]]) -> Ending:
        """Run the loop."""

    def begin(self, phase: str) -> None:
        """What is done from now on: `setting-up`, `working`."""

    async def between(self, bench: Bench | None) -> Ending | None:
        """No unit is in flight: obey what waits. An ending when the run is to end."""

    def waits(self, until_ms: int) -> None:
        """The provider is waited for; 0: no longer."""

    def moved(self) -> bool:
        """Whether the branch moved between units since this was asked last: its place is to be entered afresh."""

    def stopped(self) -> Ending | None:
        """The ending of a run that was told to end at once."""

    def unit_ended(self) -> None:
        """A unit has just ended."""

    def interrupted(self, bench: Bench) -> None:
        """The unit in flight was cut short."""

    def close(self, ending: Ending) -> None:
        """The run is over."""


class Alone:
    """An auto mode: orders are read between units, nobody is told anything."""

    def __init__(self, shift: Shift) -> None:
        self.shift = shift

    def open(self) -> None:
        """Nothing."""

    async def accompany(self, run: Callable[[], Awaitable[Ending]]) -> Ending:
        """Just run."""
        return await run()

    def begin(self, phase: str) -> None:
        """Nothing."""

    async def between(self, bench: Bench | None) -> Ending | None:
        """The signal, or the order that waits."""
        del bench
        return self.stopped() or orders.pending(self.shift)

    def waits(self, until_ms: int) -> None:
        """Nothing."""

    def moved(self) -> bool:
        """Nobody else commits there."""
        return False

    def stopped(self) -> Ending | None:
        """A signal, or a limit of time."""
        return Ending(ExitCode.INTERRUPTED, _SIGNAL, _GO_ON) if self.shift.stop.is_set() else None

    def unit_ended(self) -> None:
        """Nothing."""

    def interrupted(self, bench: Bench) -> None:
        """Nothing: the next run goes on in the same files."""

    def close(self, ending: Ending) -> None:
        """An order that came too late would wait for a run that is over."""
        del ending
        orders.pending(self.shift)


class Posted:
    """A parallel worker on its milestone."""

    def __init__(self, shift: Shift, milestone: str) -> None:
        self.milestone = milestone
        first = _first_status(shift, milestone)
        self.heart = Heartbeat(shift.box, first, now_ms=shift.now_ms, onward=shift.watcher)
        self.bell = Bell()
        self.desk = orders.Desk(shift, milestone, self.heart, on_change=self.bell.ring)
        self.shift = replace(shift, watcher=self.heart, wanted=self.desk.waiting, held_up=self._held_up)
        self._postponed = self._moved = False
        self._unfit = set[tuple[str, str]]()
        self._news = anyio.Event()

    def open(self) -> None:
        """Take orders that are for this run, put others aside, and say for the first time that it lives."""
        mailbox.clear(self.shift.box, self.milestone, but=self.shift.run)
        self.heart.count(self.shift.journal(self.milestone).own())
        self.heart.start(self.desk.look, self._keep_leases)

    async def accompany(self, run: Callable[[], Awaitable[Ending]]) -> Ending:
        """Run, with a stop order turned into the end of the unit in flight."""
        async with ending_together() as tasks:
            tasks.start_soon(self._relay)
            return await run()

    def begin(self, phase: str) -> None:
        """Said in the status, as `doing`."""
        self.desk.begin(phase)

    async def between(self, bench: Bench | None) -> Ending | None:
        """A pause takes effect here and lasts until resume or stop; the target and landed slices are brought in."""
        self.desk.unit_ended()
        if bench is not None:
            bringing.announce_slices(bench)
            self._follow_slices(bench)
            self._rebase(bench, again=True)
        while self.desk.state is Worker.PAUSED and not self.shift.stop.is_set():
            await unless_stopped(self.shift.stop, self._news.wait)
            if bench is not None:
                self._rebase(bench, again=False)
        return self.stopped()

    def waits(self, until_ms: int) -> None:
        """Said in the status; the heart goes on beating."""
        self.heart.say(wakes_at=until_ms or UNSET)
        self.desk.begin("waiting" if until_ms else "working")

    def _held_up(self, why: str, until_ms: int) -> None:
        """Said in the status as a wait for the provider is, with its reason."""
        self.heart.say(wakes_at=until_ms or UNSET)
        self.desk.begin("waiting" if why else "working", why)

    def moved(self) -> bool:
        """Whether something was brought in since this was asked last."""
        moved, self._moved = self._moved, False
        return moved

    def _rebase(self, bench: Bench, *, again: bool) -> None:
        """Bring the target in, when that was ordered. again: also when the worktree was not clean for it before."""
        if not self.desk.take_rebase() and not (again and self._postponed):
            return
        try:
            target = places.target_of(self.milestone, self.shift)
        except MilepostError as error:
            self.shift.watcher.note(f"nothing was brought in: {error}")
            return
        tip = refs.branch_tip(self.shift.root, target)
        found = bringing.take_in(tip, target, target, bench) if tip else False
        self._postponed = found is None
        self._moved |= found is True

    def _follow_slices(self, bench: Bench) -> None:
        """Take up landings of this milestone's slices; one that does not fit is tried again when the branch moved."""
        for landed in bringing.links(bench):
            key = (landed.link, bringing.tip(bench.workspace))
            if key in self._unfit:
                continue
            found = bringing.take_in(
                landed.link, f"{landed.slice} as merged into {landed.target}", landed.target, bench
            )
            self._moved |= found is True
            if found is False:
                self._unfit.add(key)

    def stopped(self) -> Ending | None:
        """A signal, an order, or a lease that is lost."""
        if not self.shift.stop.is_set() and not self.desk.stopped_by:
            return None
        return Ending(ExitCode.INTERRUPTED, self.desk.stopped_by or _SIGNAL, _GO_ON)

    def unit_ended(self) -> None:
        """No unit is current; units and cost are counted afresh."""
        self.heart.unit_ended(self.shift.journal(self.milestone).own())

    def interrupted(self, bench: Bench) -> None:
        """Keep the work in progress on a backup ref, beside the worktree."""
        bringing.keep_work(bench)

    def close(self, ending: Ending) -> None:
        """The last word."""
        state = WorkerState.ERROR if ending.code is ExitCode.ERROR else WorkerState.STOPPED
        self.heart.end(state, ending.reason)
        self.bell.close()
        with suppress(OSError):
            mailbox.clear(self.shift.box, self.milestone)

    async def _relay(self) -> None:
        """Hear what the heart's thread has taken."""
        while True:
            await self.bell.heard()
            self._news.set()
            self._news = anyio.Event()
            if self.desk.stopped_by:
                self.shift.stop.set()

    def _keep_leases(self) -> None:
        """Put back what was deleted; without its lease a worker may neither work nor write its status."""
        for lease in self.shift.leases:
            try:
                lease.restore()
            except LeaseLost as lost:
                self.heart.silence()
                self.desk.end_at_once(str(lost))


def of(shift: Shift) -> Station:
    """The station that fits the run."""
    return Alone(shift) if shift.lock is None else Posted(shift, shift.lock)


def _first_status(shift: Shift, milestone: str) -> Status:
    own, now = identity.own(), shift.now_ms()
    return Status(
        milestone_id=milestone,
        pid=os.getpid(),
        state=WorkerState.RUNNING,
        current_unit=None,
        completed_units=0,
        cost=0.0,
        last_heartbeat=now,
        started_at=now,
        worktree_path=str(worktrees.worktree_path(shift.root, milestone, state_dir=shift.state_dir)),
        run=shift.run,
        host=own.host,
        boot_id=own.boot_id,
        start_ticks=own.start_ticks,
        cost_known=True,
        title=_title(shift, milestone),
        doing="starting",
        fleet=shift.fleet,
        port_base=UNSET if shift.port_base is None else shift.port_base,
    )


def _title(shift: Shift, milestone: str) -> str:
    try:
        state = derive(Snapshot(str(shift.root), shift.state_dir), lock=milestone)
    except FormatError:
        return milestone  # The loop says what is wrong with the plan.
    return next((entry.title for entry in state.registry if entry.id == milestone), milestone)
