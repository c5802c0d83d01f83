"""What the journal says of each attempt at a unit, brought together: begin, money, session, gate, corrections, end.

A fold over the events of all writers; an event of any kind that names an attempt belongs to it. Source: DESIGN rule 10.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    Corrected,
    Result,
    RunEnded,
    SessionEnded,
    UsageReported,
    Verified,
    WorkerLost,
)

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt that began."""

    started: AttemptStarted
    facts: tuple[AnyEvent, ...]
    """Everything else that names it, oldest first."""
    before: "Attempt | None" = field(default=None, compare=False, repr=False)
    """The attempt at the same unit that came before it."""
    let_go_ms: int = 0
    """When the run that made it ended or was lost, while the attempt has no end of its own."""

    @property
    def id(self) -> str:
        """Its name."""
        return self.started.attempt

    @property
    def key(self) -> str:
        """`kind/unit id`."""
        return f"{self.started.kind}/{self.started.unit}"

    @property
    def named(self) -> str:
        """`execute-task M001/S01/T01`."""
        return f"{self.started.kind} {self.started.unit}"

    @property
    def milestone(self) -> str:
        """Whose work it is."""
        return self.started.unit.split("/")[0]

    @property
    def ended(self) -> AttemptEnded | None:
        """How it ended; None: it is open."""
        return _last(self.facts, AttemptEnded)

    @property
    def session(self) -> SessionEnded | None:
        """How its conversation ended."""
        return _last(self.facts, SessionEnded)

    @property
    def verified(self) -> Verified | None:
        """The gate's last word on it."""
        return _last(self.facts, Verified)

    @property
    def corrections(self) -> tuple[Corrected, ...]:
        """What was put right after it."""
        return tuple(fact for fact in self.facts if isinstance(fact, Corrected))

    @property
    def usage(self) -> tuple[UsageReported, ...]:
        """Its model requests."""
        return tuple(fact for fact in self.facts if isinstance(fact, UsageReported))

    @property
    def reserved(self) -> int:
        """Micro-USD that were set aside for it."""
        return sum(fact.micro_usd for fact in self.facts if isinstance(fact, BudgetReserved))

    @property
    def result(self) -> Result | None:
        """The word for its end; None: it is open."""
        return self.ended.result if self.ended else None

    @property
    def committed(self) -> bool:
        """Whether it brought a commit."""
        return self.result is Result.COMMITTED

    @property
    def tokens(self) -> int:
        """All four kinds together."""
        return sum(u.input + u.output + u.cache_read + u.cache_write for u in self.usage)

    @property
    def micro_usd(self) -> int:
        """What is known of its price; requests at a flat rate have none."""
        return sum(u.micro_usd or 0 for u in self.usage if not u.flat)

    @property
    def unpriced(self) -> int:
        """Requests whose price is not known."""
        return sum(u.micro_usd is None for u in self.usage if not u.flat)

    @property
    def heard_ms(self) -> int:
        """When it last said anything."""
        return max([self.started.at_ms, *(fact.at_ms for fact in self.facts)])

    @property
    def closed_by_another(self) -> bool:
        """Whether a later run wrote its end; its own process was gone by then."""
        return self.ended is not None and self.ended.run != self.started.run

    def end_ms(self, now_ms: int) -> int:
        """When it ended; of one that goes on: now; of one that was cut off: when it was last heard."""
        if self.ended is not None and not self.closed_by_another:
            return self.ended.at_ms
        if self.ended is None and not self.let_go_ms:
            return max(now_ms, self.started.at_ms)
        own = [fact.at_ms for fact in self.facts if fact.run == self.started.run]
        return max([self.started.at_ms, *own])

    def took_ms(self, now_ms: int) -> int:
        """How long it worked."""
        return self.end_ms(now_ms) - self.started.at_ms


def fold(events: Iterable[AnyEvent]) -> tuple[Attempt, ...]:
    """All attempts, in the order they began. Pure; never raises."""
    started: dict[str, AttemptStarted] = {}
    facts: dict[str, list[AnyEvent]] = {}
    over: dict[str, int] = {}
    for event in events:
        match event:
            case AttemptStarted():
                started.setdefault(event.attempt, event)
            case RunEnded():
                over[event.run] = event.at_ms
            case WorkerLost():
                over.setdefault(event.worker_run, event.at_ms)
            case _:
                facts.setdefault(getattr(event, "attempt", ""), []).append(event)
    return _chained(started, facts, over)


def of_units(attempts: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    """Attempts by the key of their unit, units in the order they were first tried."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.key, []).append(attempt)
    return found


def _chained(
    started: dict[str, AttemptStarted], facts: dict[str, list[AnyEvent]], over: dict[str, int]
) -> tuple[Attempt, ...]:
    latest: dict[str, Attempt] = {}
    made: list[Attempt] = []
    for name, begun in started.items():
        key = f"{begun.kind}/{begun.unit}"
        attempt = Attempt(
            started=begun,
            facts=tuple(facts.get(name, ())),
            before=latest.get(key),
            let_go_ms=over.get(begun.run, 0),
        )
        latest[key] = attempt
        made.append(attempt)
    return tuple(made)


def _last(facts: Sequence[AnyEvent], kind: type[_Kind]) -> _Kind | None:
    return next((fact for fact in reversed(facts) if isinstance(fact, kind)), None)


def open_attempts(events: Iterable[AnyEvent]) -> tuple[AttemptStarted, ...]:
    """Attempts without an end, oldest first."""
    found: dict[str, AttemptStarted] = {}
    for event in events:
        match event:
            case AttemptStarted():
                found[event.attempt] = event
            case AttemptEnded(attempt=attempt):
                found.pop(attempt, None)
            case _:
                pass
    return tuple(found.values())
