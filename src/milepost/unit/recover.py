"""At the start of a run: finish or close every attempt that the journal left open. Only then may anybody derive.

Work that is on disk is settled (verified, ticked, committed) without paying for it again; an attempt that left
nothing usable is closed as crashed, and what its transcript shows goes into the briefing of the next one.
Source: DESIGN rules 2 and 10, style R7, spec auto 5.7.
"""

from collections.abc import Sequence

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, BudgetReserved, Result
from milepost.model.outcome import Outcome, Unfinished
from milepost.model.units import Unit, of_type
from milepost.rules.attempts import open_attempts
from milepost.store.journal import Journal
from milepost.unit import before as books_before
from milepost.unit import session
from milepost.unit.bench import Bench
from milepost.unit.transaction import Attempt, close, committed, settle


def free_reservations(events: Sequence[AnyEvent], journal: Journal, *, run: str, at_ms: int) -> tuple[str, ...]:
    """Close attempts that reserved money and died before they began, so that the money can be spent; which they were.

    events: what the caller may speak for, everything when it alone holds the project.
    """
    known = {e.attempt for e in events if isinstance(e, AttemptStarted | AttemptEnded)}
    lost = [e.attempt for e in events if isinstance(e, BudgetReserved) and e.attempt not in known]
    for attempt in dict.fromkeys(lost):
        reason = "it died before its session began"
        journal.append(AttemptEnded(at_ms=at_ms, run=run, attempt=attempt, result=Result.CRASHED, reason=reason))
    return tuple(dict.fromkeys(lost))


async def recover(bench: Bench) -> tuple[tuple[Unit, Outcome], ...]:
    """Settle what is open. Returns each unit with how it ended; nothing open, nothing returned."""
    settled: list[tuple[Unit, Outcome]] = []
    for started in open_attempts(bench.journal.own()):
        unit = of_type(started.kind, started.unit)
        attempt = Attempt(id=started.attempt, unit=unit, base=started.base, number=started.number)
        outcome = committed(attempt, bench) or await settle(attempt, bench)
        if isinstance(outcome, Unfinished):
            _end_as_crashed(attempt, "\n".join(outcome.missing), bench)
        else:
            close(attempt, outcome, bench)
        bench.watcher.note(f"recovered {unit}: {_words(outcome)}")
        settled.append((unit, outcome))
    return tuple(settled)


def _end_as_crashed(attempt: Attempt, reason: str, bench: Bench) -> None:
    bench.journal.append(
        AttemptEnded(at_ms=bench.now_ms(), run=bench.run, attempt=attempt.id, result=Result.CRASHED, reason=reason)
    )
    books_before.drop(bench.workspace.root_state, attempt.id)
    session.publish(attempt.unit, bench)


def _words(outcome: Outcome) -> str:
    if isinstance(outcome, Unfinished):
        return "nothing usable was left; it is done again"
    return type(outcome).__name__.lower()
