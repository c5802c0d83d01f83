"""Time as a session has it: seconds the machine was awake, and seconds it slept.

The wall clock is no part of it, so that nobody loses time when it is set. Source: field-reports #46.
"""

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """What supervision reads and waits by."""

    def now_s(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def slept_s(self) -> float:
        """Seconds the machine was suspended, since some moment; 0 where nobody can tell."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let so much of `now_s` pass."""
        ...


class Awake:
    """The event loop's own clock, which on Linux stands still while the machine is suspended."""

    def now_s(self) -> float:
        """As the event loop counts."""
        return anyio.current_time()

    def slept_s(self) -> float:
        """The lead of the clock that goes on in suspension over the one that does not."""
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        if boot is None:
            return 0.0
        return time.clock_gettime(boot) - time.clock_gettime(time.CLOCK_MONOTONIC)

    async def sleep(self, seconds: float) -> None:
        """As the event loop does."""
        await anyio.sleep(seconds)
