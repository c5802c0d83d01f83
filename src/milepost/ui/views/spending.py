"""What the project cost, by phase, slice, model, tier, unit, day or agent: the one fold of the journal's requests.

Every request of the journal is in exactly one row of each table, so the rows of any table add up to the total. What
was asked beside the work (`model.asides`) is a phase of its own, and of the slice whose session it is about.
A request whose price nobody knows is counted as such and never as $0; one at a flat rate costs tokens and no money.
Source: spec auto 5.12, parallel PR-242.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from itertools import chain
from typing import Final

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.model import asides, money
from milepost.model.words import counted
from milepost.rules.quick import QUICK

PHASES: Final = ("research", "planning", "execution", "completion", "reassessment", QUICK, *asides.KINDS)
"""In the order in which they are shown."""

_UNKNOWN: Final = "unknown"
_NONE: Final = "none"
"""What was asked beside the work has no tier, and of the whole project no slice."""
TIERS: Final = ("light", "standard", "heavy", _NONE, _UNKNOWN)
"""In the order in which they are shown."""
_ENDED: Final = "ended"


class By(StrEnum):
    """What a table is made by."""

    PHASE = "phase"
    SLICE = "slice"
    MODEL = "model"
    TIER = "tier"
    UNIT = "unit"
    DAY = "day"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Requests added up."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    micro_usd: int = 0
    """Of the requests whose price is known."""
    unpriced: int = 0
    """Requests whose price is not known."""
    flat: int = 0
    """Requests at a flat rate."""
    flat_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All of them, cached ones too."""
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            requests=self.requests + other.requests,
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            micro_usd=self.micro_usd + other.micro_usd,
            unpriced=self.unpriced + other.unpriced,
            flat=self.flat + other.flat,
            flat_tokens=self.flat_tokens + other.flat_tokens,
        )


