"""`gsd status`: the documented dashboard, as rows of label and words. A fold over one situation.

Milestone, slice, task, phase; what runs and for how long; what it costs, is to cost and may cost; what waits.
Source: parallel PR-245, DV-17; spec auto 5.12; issue "Knowing what happened"; DESIGN rule 10.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from milepost.formats.journal import AnyEvent, BudgetWaiting, UnitSkipped, WaitBegan
from milepost.model import money
from milepost.model.words import counted
from milepost.rules import held, notices, projection
from milepost.rules.attempts import Attempt
from milepost.rules.projection import Projection
from milepost.rules.runs import Run
from milepost.ui.views import fleet, overview, spending, totals, why_unit
from milepost.ui.views.fleet import ALERT_PERCENT
from milepost.ui.views.inbox import Row
from milepost.ui.views.overview import Overview
from milepost.ui.views.situation import Situation
from milepost.ui.views.spans import ago
from milepost.ui.views.story import facts

_BAR = 20
"""Columns of the budget's bar."""
_QUIET_MS = 300_000
"""From here on it is said that a unit in flight says nothing."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """What is shown at one moment."""

    here: Situation
    seen: Overview
    projection: Projection | None
    waiting: tuple[Row, ...]
    """The inbox."""

    @property
    def captures(self) -> int:
        """Thoughts that wait to be sorted."""
        return sum(capture.status == "pending" for capture in self.here.captures)

    @property
    def run(self) -> Run | None:
        """The auto mode that is at work."""
        return next((run for run in self.here.runs if run.id == self.here.runner), None)


def rows(made: Dashboard) -> list[tuple[str, str]]:
    """Label and words; several rows may have one label."""
    found = overview.facts(made.seen, made.here.program)
    at = next(number for number, (label, _) in enumerate(found) if label == "Progress")
    found[at:at] = [*_now(made)]
    after = next(number for number, (label, _) in enumerate(found) if label == "Cost") + 1
    found[after:after] = [*_money(made), *_open(made)]
    return found


def text(made: Dashboard, width: int = 0) -> str:
    """For a terminal; ends with a newline. width: columns; 0: lines are not broken."""
    blocks = [facts(tuple(rows(made)), width)]
    if made.seen.rows:
        blocks.append(overview.table(made.seen.rows).splitlines())
    if made.here.board.shown:
        blocks.append(_parallel(made, width))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def signature(made: Dashboard) -> tuple[object, ...]:
    """What has to differ for a new block to be worth printing where nothing can be drawn over."""
    flying = tuple((a.id, a.tokens, a.micro_usd, held.since(a.facts)) for a in made.here.at_work)
    said = tuple(row for row in overview.facts(made.seen, made.here.program))
    waits = tuple(wait.unit for wait in made.here.waits)
    return said, flying, waits, made.captures, len(made.waiting), fleet.signature(made.here.board)


def document(made: Dashboard) -> dict[str, object]:
    """What the dashboard adds to the state, for programs. Times in epoch milliseconds, money in USD."""
    here, run, found = made.here, made.run, made.projection
    return {
        "run": {"id": run.id, "command": run.started.command, "startedAt": run.started.at_ms, "attempts": run.attempts}
        if run
        else None,
        "inFlight": [why_unit.document(attempt, here) for attempt in here.at_work],
        "percent": _percent(made),
        "alerts": alerts(made),
        "projection": None
        if found is None
        else {
            "low": money.to_usd(found.low),
            "likely": money.to_usd(found.likely),
            "high": money.to_usd(found.high),
            "slicesLeft": found.remaining,
        },
        "waits": [
            {
                "unit": wait.unit,
                "until": wait.resume_at_ms if isinstance(wait, WaitBegan) else wait.until_ms,
                "why": wait.text if isinstance(wait, WaitBegan) else wait.reason,
            }
            for wait in here.waits
        ],
        "captures": made.captures,
        "skipped": [f"{e.kind}/{e.unit}" for e in skipped(here.events)],
        "waiting": len(made.waiting),
    }


def alerts(made: Dashboard) -> list[str]:
    """Ceilings of which 80 % or more is spent: the project's own, then those of parallel workers."""
    found = list(fleet.alerts(made.here.board)) if made.here.board.shown else []
    share = _percent(made)
    if share is None or share < ALERT_PERCENT:
        return found
    spent = f"{money.show(made.seen.books.counted)} of {money.show(made.seen.ceiling)}"
    return [f"ALERT: {share} % of the budget is spent ({spent})", *found]


