"""A session made of one generator of events: counting, cancelling and the last `Ended` are the same for every agent.

The consumer drives: nothing goes on between two events but what the consumer asks for, so an event can be written
down before its consequence happens, and a session that is over its budget makes no further request.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import anyio

from milepost.agents.session import Ended, ErrorKind, Event, SessionError, SessionSpec, Stop, ToolCall

_T = TypeVar("_T")


class Interrupted(Exception):
    """The session was cancelled while it waited."""


class SessionFailed(Exception):
    """The session cannot go on."""

    def __init__(self, error: SessionError | None, stop: Stop = Stop.ERROR) -> None:
        super().__init__(error.text if error else str(stop))
        self.error = error
        self.stop = stop


def failed(kind: ErrorKind, text: str, *, retry_after_s: float | None = None, model: str = "") -> SessionFailed:
    """The exception to raise for a failure; `text` is brought onto one line."""
    line = " ".join(text.split())
    return SessionFailed(SessionError(kind=kind, text=line[:500], retry_after_s=retry_after_s, model=model))


class Controls:
    """What a generator of events shares with its session: the cancel button, the steering, the count of requests."""

    def __init__(self) -> None:
        self.requests = 0
        self._cancelled = False
        self._scope: anyio.CancelScope | None = None
        self._steered: list[str] = []

    def cancel(self) -> None:
        """End what is waited for now, and everything after it."""
        self._cancelled = True
        if self._scope is not None:
            self._scope.cancel()

    def steer(self, text: str) -> None:
        """Keep `text` until the generator asks for it."""
        self._steered.append(text)

    def take_steering(self) -> list[str]:
        """The texts since the last time, in order; they are handed out once."""
        taken, self._steered = self._steered, []
        return taken

    async def clear(self, spec: SessionSpec) -> None:
        """Wait while a person holds the session (`SessionSpec.held`); what they say then is steering."""
        for text in await self.wait(spec.held):
            self.steer(text)

    async def wait(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Await `work()`; raises Interrupted as soon as the session is cancelled. Every wait of a session is one."""
        if self._cancelled:
            raise Interrupted
        with anyio.CancelScope() as scope:
            self._scope = scope
            try:
                return await work()
            finally:
                self._scope = None
        raise Interrupted


Drive = Callable[[Controls], AsyncGenerator[Event, None]]


class DrivenSession:
    """A `Session` on a generator that yields every event but the last."""

    def __init__(self, drive: Drive) -> None:
        self._controls = Controls()
        self._drive = drive
        self._events: AsyncGenerator[Event, None] | None = None

    def events(self) -> AsyncGenerator[Event, None]:
        """The events, in order. May be iterated once."""
        if self._events is not None:
            raise RuntimeError("the events of a session can be iterated once")
        self._events = self._run()
        return self._events

    async def steer(self, text: str) -> None:
        """Put `text` before the model at its next request."""
        self._controls.steer(text)

    async def cancel(self) -> None:
        """End the session soon."""
        self._controls.cancel()

    async def aclose(self) -> None:
        """End everything the session started; for leaving its context."""
        self._controls.cancel()
        if self._events is not None:
            await self._events.aclose()

    async def _run(self) -> AsyncGenerator[Event, None]:
        stop, error, tool_calls = Stop.END, None, 0
        try:
            async with aclosing(self._drive(self._controls)) as events:
                async for event in events:
                    tool_calls += isinstance(event, ToolCall)
                    yield event
        except Interrupted:
            stop = Stop.CANCELLED
        except SessionFailed as failure:
            stop, error = failure.stop, failure.error
        yield Ended(stop=stop, error=error, tool_calls=tool_calls, requests=self._controls.requests)
