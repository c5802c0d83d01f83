"""From signals to an orderly stop. Source: parallel PR-102, PR-104; issue "Commands"."""

import os
import signal

import anyio

from milepost.errors import ExitCode
from milepost.worker.shift import Shift


async def stop_on_signal(shift: Shift) -> None:
    """The first signal ends the unit in flight; another interrupt leaves at once, and the next start recovers.

    A stop order to a worker comes with a signal, and whoever is impatient sends more of them: these change nothing.
    Without a terminal nothing hangs up.
    """
    known = set[int]()
    deaf = shift.lock is not None and not _has_terminal()
    with anyio.open_signal_receiver(*_heard()) as heard:
        async for number in heard:
            if deaf and number == signal.SIGHUP:
                continue
            if known and (shift.lock is None or number == signal.SIGINT in known):
                os._exit(ExitCode.INTERRUPTED)
            known.add(number)
            shift.stop.set()


def _heard() -> tuple[signal.Signals, ...]:
    """The signals that end a run. `nohup` means what it says."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
