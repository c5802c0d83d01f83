"""Where a project stands, as one value that every display shows: state, what runs, what it cost, what waits.

A fold over the plan and the journal; the same numbers as `gsd headless query`. Source: DESIGN "People".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Landed, RunEnded, UsageReported
from milepost.model import money
from milepost.model.state import State
from milepost.model.words import counted
from milepost.rules import budget
from milepost.rules.dispatch import Decision, Dispatch


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
    tokens: int
    micro_usd: int | None


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
        tokens=sum(_tokens(e) for e in events if isinstance(e, UsageReported)),
        attempts=sum(isinstance(e, AttemptStarted) for e in events),
        last_run=ends[-1] if ends else None,
        # Merging once more what is merged says so again; the last word counts.
        landed=tuple({e.milestone: e for e in events if isinstance(e, Landed)}.values()),
        rows=by_kind(events),
    )


def by_kind(events: Sequence[AnyEvent]) -> tuple[Row, ...]:
    """Cost by kind of unit, in the order the kinds were first met."""
    kinds: dict[str, str] = {}
    usage: dict[str, list[UsageReported]] = {}
    committed: dict[str, int] = {}
    for event in events:
        match event:
            case AttemptStarted():
                kinds[event.attempt] = event.kind
            case UsageReported(attempt=attempt) if attempt in kinds:
                usage.setdefault(kinds[attempt], []).append(event)
            case AttemptEnded(attempt=attempt, commit=commit) if attempt in kinds and commit:
                committed[kinds[attempt]] = committed.get(kinds[attempt], 0) + 1
            case _:
                pass
    counts = list(kinds.values())
    return tuple(
        Row(
            kind=kind,
            attempts=counts.count(kind),
            committed=committed.get(kind, 0),
            tokens=sum(_tokens(u) for u in usage.get(kind, ())),
            micro_usd=_cost(usage.get(kind, [])),
        )
        for kind in dict.fromkeys(counts)
    )


def _tokens(usage: UsageReported) -> int:
    return usage.input + usage.output + usage.cache_read + usage.cache_write


def _cost(usage: Sequence[UsageReported]) -> int | None:
    prices = [u.micro_usd for u in usage]
    return None if any(p is None for p in prices) else sum(p for p in prices if p is not None)


def text(seen: Overview, program: str) -> str:
    """For a terminal."""
    state = seen.state
    lines = [f"Milestone  {_named(state.active_milestone)}", f"Slice      {_named(state.active_slice)}"]
    lines += [f"Task       {_named(state.active_task)}", f"Phase      {state.phase}"]
    lines += [f"Next       {_next(seen.next)}", f"Running    {seen.running or 'nothing'}"]
    lines += [f"Progress   {_progress(state)}", f"Cost       {_money(seen)}"]
    lines += [f"Blocked    {blocker}" for blocker in state.blockers]
    if seen.last_run and not seen.running:
        hint = f" — {seen.last_run.hint.replace('gsd ', f'{program} ')}" if seen.last_run.hint else ""
        lines.append(f"Last run   {seen.last_run.state}: {seen.last_run.reason}{hint}")
    lines += [f"Landed     {e.milestone} on {e.target} as {e.commit[:10]}{_push(e)}" for e in seen.landed]
    return "\n".join(lines) + "\n" + ("\n" + table(seen.rows) if seen.rows else "")


def table(rows: Sequence[Row]) -> str:
    """The cost table."""
    width = max(len(name) for name in ("unit", *(row.kind for row in rows)))
    lines = [f"{'unit'.ljust(width)}  attempts  done   tokens      cost"]
    lines += [
        f"{r.kind.ljust(width)}  {r.attempts:8d}  {r.committed:4d}  {money.show_tokens(r.tokens):>7}"
        f"  {money.show(r.micro_usd):>8}"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


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
