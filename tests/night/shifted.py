"""`gsd` on a machine whose clock a test sets: `python -m night.shifted headless auto`.

The wall clock and the clock that goes on while the machine sleeps are as many milliseconds ahead as the file says that
`NIGHT_CLOCK` names; the clock that stands still in a sleep is left as it is. That is what a suspended Linux shows.
"""

import os
import time
from pathlib import Path

FILE = "NIGHT_CLOCK"

_time_ns, _clock_gettime, _clock_gettime_ns = time.time_ns, time.clock_gettime, time.clock_gettime_ns


def ahead_ns() -> int:
    """How much the clock is ahead."""
    try:
        return int(Path(os.environ[FILE]).read_text() or "0") * 1_000_000
    except OSError:
        return 0


def install() -> None:
    """For this process, before anything else is imported."""
    moved = (time.CLOCK_REALTIME, time.CLOCK_BOOTTIME)
    time.time_ns = lambda: _time_ns() + ahead_ns()  # type: ignore[assignment]
    time.time = lambda: (_time_ns() + ahead_ns()) / 1e9  # type: ignore[assignment]
    time.clock_gettime = lambda clock: _clock_gettime(clock) + (ahead_ns() / 1e9 if clock in moved else 0)  # type: ignore[assignment]
    time.clock_gettime_ns = lambda clock: _clock_gettime_ns(clock) + (ahead_ns() if clock in moved else 0)  # type: ignore[assignment]


if __name__ == "__main__":
    install()
    from milepost.ui.cli.main import gsd

    gsd()
