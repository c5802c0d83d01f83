"""Drive one session to its end: journal what it costs, keep its transcript, end it when it must end.

The ceilings are watched in the middle of the unit, from the usage streams of all workers; `supervise` stands beside
and minds its time. Source: DESIGN rule 8, spec auto 5.10, 5.12.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
from anyio.abc import TaskGroup

from milepost.agents.session import Ended, Event, Session, SessionSpec, Stop, Text, ToolCall, ToolResult, Usage
from milepost.errors import MilepostError
from milepost.formats.journal import AnyEvent, SessionEnded
from milepost.rules import budget, supervision
from milepost.unit import billing, ceilings, held, spoken, supervise
from milepost.unit.bench import Bench
from milepost.unit.transcript import Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """How the session went; a hint about the work, never evidence of it."""

    ended: Ended
    over: budget.Refused | None = None
    """Set when the ceiling was passed in mid-unit and enforcement says to stop."""
    late: supervision.End | None = None
    """Set when its time was up: it was silent for too long, or took too long."""
    interrupted: bool = False
    last_words: str = ""

    @property
    def timed_out(self) -> bool:
        """Whether a time limit ended it."""
        return self.late is not None


class _Drive:
    """The state of one conversation while it runs."""

    def __init__(self, attempt: str, bench: Bench) -> None:
        self.attempt = attempt
        self.bench = bench
        self.ended: Ended | None = None
        self.over: budget.Refused | None = None
        self.words = ""
        self.tool_calls = self.requests = 0
        self.seen: tuple[AnyEvent, ...] = ()
        self.dearest = 0
        """Micro-USD of the request that cost most so far."""
        self.free = False
        """Whether the model that is asked is at a flat rate: it goes on spending nothing."""

    def note(self, event: Event) -> None:
        """Take in one event. What all workers spent is looked at after each request, and again before the next."""
        match event:
            case Text(text=text):
                self.words = (self.words + text)[-2_000:]
            case Usage():
                self._spend(event)
                self.free = event.flat
                self._look()
            case ToolResult():
                self._look()
            case Ended():
                self.ended = event
            case _:
                self.tool_calls += isinstance(event, ToolCall)
                self.words = self.words if self.words.endswith("\n") else self.words + "\n"
        self.bench.watcher.session_event(event)

    def _spend(self, usage: Usage) -> None:
        self.requests += 1
        self.dearest = max(self.dearest, usage.micro_usd or 0)
        line = billing.booked(usage, run=self.bench.run, attempt=self.attempt, at_ms=self.bench.now_ms())
        self.bench.journal.append(line)

    def may_ask(self) -> bool:
        """Whether one more request fits below the ceilings; it carries what was said before, so it may cost more."""
        if self.bench.ceilings and not self.free:
            self.over = ceilings.passed(self.bench.journal.everything(), self.bench, more=self.dearest * 3 // 2)
        return self.over is None

    def _look(self) -> None:
        if self.bench.ceilings and not self.free and (events := self.bench.journal.everything()) is not self.seen:
            self.seen = events
            self.over = ceilings.passed(events, self.bench)


async def converse(spec: SessionSpec, attempt: str, bench: Bench, transcript: Transcript) -> Conversation:
    """Run the session of one attempt to its end, whoever ends it.

    Raises what the disk raises (full, read-only); what providers and agents do wrong comes back as a value.
    """
    drive = _Drive(attempt, bench)
    supervisor = supervise.Supervisor(spec, attempt, bench, transcript)
    watched = spec._replace(may_ask=drive.may_ask, held=partial(held.stand, attempt, bench, transcript))
    async with bench.agent.open(watched) as session, ending_together() as tasks:
        tasks.start_soon(_cancel_when_asked, bench.stop, session, tasks.cancel_scope)
        tasks.start_soon(supervisor.watch, session, tasks.cancel_scope)
        tasks.start_soon(spoken.relay, session, attempt, bench)
        async for told in session.events():
            event = billing.billed(told, bench.preferences)
            transcript.add(event)
            drive.note(event)
            await supervisor.note(event, session)
            if drive.over is not None and drive.ended is None:
                break
    if supervisor.failure is not None:
        raise supervisor.failure
    ended = drive.ended or Ended(stop=Stop.CANCELLED, tool_calls=drive.tool_calls, requests=drive.requests)
    bench.journal.append(_closing(attempt, bench, ended))
    return Conversation(
        ended=ended,
        over=drive.over,
        late=supervisor.ended,
        interrupted=bench.stop.is_set() and ended.stop is not Stop.END,
        last_words=drive.words.strip(),
    )


@asynccontextmanager
async def ending_together() -> AsyncIterator[TaskGroup]:
    """A task group whose tasks end with the block, and which lets the block's own error out as it is."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        try:
            yield tasks
        except (MilepostError, OSError) as error:
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _cancel_when_asked(stop: anyio.Event, session: Session, talk: anyio.CancelScope) -> None:
    await stop.wait()
    await supervise.end(session, talk)


def _closing(attempt: str, bench: Bench, ended: Ended) -> SessionEnded:
    now, asked = bench.now_ms(), ended.error.retry_after_s if ended.error else None
    return SessionEnded(
        at_ms=now,
        run=bench.run,
        attempt=attempt,
        stop=str(ended.stop),
        requests=ended.requests,
        tool_calls=ended.tool_calls,
        error_kind=str(ended.error.kind) if ended.error else "",
        error=ended.error.text if ended.error else "",
        model=ended.error.model if ended.error else "",
        resume_at_ms=0 if asked is None else now + round(asked * 1000),
    )
