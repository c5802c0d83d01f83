"""`gsd history`: the latest attempts, what they took, and tables of it; as text and as JSON.

Source: spec auto 7 (history), 5.12.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from milepost.formats.journal import AnyEvent
from milepost.model import money
from milepost.model.words import counted
from milepost.rules import projection
from milepost.rules.projection import Projection
from milepost.ui.views import spending
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.spans import ago
from milepost.ui.views.spending import Attempt, By, Row, Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be shown."""

    latest: int = 20
    """So many attempts."""
    milestone: str = ""
    since_ms: int = 0
    failed: bool = False
    zone: tzinfo | None = None
    """Of times and days; None: local time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The attempts that were asked for, and what goes with them."""

    found: tuple[Attempt, ...]
    """All that match, oldest first."""
    shown: tuple[Attempt, ...]
    """The latest of them."""
    total: Spent
    projection: Projection | None
    spent: int
    """Micro-USD of the whole project, whatever was asked for."""
    ceiling: int | None
    carried: int
    """Micro-USD that other programs spent on the project; part of `spent`."""
    windows: tuple[str, ...] = ()
    """How much of each window of money and tokens is used, in words."""


def history(
    events: Sequence[AnyEvent],
    asked: Asked,
    *,
    slices_left: int,
    ceiling: int | None,
    carried: int = 0,
    windows: tuple[str, ...] = (),
) -> History:
    """Fold. slices_left: those of the plan that are not done; ceiling, carried: micro-USD; windows: `pacing.lines`."""
    everything = spending.attempts(events)
    found = tuple(attempt for attempt in everything if _wanted(attempt, asked))
    return History(
        found=found,
        shown=found[-asked.latest :],
        total=spending.whole(found),
        projection=projection.project(tuple(projection.finished_slices(events).values()), slices_left),
        spent=spending.whole(everything).micro_usd + carried,
        ceiling=ceiling,
        carried=carried,
        windows=windows,
    )


def _wanted(attempt: Attempt, asked: Asked) -> bool:
    if asked.failed and not attempt.failed:
        return False
    return attempt.started_ms >= asked.since_ms and asked.milestone in ("", attempt.milestone)


def text(seen: History, tables: Iterable[By], *, cost: bool, asked: Asked) -> str:
    """For a terminal: the tables that are asked for, else the attempts."""
    wanted = tuple(tables)
    if not seen.found:
        return "no attempts yet\n" if asked == Asked(latest=asked.latest, zone=asked.zone) else "no such attempts\n"
    parts = [_table(by, spending.table(seen.found, by, zone=asked.zone)) for by in wanted]
    if cost:
        parts.append("\n".join(_cost(seen)) + "\n")
    if not parts:
        parts.append(_attempts(seen.shown, asked.zone))
    return "\n".join(parts) + ("" if cost else _foot(seen, listed=not wanted))


def document(seen: History, asked: Asked) -> dict[str, object]:
    """Everything, with money in USD and times in epoch milliseconds."""
    return {
        "attempts": [_attempt_document(attempt) for attempt in seen.shown],
        "matching": len(seen.found),
        "total": _spent_document(seen.total),
        **{
            f"by{by.value.capitalize()}": [
                {"name": row.name, "attempts": row.attempts, **_spent_document(row.spent)}
                for row in spending.table(seen.found, by, zone=asked.zone)
            ]
            for by in By
        },
        "projection": _projection_document(seen.projection),
        "spent": money.to_usd(seen.spent),
        "carried": money.to_usd(seen.carried),
        "ceiling": None if seen.ceiling is None else money.to_usd(seen.ceiling),
        "windows": list(seen.windows),
    }


def _attempts(shown: Sequence[Attempt], zone: tzinfo | None) -> str:
    head = ("time", "unit", "model", "tier", "tokens", "cost", "took", "result")
    return _columns([head, *(_attempt_cells(attempt, zone) for attempt in shown)], right=(4, 5, 6))


