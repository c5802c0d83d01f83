"""What earlier attempts teach about tiers: a fold over the journal, so that no restart forgets any of it.

Only attempts in whose model the tier had a say are counted, per kind of unit and per kind and tag. A person's word
(`gsd rate`) counts twice. Source: spec auto 5.14 (adaptive, feedback).
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CapReset, Rated, Result
from milepost.model.units import Unit
from milepost.rules.complexity import Tier

LEAST: Final = 3
"""Outcomes before anything is concluded."""
TOO_MANY: Final = 0.2
"""Share of failures above which a tier is too low."""
WINDOW: Final = 50
"""Outcomes of one pattern at one tier; older ones fade."""
WEIGHT: Final = 2
"""How much a person's word counts."""
RATINGS: Final = 200
"""The latest ratings that count."""

FAILED: Final = frozenset({Result.UNFINISHED, Result.VERIFY_FAILED, Result.TIMED_OUT})
"""Endings that are the agent's: a stronger model may do better."""


class Count(NamedTuple):
    """Outcomes of one pattern at one tier."""

    success: int = 0
    fail: int = 0

    def plus(self, *, ok: bool, weight: int = 1) -> "Count":
        """One more outcome; the sum is scaled down to the window, rounded in favour of the new."""
        made = Count(self.success + weight * ok, self.fail + weight * (not ok))
        if (total := sum(made)) <= WINDOW:
            return made
        old = (made.fail if ok else made.success) * WINDOW // total
        return Count(WINDOW - old, old) if ok else Count(old, WINDOW - old)


Patterns = dict[str, dict[Tier, Count]]
"""`execute-task`, `execute-task:docs` → tier → outcomes."""


def patterns(events: Iterable[AnyEvent]) -> Patterns:
    """All outcomes and ratings so far."""
    events = tuple(events)
    counted = {id(event) for event in ratings(events)}
    begun: dict[str, AttemptStarted] = {}
    found: Patterns = {}
    for event in events:
        match event:
            case AttemptStarted() if event.routed:
                begun[event.attempt] = event
            case AttemptEnded() if event.attempt in begun and event.result in {*FAILED, Result.COMMITTED}:
                start = begun.pop(event.attempt)
                _add(found, start.kind, start.tags, _tier(start.tier), ok=event.result is Result.COMMITTED)
            case Rated() if id(event) in counted:
                tier = _tier(event.tier)
                tier = tier.down if event.rating == "over" else tier
                _add(found, event.kind, event.tags, tier, ok=event.rating != "under", weight=WEIGHT)
            case _:
                pass
    return found


def ratings(events: Iterable[AnyEvent]) -> tuple[Rated, ...]:
    """The ratings that count, oldest first."""
    return tuple(event for event in events if isinstance(event, Rated))[-RATINGS:]


def failing(known: Mapping[str, Mapping[Tier, Count]], kind: str, tags: Iterable[str], tier: Tier) -> bool:
    """Whether units like this one failed too often at this tier."""
    counts = (known.get(name, {}).get(tier, Count()) for name in (*(f"{kind}:{tag}" for tag in tags), kind))
    return any(sum(count) >= LEAST and count.fail / sum(count) > TOO_MANY for count in counts)


def floor(events: Iterable[AnyEvent], unit: Unit) -> Tier | None:
    """One tier above the highest at which this unit failed since it was last done, or counted afresh."""
    begun: dict[str, AttemptStarted] = {}
    highest: Tier | None = None
    for event in events:
        match event:
            case AttemptStarted() if event.kind == unit.type and event.unit == unit.id:
                begun[event.attempt] = event
            case AttemptEnded(attempt=attempt, result=result) if attempt in begun:
                if result is Result.COMMITTED:
                    highest = None
                elif result in FAILED and begun[attempt].tier:
                    risen = _tier(begun[attempt].tier).up
                    highest = risen if highest is None or risen.height > highest.height else highest
            case CapReset(unit=key) if key in (unit.key, "*"):
                highest = None
            case _:
                pass
    return highest


def _add(found: Patterns, kind: str, tags: Iterable[str], tier: Tier, *, ok: bool, weight: int = 1) -> None:
    for name in (kind, *(f"{kind}:{tag}" for tag in tags)):
        tiers = found.setdefault(name, {})
        tiers[tier] = tiers.get(tier, Count()).plus(ok=ok, weight=weight)


def _tier(text: str) -> Tier:
    return Tier(text) if text in set(Tier) else Tier.STANDARD