def skipped(events: tuple[AnyEvent, ...]) -> tuple[UnitSkipped, ...]:
    """Units that a person said are not to be done, and did not take back."""
    last = {(e.kind, e.unit): e for e in events if isinstance(e, UnitSkipped)}
    return tuple(e for e in last.values() if not e.taken_back)


def _now(made: Dashboard) -> Iterator[tuple[str, str]]:
    """The run and the units in flight."""
    here, run = made.here, made.run
    if run is not None:
        lasts, found = ago(here.now_ms - run.started.at_ms), totals.of_run(here.events, run.id)
        yield "Run", f"{run.started.command} for {lasts}: {totals.words(found)}, {spending.show(found.spent)}"
    for attempt in here.at_work:
        if attempt.started.run == here.runner:
            yield "Unit", in_flight(attempt, here)
    yield from (("Waits", wait_words(wait, here)) for wait in here.waits)


def wait_words(wait: WaitBegan | BudgetWaiting, here: Situation) -> str:
    """`until 13:05:00, for 12 min more: rate-limit: try again later (execute-task/M001/S01/T01)`."""
    until = wait.resume_at_ms if isinstance(wait, WaitBegan) else wait.until_ms
    why = f"{wait.kind}: {wait.text}" if isinstance(wait, WaitBegan) else wait.reason
    return f"until {here.clock(until)}, for {ago(until - here.now_ms)} more: {why} ({wait.unit})"


def in_flight(attempt: Attempt, here: Situation) -> str:
    """`attempt 2, for 3 min, claude-…: 12.3k tokens, $0.42; last sign 4 s ago`."""
    spent = spending.total(attempt.usage)
    quiet = here.now_ms - attempt.heard_ms
    sign = f"NOTHING HEARD for {ago(quiet)}" if quiet >= _QUIET_MS else f"last sign {ago(quiet)} ago"
    if (since := held.since(attempt.facts)) is not None:
        sign = f"HELD by a person for {ago(here.now_ms - since)}"
    who = ", ".join(filter(None, (why_unit.models(attempt), attempt.started.tier)))
    facts = [f"attempt {attempt.started.number}", f"for {ago(here.now_ms - attempt.started.at_ms)}", who]
    told = ", ".join(filter(None, facts))
    return f"{told}: {money.show_tokens(spent.tokens)} tokens, {spending.show(spent)}; {sign}"


def _money(made: Dashboard) -> Iterator[tuple[str, str]]:
    share = _percent(made)
    if share is not None:
        filled = min(share, 100) * _BAR // 100
        yield "Budget", f"{'#' * filled}{'.' * (_BAR - filled)} {share} % of {money.show(made.seen.ceiling)}"
    for line in alerts(made)[: 1 if share is not None and share >= ALERT_PERCENT else 0]:
        yield "Budget", line
    if made.projection is not None and made.projection.remaining:
        spent = made.seen.books.committed
        said = projection.lines(made.projection, spent=spent, ceiling=made.seen.ceiling)
        yield from (("Projection", line.removeprefix("Projected remaining: ")) for line in said)


def _open(made: Dashboard) -> Iterator[tuple[str, str]]:
    """What a person may want to see to."""
    if made.captures:
        yield "Captures", f"{made.captures} pending: {made.here.program} triage"
    if left := skipped(made.here.events):
        yield "Skipped", ", ".join(f"{e.kind} {e.unit}" for e in left)
    for failed in notices.failing(made.here.events):
        yield "Notify", f"{failed.target} was not reached: {failed.error}"
    if made.waiting:
        yield "Waiting", f"{counted(len(made.waiting), 'thing')} for you: {made.here.program} inbox"


def _parallel(made: Dashboard, width: int) -> list[str]:
    told = (line.split("   ", 1) for line in fleet.brief(made.here.board) if not line.startswith("Waiting"))
    return facts(tuple((label, words.strip()) for label, words in told), width)


def _percent(made: Dashboard) -> int | None:
    ceiling = made.seen.ceiling
    return None if not ceiling else made.seen.books.counted * 100 // ceiling