def _attempt_cells(attempt: Attempt, zone: tzinfo | None) -> tuple[str, ...]:
    again = f" (attempt {attempt.number})" if attempt.number > 1 else ""
    return (
        datetime.fromtimestamp(attempt.started_ms / 1000, tz=zone).strftime("%Y-%m-%d %H:%M"),
        f"{attempt.kind} {attempt.unit}".strip() + again,
        ", ".join(attempt.models) or "-",
        attempt.tier or "-",
        money.show_tokens(attempt.spent.tokens),
        spending.show(attempt.spent),
        "-" if attempt.duration_ms is None else ago(attempt.duration_ms),
        attempt.result,
    )


def _table(by: By, rows: Sequence[Row]) -> str:
    head = (by.value, "attempts", "tokens", "cost")
    cells = [(r.name, str(r.attempts), money.show_tokens(r.spent.tokens), spending.show(r.spent)) for r in rows]
    return _columns([head, *cells], right=(1, 2, 3))


def _columns(lines: Sequence[Sequence[str]], *, right: Sequence[int]) -> str:
    lines = [[plain(cell) for cell in line] for line in lines]  # A provider names its model as it likes.
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    padded = (
        (cell.rjust(width) if at in right else cell.ljust(width))
        for line in lines
        for at, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "".join("  ".join(next(padded) for _ in widths).rstrip() + "\n" for _ in lines)


def _foot(seen: History, *, listed: bool) -> str:
    many = counted(len(seen.found), "attempt")
    of = f"{len(seen.shown)} of {many}" if listed and len(seen.shown) < len(seen.found) else many
    return f"\n{of}; all {many}: {_money(seen.total)}\n" if listed else f"\n{many}: {_money(seen.total)}\n"


def _money(spent: Spent) -> str:
    return f"{spending.show(spent)}, {money.show_tokens(spent.tokens)} tokens, {counted(spent.requests, 'request')}"


def _cost(seen: History) -> Iterable[str]:
    yield f"Spent: {_money(seen.total)} in {counted(len(seen.found), 'attempt')}"
    if seen.carried:
        yield f"By other programs, according to metrics.json: {money.show(seen.carried)}"
    if seen.ceiling is not None:
        left = max(0, seen.ceiling - seen.spent)
        yield f"Ceiling: {money.show(seen.spent)} of {money.show(seen.ceiling)} spent, {money.show(left)} left"
    yield from seen.windows
    if seen.projection is None:
        yield "Projected remaining: not known before two slices with known prices are finished"
    else:
        yield from projection.lines(seen.projection, spent=seen.spent, ceiling=seen.ceiling)


def _attempt_document(attempt: Attempt) -> dict[str, object]:
    return {
        "attempt": attempt.id,
        "unitType": attempt.kind,
        "unitId": attempt.unit,
        "number": attempt.number,
        "agent": attempt.agent,
        "tier": attempt.tier,
        "models": list(attempt.models),
        "startedAt": attempt.started_ms,
        "endedAt": attempt.ended_ms,
        "durationMs": attempt.duration_ms,
        "result": attempt.result,
        "reason": attempt.reason,
        **_spent_document(attempt.spent),
    }


def _spent_document(spent: Spent) -> Mapping[str, object]:
    """`cost` is null when not one price is known."""
    paid = spent.requests - spent.unpriced - spent.flat
    return {
        "requests": spent.requests,
        "tokens": {
            "input": spent.input,
            "output": spent.output,
            "cacheRead": spent.cache_read,
            "cacheWrite": spent.cache_write,
            "total": spent.tokens,
        },
        "cost": money.to_usd(spent.micro_usd) if paid or not spent.requests else None,
        "unpricedRequests": spent.unpriced,
        "flatRateRequests": spent.flat,
        "flatRateTokens": spent.flat_tokens,
    }


def _projection_document(found: Projection | None) -> Mapping[str, object] | None:
    if found is None:
        return None
    return {
        "low": money.to_usd(found.low),
        "likely": money.to_usd(found.likely),
        "high": money.to_usd(found.high),
        "remainingSlices": found.remaining,
        "perSlice": money.to_usd(found.per_slice),
        "finishedSlices": found.finished,
    }
