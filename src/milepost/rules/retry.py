"""How often a unit was tried, over all restarts, and whether it may be tried again.

Counted from the journal per unit and fingerprint of its inputs; pause, resume, crash and restart reset nothing,
only changed inputs or a person's `--retry` do. Source: spec auto 8.1 rules 3 and 4, 5.6, 5.13.
"""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CapReset, Redone, Result
from milepost.model.units import ERRANDS, Unit

ATTEMPTS = 3
"""Attempts of one unit on the same inputs (spec auto 8.1 rule 4)."""

LIFETIME = 6
"""Attempts of one unit on any inputs (spec auto 5.6)."""

LATE = 2
"""Attempts of one unit on the same inputs that may run out of time: the first, and one that was told so."""

_FREE = frozenset({Result.INTERRUPTED, Result.OVER_BUDGET, Result.PROVIDER_ERROR, Result.INCONCLUSIVE})
"""Endings that say nothing about the unit; they are bounded where they arise."""


class History(NamedTuple):
    """The attempts at one unit so far."""

    total: int
    """Every attempt ever started."""
    same_input: int
    """Charged attempts on these inputs, failed gates apart."""
    gate_failures: int
    """Failed gates on these inputs."""
    lifetime: int
    """Charged attempts on any inputs since the last reset."""
    last: Result | None
    """How the latest ended; None: there was none, or it is open."""
    last_reason: str
    late: int = 0
    """Attempts on these inputs that ran out of time."""


class Capped(NamedTuple):
    """The unit may not be tried again until its inputs change or a person says so."""

    attempts: int
    reason: str
    late: bool = False
    """It ran out of time."""


def history(events: Iterable[AnyEvent], unit: Unit, fingerprint: str) -> History:
    """Fold the journal for one unit. Pure; never raises."""
    total = 0
    attempts: dict[str, AttemptStarted] = {}
    ends: dict[str, AttemptEnded] = {}
    for event in events:
        match event:
            case AttemptStarted() if event.kind == unit.type and event.unit == unit.id:
                total += 1
                attempts[event.attempt] = event
            case AttemptEnded(result=Result.COMMITTED) if unit.kind in ERRANDS and event.attempt in attempts:
                attempts, ends = {}, {}  # An errand comes again with new captures, or after the next run of its unit.
            case Redone(unit=key) if key == unit.key:
                attempts, ends = {}, {}  # A hook wants it done again; how often is the hook's cap.
            case AttemptEnded() if event.attempt in attempts:
                ends[event.attempt] = event
            case CapReset(unit=key) if key in (unit.key, "*"):
                attempts, ends = {}, {}
    charged = [a for a in attempts if a not in ends or ends[a].result not in _FREE]
    same = [a for a in charged if attempts[a].fingerprint == fingerprint]
    failed = [a for a in same if a in ends and ends[a].result is Result.VERIFY_FAILED]
    last = ends.get(next(reversed(attempts))) if attempts else None
    return History(
        total=total,
        same_input=len(same) - len(failed),
        gate_failures=len(failed),
        lifetime=len(charged),
        last=last.result if last else None,
        last_reason=last.reason if last else "",
        late=sum(1 for a in same if a in ends and ends[a].result is Result.TIMED_OUT),
    )


def capped(past: History, *, gate_retries: int) -> Capped | None:
    """Whether the unit has used up its attempts; None: it may start. `gate_retries`: after the first failure."""
    if past.gate_failures > gate_retries:
        return Capped(past.gate_failures, f"the gate failed {past.gate_failures} times")
    if past.late >= LATE:
        return Capped(past.late, f"ran out of time {past.late} times", late=True)
    if past.same_input >= ATTEMPTS:
        return Capped(past.same_input, f"tried {past.same_input} times on the same inputs without finishing")
    if past.lifetime >= max(LIFETIME, ATTEMPTS + gate_retries + 1):
        return Capped(past.lifetime, f"tried {past.lifetime} times in all")
    return None
