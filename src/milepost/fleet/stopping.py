"""Stopping workers, one or all with their coordinator, until no process is left.

An order for the run and SIGTERM, whichever comes first; then as long as a worker may take to put its unit away; then
the group is ended by force. Only processes whose identity is proved are signalled. A merge is let finish first, since
it is short and leaves nothing half done. Worktree and branch stay. Source: parallel PR-082, PR-083, PR-102, PR-104,
PR-326, PR-328, DV-19, DV-29, FM-09, FM-13.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import anyio

from milepost.fleet import orders, processes
from milepost.fleet.processes import Role, Runner
from milepost.formats.signal import Order
from milepost.git import refs, worktrees
from milepost.git.run import GitFailed
from milepost.process import ladder

_POLL_S = 0.05
_HEARS_S: Final = 1.5
"""A coordinator reads the journal twice a second, and knows from there who gave the order; a signal tells it less."""
_GOING_S: Final = 2.0
"""How long a process that let go of its lease may take to end by itself."""
BACKUP: Final = "stopped"
"""Label of the backup refs of work that a stop cut short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that is gone, or could not be ended."""

    runner: Runner
    after_ms: int
    forced: bool = False
    """It did not end by itself."""
    swept: int = 0
    """Processes it had started and that were still there."""
    survivors: tuple[int, ...] = ()
    """Pids that outlived SIGKILL; normally none."""
    unreachable: bool = False
    """It lives, and nothing proves which process it is, or it is on another host."""

    @property
    def gone(self) -> bool:
        """Whether it ended."""
        return not self.survivors and not self.unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a stopped milestone leaves, for the next start."""

    milestone: str
    worktree: Path
    branch: str
    backup: str = ""
    """Ref of its work in progress; empty: all of it is committed, or lies in the worktree only."""


def stop(
    state: Path,
    milestones: Sequence[str],
    *,
    sender: str,
    run: str,
    wait_s: float,
    now_ms: Callable[[], int],
    unwritten: Callable[[OSError], None],
) -> Iterator[Ended]:
    """Stop and wait; each process as it ends. milestones: empty for all, and then the coordinator too.

    The order is written down for milestones without a worker as well, so that none is started for them. unwritten:
    told why that could not be done; what runs is stopped all the same.
    """
    only = milestones or None
    if milestones or processes.runners(state):
        try:
            orders.write_down(state, Order.STOP, milestones, sender=sender, run=run, now_ms=now_ms())
        except OSError as error:
            unwritten(error)
    told: dict[tuple[Role, str], _Told] = {}
    deadline = time.monotonic() + wait_s
    while living := processes.runners(state, only):
        for runner in living:
            _tell(state, runner, told, now_ms)
        yield from _gone(told, living)
        if time.monotonic() > deadline:
            # The coordinator last: it would start again what it does not know to be stopped.
            for runner in sorted(living, key=lambda runner: runner.role is Role.COORDINATOR):
                yield told.pop((runner.role, runner.milestone)).force(runner)
            break
        time.sleep(_POLL_S)
    yield from _gone(told, ())


class _Told:
    """Somebody who was told to stop."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.since = time.monotonic()
        self.signalled = False

    def due(self, runner: Runner) -> bool:
        """Whether it is time for the signal."""
        waited = time.monotonic() - self.since
        return runner.role is Role.WORKER or (runner.role is Role.COORDINATOR and waited > _HEARS_S)

    def over(self) -> Ended:
        """It let go; what it started goes with it."""
        swept, survivors = _end(self.runner, settle_s=_GOING_S)
        return Ended(runner=self.runner, after_ms=self._ms(), swept=swept, survivors=survivors)

    def force(self, runner: Runner) -> Ended:
        """End it and all it started: TERM, grace, KILL."""
        if runner.kin is None:
            return Ended(runner=runner, after_ms=self._ms(), unreachable=True)
        if runner.role is Role.COORDINATOR and _goes(runner):
            return self.over()  # Those that it waited for are gone now, and it has said how it ended.
        swept, survivors = _end(runner, settle_s=0.0)
        return Ended(runner=runner, after_ms=self._ms(), forced=True, swept=swept, survivors=survivors)

    def _ms(self) -> int:
        return int((time.monotonic() - self.since) * 1000)


def _tell(state: Path, runner: Runner, told: dict[tuple[Role, str], _Told], now_ms: Callable[[], int]) -> None:
    """Order and signal whoever was not told yet: somebody may have been started at the last moment."""
    key = (runner.role, runner.milestone)
    known = told.get(key)
    if known is None or known.runner.run != runner.run:
        known = told[key] = _Told(runner)
        if runner.role is Role.WORKER:
            # The signal says the same, should the disk be full.
            with suppress(OSError):
                orders.post(state, runner, Order.STOP, now_ms())
    if not known.signalled and known.due(runner) and (row := runner.row()):
        known.runner, known.signalled = runner, True
        ladder.send(row, signal.SIGTERM)


def _gone(told: dict[tuple[Role, str], _Told], living: Sequence[Runner]) -> Iterator[Ended]:
    there = {(runner.role, runner.milestone) for runner in living}
    for key in [key for key in told if key not in there]:
        yield told.pop(key).over()


def _goes(runner: Runner) -> bool:
    """Whether a process ends by itself within a moment."""
    deadline = time.monotonic() + _GOING_S
    while runner.row() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _end(runner: Runner, *, settle_s: float) -> tuple[int, tuple[int, ...]]:
    if runner.kin is None:
        return 0, ()
    remains = anyio.run(partial(ladder.end, runner.kin, settle_s=settle_s))
    return remains.ended, remains.survivors


def kept(state: Path, milestones: Sequence[str]) -> tuple[Kept, ...]:
    """What is left of each milestone: its worktree and branch, and the backup of work that was cut short."""
    return tuple(found for milestone in milestones if (found := _kept(state, milestone)))


def _kept(state: Path, milestone: str) -> Kept | None:
    where = worktrees.worktree_path(state.parent, milestone, state_dir=state.name)
    if not (where / ".git").is_file():
        return None
    try:
        pins = [pin.ref for pin in refs.backups(state.parent, milestone) if pin.label == BACKUP]
    except GitFailed:
        pins = []
    backup = pins[-1] if pins else ""
    return Kept(milestone=milestone, worktree=where, branch=worktrees.branch_name(milestone), backup=backup)
