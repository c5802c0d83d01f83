"""Panic: kill coordinator, workers and merges now, with everything they started, and touch nothing else.

No grace, no order to wait for, nothing in git. What was in flight is settled by the next start, as after any crash.
Only processes whose identity is proved are killed. Source: issue "Signals"; FM-09, FM-13.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from milepost.fleet import orders, processes
from milepost.fleet.processes import Role, Runner
from milepost.formats.signal import Order
from milepost.process import kin, ladder, table

ORDER: Final = "panic"
_PATIENCE_S: Final = 3.0
"""How long a killed process may take to go; only one stuck in the kernel needs it."""
_PAUSE_S = 0.005
_SECOND_LOOK_S: Final = 0.25
"""A merge that waited for its turn takes it this soon, and shows itself by that."""


_Process = tuple[int, int]
"""Pid and start: one process for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panicked:
    """What was done."""

    killed: tuple[Runner, ...]
    processes: int
    """All that were killed, those and what they had started."""
    after_ms: int
    """Until the last of them was gone."""
    survivors: tuple[int, ...] = ()
    """Pids that outlived SIGKILL; normally none."""
    unreachable: tuple[Runner, ...] = ()
    """They live, and nothing proves which process it is, or they are on another host."""
    unwritten: OSError | None = None
    """Why it could not be written down (a full disk); a coordinator may then start workers again."""


def panic(state: Path, milestones: Sequence[str], *, sender: str, run: str, now_ms: Callable[[], int]) -> Panicked:
    """Kill. milestones: empty for everything of the project's fleet."""
    began = time.monotonic()
    only = milestones or None
    found = processes.runners(state, only)
    unwritten = _written(state, milestones, sender, run, now_ms()) if found or milestones else None
    killed: set[_Process] = set()
    known: dict[_Process, Runner] = {}
    last = began
    while found:
        reached = [runner for runner in found if runner.kin is not None]
        known |= {(runner.kin.pid, runner.kin.start): runner for runner in reached if runner.kin}
        # The coordinator first: it would start again what ends.
        for runner in sorted(reached, key=lambda runner: runner.role is not Role.COORDINATOR):
            killed |= _kill(runner)
        last = time.monotonic() if reached else last
        time.sleep(_SECOND_LOOK_S)
        again = processes.runners(state, only)
        found = again if time.monotonic() - began < _PATIENCE_S else ()
    return Panicked(
        killed=tuple(runner for process, runner in known.items() if process in killed),
        processes=len(killed),
        after_ms=int((last - began) * 1000),
        survivors=tuple(pid for pid, start in killed if _there(pid, start)),
        unreachable=tuple(runner for runner in processes.runners(state, only) if runner.kin is None),
        unwritten=unwritten,
    )


def _written(state: Path, milestones: Sequence[str], sender: str, run: str, at_ms: int) -> OSError | None:
    """Write it down first, so that no coordinator starts again what is killed; a full disk must not delay it."""
    try:
        for order in (ORDER, Order.STOP):
            orders.write_down(state, order, milestones, sender=sender, run=run, now_ms=at_ms)
    except OSError as error:
        return error
    return None


def _kill(runner: Runner) -> set[_Process]:
    """Kill a process and its kin until none is left, newcomers too."""
    killed: set[_Process] = set()
    deadline = time.monotonic() + _PATIENCE_S
    while runner.kin is not None and (rows := kin.living(runner.kin)) and time.monotonic() < deadline:
        _signal(runner.kin.pid, rows)
        killed |= {(row.pid, row.start) for row in rows}
        time.sleep(_PAUSE_S)
    return killed


def _signal(group: int, rows: Sequence[table.Row]) -> None:
    """The group at once, which nothing in it can outrun, then one by one what left it."""
    if any(row.group == group for row in rows):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for row in rows:
        if row.group != group:
            ladder.send(row, signal.SIGKILL)


def _there(pid: int, start: int) -> bool:
    found = table.row(pid)
    return found is not None and found.start == start and found.state not in table.GONE
