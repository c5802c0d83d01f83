"""`gsd next --dry-run`: what would be done next, what such units took so far, and the money that is left.

Source: spec auto 7 (next).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from milepost.model import money
from milepost.model.state import Phase, State
from milepost.model.words import counted
from milepost.rules import projection
from milepost.rules.dispatch import Decision, Dispatch
from milepost.rules.projection import Projection
from milepost.ui.views import spending
from milepost.ui.views.spans import ago
from milepost.ui.views.spending import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What would happen now."""

    state: State
    next: Decision
    like_it: tuple[Attempt, ...]
    """Closed attempts at units of the same type."""
    spent: int
    """Micro-USD of the whole project."""
    left: int | None
    """Micro-USD; None: there is no ceiling."""
    ceiling: int | None
    projection: Projection | None
    waits: str = ""
    """Why it would not start at once; empty: it would."""

    @property
    def mean_cost(self) -> int | None:
        """Micro-USD that such an attempt cost; None: no attempt whose price is known."""
        known = [a.spent.micro_usd for a in self.like_it if a.spent.requests and not a.spent.unpriced + a.spent.flat]
        return sum(known) // len(known) if known else None

    @property
    def mean_ms(self) -> int | None:
        """How long such an attempt took."""
        took = [a.duration_ms for a in self.like_it if a.duration_ms is not None]
        return sum(took) // len(took) if took else None


def like(attempts: Sequence[Attempt], decision: Decision) -> tuple[Attempt, ...]:
    """The attempts at units of the type that is decided."""
    kind = decision.unit.kind if isinstance(decision, Dispatch) else ""
    return tuple(attempt for attempt in attempts if attempt.kind == kind and attempt.ended_ms is not None)


def text(seen: Outlook) -> str:
    """For a terminal."""
    lines = [f"Next       {_next(seen)}", f"Phase      {seen.state.phase}"]
    if isinstance(seen.next, Dispatch):
        lines.append(f"Usually    {_usually(seen)}")
    if seen.waits:
        lines.append(f"Waits      {seen.waits}")
    lines.append(f"Spent      {money.show(seen.spent)}")
    if seen.ceiling is not None and seen.left is not None:
        lines.append(f"Budget     {money.show(seen.left)} left of {money.show(seen.ceiling)}")
    lines.append(f"Progress   {_progress(seen.state)}")
    if seen.projection is not None:
        lines += projection.lines(seen.projection, spent=seen.spent, ceiling=seen.ceiling)
    return "\n".join(lines) + "\n"


def document(seen: Outlook) -> dict[str, object]:
    """The same for programs: money in USD, times in milliseconds; null is not known."""
    found = seen.next
    return {
        "action": "dispatch" if isinstance(found, Dispatch) else "stop",
        "unitType": str(found.unit.kind) if isinstance(found, Dispatch) else None,
        "unitId": found.unit.id if isinstance(found, Dispatch) else None,
        "reason": None if isinstance(found, Dispatch) else found.reason,
        "waits": seen.waits or None,
        "phase": str(seen.state.phase),
        "averageCost": None if seen.mean_cost is None else money.to_usd(seen.mean_cost),
        "averageDurationMs": seen.mean_ms,
        "attemptsOfItsType": len(seen.like_it),
        "spent": money.to_usd(seen.spent),
        "left": None if seen.left is None else money.to_usd(seen.left),
        "ceiling": None if seen.ceiling is None else money.to_usd(seen.ceiling),
        "progress": {
            name: None if tally is None else {"done": tally.done, "total": tally.total}
            for name, tally in seen.state.progress._asdict().items()
        },
    }


def _next(seen: Outlook) -> str:
    if isinstance(seen.next, Dispatch):
        return str(seen.next.unit)
    return "nothing: " + ("everything is done" if seen.state.phase is Phase.COMPLETE else seen.next.reason)


def _usually(seen: Outlook) -> str:
    if seen.mean_ms is None:
        return "not known: no unit of this type was done yet"
    cost = "unknown cost" if seen.mean_cost is None else money.show(seen.mean_cost)
    spent = sum((a.spent for a in seen.like_it), spending.NOTHING)
    tokens = money.show_tokens(spent.tokens // len(seen.like_it))
    return f"{cost}, {tokens} tokens and {ago(seen.mean_ms)}, on average of {counted(len(seen.like_it), 'attempt')}"


def _progress(state: State) -> str:
    found = state.progress._asdict().items()
    return ", ".join(f"{tally.done}/{tally.total} {name}" for name, tally in found if tally is not None)