NOTHING: Final = Spent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One session of one unit, and what it took."""

    id: str
    kind: str
    """Unit type, or what was asked beside the work; empty when the journal does not know how it began."""
    unit: str
    number: int
    agent: str
    tier: str
    models: tuple[str, ...]
    """In the order they were first asked."""
    started_ms: int
    """Epoch milliseconds."""
    ended_ms: int | None
    """None: it is at work, or a crash left it open."""
    result: str
    """`Result`; `running` for one that is not closed, `ended` for what commits nothing in any case."""
    reason: str
    spent: Spent
    requests: tuple[UsageReported, ...]

    @property
    def failed(self) -> bool:
        """Closed without a commit."""
        return self.ended_ms is not None and self.result not in (Result.COMMITTED, _ENDED)

    @property
    def beside(self) -> bool:
        """Whether it was asked beside the work, and is no attempt at a unit."""
        return self.kind in asides.KINDS

    @property
    def milestone(self) -> str:
        """The milestone's id."""
        return self.unit.split("/")[0]

    @property
    def duration_ms(self) -> int | None:
        """None while it is open."""
        return None if self.ended_ms is None else max(0, self.ended_ms - self.started_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table."""

    name: str
    attempts: int
    """Attempts with at least one request in this row; one that asked two models is in two rows."""
    spent: Spent


def attempts(events: Iterable[AnyEvent]) -> tuple[Attempt, ...]:
    """Every attempt, in the order they began; also one whose beginning was lost and whose requests are there."""
    started: dict[str, AttemptStarted] = {}
    usage: dict[str, list[UsageReported]] = {}
    ends: dict[str, AttemptEnded] = {}
    order: dict[str, None] = {}
    for event in events:
        match event:
            case AttemptStarted():
                started[event.attempt] = event
                order.setdefault(event.attempt)
            case UsageReported():
                usage.setdefault(event.attempt, []).append(event)
                order.setdefault(event.attempt)
            case AttemptEnded():
                ends[event.attempt] = event
            case _:
                pass
    return tuple(_attempt(name, started, tuple(usage.get(name, ())), ends.get(name)) for name in order)


def of_milestone(events: Iterable[AnyEvent], milestone: str) -> tuple[Attempt, ...]:
    """Those of one milestone, with what was asked about its sessions; empty: all."""
    return tuple(attempt for attempt in attempts(events) if milestone in ("", attempt.milestone))


def _attempt(
    name: str, started: Mapping[str, AttemptStarted], asked: tuple[UsageReported, ...], end: AttemptEnded | None
) -> Attempt:
    begun, aside = started.get(name), asides.of(name)
    # The same agent is asked what it learnt.
    whose = started.get(aside.about) if aside else begun
    return Attempt(
        id=name,
        kind=aside.kind if aside else begun.kind if begun else "",
        unit=whose.unit if whose else "",
        number=begun.number if begun else 0,
        agent=whose.agent if whose else "",
        tier=_NONE if aside else begun.tier if begun else "",
        models=tuple(dict.fromkeys(u.model for u in asked)),
        started_ms=begun.at_ms if begun else min(u.at_ms for u in asked),
        ended_ms=end.at_ms if end else None,
        result="running" if end is None else _ENDED if aside else str(end.result),
        reason=end.reason if end else "",
        spent=total(asked),
        requests=asked,
    )


def total(requests: Iterable[UsageReported]) -> Spent:
    """Requests added up."""
    seen = list(requests)
    flat = [u for u in seen if u.flat]
    return Spent(
        requests=len(seen),
        input=sum(u.input for u in seen),
        output=sum(u.output for u in seen),
        cache_read=sum(u.cache_read for u in seen),
        cache_write=sum(u.cache_write for u in seen),
        micro_usd=sum(u.micro_usd or 0 for u in seen if not u.flat),
        unpriced=sum(u.micro_usd is None for u in seen if not u.flat),
        flat=len(flat),
        flat_tokens=sum(u.input + u.output + u.cache_read + u.cache_write for u in flat),
    )


def whole(found: Sequence[Attempt]) -> Spent:
    """All attempts together; what the rows of each table add up to."""
    return total(chain.from_iterable(attempt.requests for attempt in found))


def table(found: Sequence[Attempt], by: By, *, zone: tzinfo | None = None) -> tuple[Row, ...]:
    """The rows of one table, without empty ones, in the order of spec auto 5.12.

    zone: where a day begins and ends; None: the machine's local time.
    """
    named: dict[str, list[UsageReported]] = {}
    who: dict[str, set[str]] = {}
    for attempt in found:
        for request in attempt.requests:
            name = _name(attempt, request, by, zone)
            named.setdefault(name, []).append(request)
            who.setdefault(name, set()).add(attempt.id)
    rows = [Row(name=name, attempts=len(who[name]), spent=total(asked)) for name, asked in named.items()]
    return tuple(sorted(rows, key=_ORDER[by]))


def phase(kind: str) -> str:
    """The phase that a unit type is booked under (spec auto 5.12)."""
    if kind == QUICK or kind in asides.KINDS:
        return kind
    if kind == "reassess-roadmap":
        return "reassessment"
    if kind == "complete-slice":
        return "completion"
    return {"research": "research", "plan": "planning"}.get(kind.split("-")[0], "execution")


def slice_of(unit: str) -> str:
    """`MID/SID`, or `MID` for a unit of a whole milestone."""
    return "/".join(unit.split("/")[:2]) or _UNKNOWN


def show(spent: Spent) -> str:
    """The money in words: `$1.25`, `$1.25 and 2 requests of unknown price`, `flat rate: 1.20M tokens`."""
    paid = spent.requests - spent.unpriced - spent.flat
    parts = [money.show(spent.micro_usd)] if paid or not spent.requests else []
    if spent.unpriced:
        parts.append(f"{counted(spent.unpriced, 'request')} of unknown price")
    if spent.flat:
        parts.append(f"flat rate: {money.show_tokens(spent.flat_tokens)} tokens")
    return " and ".join(parts)


def day_of(at_ms: int, zone: tzinfo | None = None) -> str:
    """`2026-11-20`, in `zone` or in local time."""
    return datetime.fromtimestamp(at_ms / 1000, tz=zone).date().isoformat()


def _name(attempt: Attempt, request: UsageReported, by: By, zone: tzinfo | None) -> str:
    match by:
        case By.PHASE:
            return phase(attempt.kind)
        case By.SLICE:
            return _NONE if attempt.beside and not attempt.unit else slice_of(attempt.unit)
        case By.MODEL:
            return request.model or _UNKNOWN
        case By.TIER:
            return attempt.tier if attempt.tier in TIERS else _UNKNOWN
        case By.UNIT:
            return f"{attempt.kind} {attempt.unit}".strip() or _UNKNOWN
        case By.DAY:
            return day_of(request.at_ms, zone)
        case By.AGENT:
            return attempt.agent or _UNKNOWN


_ORDER: Final[dict[By, Callable[[Row], tuple[object, ...]]]] = {
    By.PHASE: lambda row: (PHASES.index(row.name),),
    By.SLICE: lambda row: (row.name,),
    By.MODEL: lambda row: (-row.spent.micro_usd, -row.spent.tokens, row.name),
    By.TIER: lambda row: (TIERS.index(row.name),),
    By.UNIT: lambda row: (-row.spent.micro_usd, -row.spent.tokens, row.name),
    By.DAY: lambda row: (row.name,),
    By.AGENT: lambda row: (-row.spent.micro_usd, -row.spent.tokens, row.name),
}
