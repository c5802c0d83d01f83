"""Let something be cut short by the run's stop."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from milepost.unit.converse import ending_together

_T = TypeVar("_T")


async def unless_stopped(stop: anyio.Event, work: Callable[[], Awaitable[_T]]) -> _T | None:
    """What `work` gives; None when `stop` was set before its end, and then it was cancelled first."""
    result: _T | None = None
    with anyio.CancelScope() as scope:
        async with ending_together() as tasks:
            tasks.start_soon(_cancel_when_asked, stop, scope)
            result = await work()
    return None if scope.cancelled_caught else result


async def _cancel_when_asked(stop: anyio.Event, scope: anyio.CancelScope) -> None:
    await stop.wait()
    scope.cancel()
