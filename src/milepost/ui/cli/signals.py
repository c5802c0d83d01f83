"""From signals to an orderly stop. Source: parallel PR-102, PR-104; issue "Commands"."""

import os
import signal
from collections.abc import Sequence

import anyio
from anyio.abc import TaskStatus

from milepost.errors import ExitCode
from milepost.worker.shift import Shift


def held_back() -> list[int]:
    """From here on SIGTERM is only noted, in the list, until somebody listens: a worker never dies without a word."""
    caught: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: caught.append(number))
    # Whoever starts a worker may block it from before the start until here.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return caught


async def stop_on_signal(
    shift: Shift, caught: Sequence[int] = (), *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """The first signal ends the unit in flight; another interrupt leaves at once, and the next start recovers.

    A stop order to a worker comes with a signal, and whoever is impatient sends more of them: these change nothing.
    Without a terminal nothing hangs up. caught: signals that came before. It has started when it listens.
    """
    known = set[int]()
    deaf = shift.lock is not None and not _has_terminal()
    with anyio.open_signal_receiver(*_heard()) as heard:
        task_status.started()
        if caught:
            shift.stop.set()
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
