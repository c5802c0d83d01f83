"""Where a project stands, as one value that every display shows: state, what runs, what it cost, what waits.

A fold over the plan and the journal; the same numbers as `gsd headless query`. Source: DESIGN "People".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from milepost.formats.journal import AnyEvent, AttemptStarted, Landed, Result, RunEnded, UsageReported
from milepost.model import money
from milepost.model.state import State
from milepost.model.words import counted
from milepost.rules import budget
from milepost.rules.dispatch import Decision, Dispatch
from milepost.ui.views import spending
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
    ends = [e for e in events if isinstance(e, RunEnded)]
    return Overview(
        state=state,
        next=decision,
        running=running,
        books=budget.books(events, carried=carried),
        ceiling=ceiling,
        tokens=spending.total(e for e in events if isinstance(e, UsageReported)).tokens,
        attempts=sum(isinstance(e, AttemptStarted) for e in events),
        last_run=ends[-1] if ends else None,
        # Merging once more what is merged says so again; the last word counts.
        landed=tuple({e.milestone: e for e in events if isinstance(e, Landed)}.values()),
        rows=by_kind(events),
    )


def by_kind(events: Sequence[AnyEvent]) -> tuple[Row, ...]:
    """Cost by kind of unit, in the order the kinds were first met."""
    kinds: dict[str, list[spending.Attempt]] = {}
    for attempt in spending.attempts(events):
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
    width = max(len(name) for name in ("unit", *(row.kind for row in rows)))
    lines = [f"{'unit'.ljust(width)}  attempts  done   tokens      cost"]
    lines += [
        f"{r.kind.ljust(width)}  {r.attempts:8d}  {r.committed:4d}  {money.show_tokens(r.spent.tokens):>7}"
        f"  {_cost(r):>8}"
        for r in rows
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
