"""What the journal says was spent, what may still be, and whether one more attempt fits.

An open attempt counts at the larger of what it reserved and what it spent, so two processes never promise the
same money twice. A request without a price keeps its attempt's whole reservation counted. Source: DESIGN rule 8,
spec auto 5.12, parallel PR-141.
"""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetReserved,
    UsageReported,
)

LEVELS = (75, 80, 90, 100)
"""Percent of the ceiling that are announced once each (spec auto 5.12)."""

FIRST_ESTIMATE_MICRO_USD = 250_000
"""What a unit is taken to cost while its kind has no history; at most a tenth of the ceiling."""


class Books(NamedTuple):
    """Micro-USD, over all attempts."""

    spent: int
    """Known prices of requests made."""
    reserved: int
    """What open attempts may still spend beyond that, and what attempts without a price are counted at."""
    unpriced: int
    """Requests whose price is not known."""

    @property
    def committed(self) -> int:
        """What a ceiling is compared with."""
        return self.spent + self.reserved


class Refused(NamedTuple):
    """No more attempt may start: `committed + estimate` would pass `ceiling` (micro-USD)."""

    committed: int
    estimate: int
    ceiling: int


def books(events: Iterable[AnyEvent], *, carried: int = 0) -> Books:
    """Fold the journal. `carried`: micro-USD spent before the journal began (rows of other programs)."""
    reserved: dict[str, int] = {}
    spent: dict[str, int] = {}
    unpriced: dict[str, int] = {}
    ended: set[str] = set()
    for event in events:
        match event:
            case BudgetReserved(attempt=attempt, micro_usd=amount):
                reserved[attempt] = reserved.get(attempt, 0) + amount
            case UsageReported(attempt=attempt, micro_usd=None):
                unpriced[attempt] = unpriced.get(attempt, 0) + 1
            case UsageReported(attempt=attempt, micro_usd=int(amount)):
                spent[attempt] = spent.get(attempt, 0) + amount
            case AttemptEnded(attempt=attempt):
                ended.add(attempt)
            case _:
                pass
    held = sum(
        max(0, amount - spent.get(attempt, 0))
        for attempt, amount in reserved.items()
        if attempt not in ended or attempt in unpriced
    )
    return Books(spent=carried + sum(spent.values()), reserved=held, unpriced=sum(unpriced.values()))


def admit(now: Books, *, estimate: int, ceiling: int | None) -> Refused | None:
    """Whether an attempt that may cost `estimate` fits below `ceiling` (micro-USD; None: no limit)."""
    if ceiling is None or now.committed + estimate <= ceiling:
        return None
    return Refused(committed=now.committed, estimate=estimate, ceiling=ceiling)


def estimate(events: Iterable[AnyEvent], kind: str, *, ceiling: int | None) -> int:
    """Micro-USD an attempt of `kind` is expected to cost: the mean of those ended, else a first guess."""
    kinds: dict[str, str] = {}
    cost: dict[str, int] = {}
    ended: set[str] = set()
    for event in events:
        match event:
            case AttemptStarted(attempt=attempt, kind=of):
                kinds[attempt] = of
            case UsageReported(attempt=attempt, micro_usd=int(amount)):
                cost[attempt] = cost.get(attempt, 0) + amount
            case AttemptEnded(attempt=attempt):
                ended.add(attempt)
            case _:
                pass
    known = [cost[a] for a in ended if kinds.get(a) == kind and a in cost]
    if known:
        return sum(known) // len(known)
    return FIRST_ESTIMATE_MICRO_USD if ceiling is None else min(FIRST_ESTIMATE_MICRO_USD, ceiling // 10)


def crossed(now: Books, events: Iterable[AnyEvent], *, ceiling: int | None) -> int | None:
    """The highest level that is reached and was not announced for this ceiling yet; None when there is none."""
    if not ceiling:
        return None
    said = max(
        (e.percent for e in events if isinstance(e, BudgetAlerted) and e.ceiling_micro_usd == ceiling), default=0
    )
    reached = max((level for level in LEVELS if now.spent * 100 >= level * ceiling), default=0)
    return reached if reached > said else None
