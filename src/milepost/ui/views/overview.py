"""Where a project stands, as one value that every display shows: state, what runs, what it cost, what waits.

A fold over the plan and the journal; the same numbers as `gsd headless query`. Source: DESIGN "People".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from milepost.formats.journal import (
    AnyEvent,
    AttemptStarted,
    Landed,
    Result,
    RunEnded,
    RunStarted,
    Undone,
    UsageReported,
)
from milepost.model import money
from milepost.model.state import State
from milepost.model.words import counted
from milepost.model.work import is_quick
from milepost.rules import budget
from milepost.rules.dispatch import Decision, Dispatch
from milepost.rules.quick import QUICK
from milepost.ui.views import spending
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.spending import Spent
from milepost.ui.views.story import LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One moment of a project."""

    state: State
    next: Decision
    running: str
    """`pid 4711: execute-task M001/S01/T01, since 12:04:11`; empty when nothing runs."""
    books: budget.Books
    ceiling: int | None
    """Micro-USD; None: no limit."""
    tokens: int
    attempts: int
    last_run: RunEnded | None
    landed: tuple[Landed, ...]
    rows: tuple["Row", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one kind of unit took so far."""

    kind: str
    attempts: int
    committed: int
    spent: Spent

    @property
    def micro_usd(self) -> int | None:
        """None: what it cost is not known."""
        return None if self.spent.unpriced else self.spent.micro_usd


def overview(
    state: State, decision: Decision, events: Sequence[AnyEvent], *, running: str, ceiling: int | None, carried: int
) -> Overview:
    """Fold. Pure."""
    return Overview(
        state=state,
        next=decision,
        running=running,
        books=budget.books(events, carried=carried),
        ceiling=ceiling,
        tokens=spending.total(e for e in events if isinstance(e, UsageReported)).tokens,
        attempts=sum(isinstance(e, AttemptStarted) for e in events),
        last_run=_last_run(events, bool(running)),
        landed=landed(events),
        rows=by_kind(spending.attempts(events)),
    )


def landed(events: Sequence[AnyEvent]) -> tuple[Landed, ...]:
    """Milestones that are on their branch: the last word on each counts, and what was taken back out is gone.

    Quick tasks are many and small, and have a list of their own.
    """
    found: dict[str, Landed] = {}
    for event in events:
        if isinstance(event, Landed) and not is_quick(event.milestone):
            found[event.milestone] = event
        elif isinstance(event, Undone):
            found.pop(event.milestone, None)
    return tuple(found.values())


def _last_run(events: Sequence[AnyEvent], running: bool) -> RunEnded | None:
    """How the last run ended; one that is gone without a word crashed, and what ended before it is not the last."""
    ends = [e for e in events if isinstance(e, RunEnded)]
    ended = {e.run for e in ends}
    begun = [e for e in events if isinstance(e, RunStarted) and not e.milestone and e.run not in ended]
    if running or not begun or (ends and begun[-1].at_ms < ends[-1].at_ms):
        return ends[-1] if ends else None
    gone = begun[-1]
    reason = f"pid {gone.pid} is gone without a last word"
    hint = f"gsd {'quick' if gone.command == QUICK else 'auto'} settles what it left, and goes on."
    return RunEnded(at_ms=gone.at_ms, run=gone.run, state="crashed", reason=reason, hint=hint)


def by_kind(attempts: Iterable[spending.Attempt]) -> tuple[Row, ...]:
    """Cost by kind of unit, in the order the kinds were first met."""
    kinds: dict[str, list[spending.Attempt]] = {}
    for attempt in attempts:
        if attempt.kind:
            kinds.setdefault(attempt.kind, []).append(attempt)
    return tuple(
        Row(
            kind=kind,
            attempts=len(made),
            committed=sum(attempt.result == Result.COMMITTED for attempt in made),
            spent=spending.whole(made),
        )
        for kind, made in kinds.items()
    )


def text(seen: Overview, program: str) -> str:
    """For a terminal."""
    lines = [f"{label.ljust(LABEL)}{words}" for label, words in facts(seen, program)]
    return "\n".join(lines) + "\n" + ("\n" + table(seen.rows) if seen.rows else "")


def facts(seen: Overview, program: str) -> list[tuple[str, str]]:
    """Label and words, one line each."""
    state = seen.state
    rows = [("Milestone", _named(state.active_milestone)), ("Slice", _named(state.active_slice))]
    rows += [("Task", _named(state.active_task)), ("Phase", str(state.phase))]
    rows += [("Next", _next(seen.next)), ("Running", seen.running or "nothing")]
    rows += [("Progress", _progress(state)), ("Cost", _money(seen))]
    rows += [("Blocked", blocker) for blocker in state.blockers]
    if seen.last_run and not seen.running:
        hint = f" — {seen.last_run.hint.replace('gsd ', f'{program} ')}" if seen.last_run.hint else ""
        rows.append(("Last run", f"{seen.last_run.state}: {seen.last_run.reason}{hint}"))
    rows += [("Landed", f"{e.milestone} on {e.target} as {e.commit[:10]}{_push(e)}") for e in seen.landed]
    return rows


def table(rows: Sequence[Row]) -> str:
    """The cost table."""
    names = [plain(row.kind) for row in rows]
    width = max(map(len, ("unit", *names)))
    lines = [f"{'unit'.ljust(width)}  attempts  done   tokens      cost"]
    lines += [
        f"{name.ljust(width)}  {r.attempts:8d}  {r.committed:4d}  {money.show_tokens(r.spent.tokens):>7}  {_cost(r):>8}"
        for name, r in zip(names, rows, strict=True)
    ]
    return "\n".join(lines) + "\n"


def _cost(row: Row) -> str:
    flat = row.spent.flat and row.spent.flat == row.spent.requests
    return "flat" if flat else money.show(row.micro_usd)


def _named(ref: object) -> str:
    return f"{ref[0]}: {ref[1]}" if isinstance(ref, tuple) else "none"


def _next(decision: Decision) -> str:
    if isinstance(decision, Dispatch):
        return str(decision.unit)
    return decision.reason


def _progress(state: State) -> str:
    parts = [("milestones", state.progress.milestones), ("slices", state.progress.slices)]
    parts.append(("tasks", state.progress.tasks))
    return ", ".join(f"{tally.done}/{tally.total} {name}" for name, tally in parts if tally is not None)


def _money(seen: Overview) -> str:
    attempts = counted(seen.attempts, "attempt")
    spent = f"{money.show(seen.books.spent)} in {attempts}, {money.show_tokens(seen.tokens)} tokens"
    if seen.books.unpriced:
        spent += f", {counted(seen.books.unpriced, 'request')} of unknown price"
    if seen.ceiling is not None:
        left = max(0, seen.ceiling - seen.books.committed)
        spent += f"; {money.show(seen.books.reserved)} reserved, {money.show(left)} left of {money.show(seen.ceiling)}"
    return spent


def _push(landed: Landed) -> str:
    if landed.push_error:
        return f" (NOT pushed: {landed.push_error})"
    return " (pushed)" if landed.pushed else ""
