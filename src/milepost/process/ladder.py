"""The one way to end processes: wait a moment, TERM, grace, KILL, check that nothing is left.

A group is signalled as a group, so a process that forks all the time cannot outrun it; what left the group is
signalled one by one, through a pid descriptor where there is one, so a reused pid is never hit. Every step is
shielded from cancellation. Source: style R19.
"""

import contextlib
import os
import signal
from typing import NamedTuple

import anyio

from milepost.process import table
from milepost.process.kin import Kin, living, orphans

GRACE_S = 2.0
"""Between TERM and KILL: long enough for a test runner to write its report, short enough to wait for."""
_PATIENCE_S = 2.0
"""How long a killed process may take to go; only one stuck in the kernel needs it."""


class Remains(NamedTuple):
    """What ending took."""

    ended: int
    """Processes, beside the command itself, that had to be signalled."""
    survivors: tuple[int, ...]
    """Pids that outlived KILL (stuck in the kernel, or another user's); normally empty."""


async def end(kin: Kin, *, grace_s: float = GRACE_S, settle_s: float = 0.0) -> Remains:
    """End a command and all it started; returns at once when nothing runs.

    settle_s: how long to wait for it to go by itself before the first signal.
    """
    told: set[tuple[int, int]] = set()
    with anyio.CancelScope(shield=True):
        if not await _emptied(kin, settle_s) and not await _press(kin, signal.SIGTERM, grace_s, told):
            await _press(kin, signal.SIGKILL, _PATIENCE_S, told)
    _sweep(kin)
    left = tuple(row.pid for row in living(kin)) if told else ()
    return Remains(ended=len({pid for pid, _ in told} - {kin.pid}), survivors=left)


async def end_orphans(*, grace_s: float = GRACE_S) -> int:
    """End what dead workers of this user left running; how many processes that were."""
    found = orphans()
    for row in found:
        await end(Kin(pid=row.pid, start=row.start, mark=""), grace_s=grace_s)
    return len(found)


async def _emptied(kin: Kin, seconds: float) -> bool:
    deadline = anyio.current_time() + seconds
    pause = 0.002
    while living(kin):
        if anyio.current_time() >= deadline:
            return False
        await anyio.sleep(pause)
        pause = min(pause * 2, 0.05)
    return True


async def _press(kin: Kin, number: signal.Signals, seconds: float, told: set[tuple[int, int]]) -> bool:
    """Signal every process once, newcomers too, until none is left; whether none is left."""
    heard: set[tuple[int, int]] = set()
    deadline = anyio.current_time() + seconds
    pause = 0.002
    while found := living(kin):
        fresh = [row for row in found if (row.pid, row.start) not in heard]
        heard.update((row.pid, row.start) for row in fresh)
        _send(kin, fresh, number)
        told |= heard
        if anyio.current_time() >= deadline:
            return False
        await anyio.sleep(pause)
        pause = min(pause * 2, 0.05)
    return True


def _sweep(kin: Kin) -> None:
    """Kill the group once more, for a process that forks and exits without pause.

    It is in no listing long enough to be seen, but cannot outrun a signal to its group.
    """
    now = table.row(kin.pid)
    if now is None or now.start == kin.start:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kin.pid, signal.SIGKILL)


def _send(kin: Kin, rows: list[table.Row], number: signal.Signals) -> None:
    if any(row.group == kin.pid for row in rows):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kin.pid, number)
    for row in rows:
        if row.group != kin.pid:
            send(row, number)


def send(row: table.Row, number: signal.Signals) -> None:
    """Signal that very process, and none that took over its number."""
    try:
        descriptor = os.pidfd_open(row.pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        descriptor = -1
    try:
        now = table.row(row.pid)
        if now is None or now.start != row.start:
            return
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(row.pid, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        if descriptor >= 0:
            os.close(descriptor)
