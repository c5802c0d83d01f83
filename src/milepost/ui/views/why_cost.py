"""Where the money went: by phase and model, the dearest units and why they were dear, what was paid for nothing.

Source: DESIGN rule 10; parallel PR-242; field-reports ("why did this cost $12").
"""

from collections import Counter
from collections.abc import Sequence

from milepost.model import money
from milepost.model.words import counted
from milepost.rules import budget
from milepost.rules.attempts import Attempt, of_units
from milepost.ui.views import spending
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.situation import Situation
from milepost.ui.views.spending import By, Spent
from milepost.ui.views.story import Section, Story

_DEAREST = 10


def story(here: Situation, milestone: str = "") -> Story:
    """The money of the project, or of one milestone."""
    tried = [a for a in here.attempts if not milestone or a.milestone == milestone]
    booked = spending.of_milestone(here.events, milestone)
    whole = spending.whole(booked)
    lost = spending.total(u for a in tried if a.ended and not a.committed for u in a.usage)
    units = sorted(of_units(tried).items(), key=lambda pair: -_sum(pair[1]).micro_usd)[:_DEAREST]
    who = f"{milestone} cost" if milestone else "The project cost"
    attempts = counted(len(tried), "attempt")
    return Story(
        says=f"{who} {spending.show(whole)} in {attempts}, {money.show_tokens(whole.tokens)} tokens.",
        sections=tuple(
            section
            for section in (
                Section(title="", facts=tuple(_sums(here, lost, whole, milestone))),
                Section(title="By phase", table=_table(booked, By.PHASE, whole)),
                Section(title="By model", table=_table(booked, By.MODEL, whole)),
                Section(title="The dearest units", facts=tuple((_show(a), because(a)) for _, a in units)),
            )
            if section.facts or section.table
        ),
        document={
            "about": "cost",
            "milestone": milestone or None,
            "cost": money.to_usd(whole.micro_usd),
            "tokens": whole.tokens,
            "unpricedRequests": whole.unpriced,
            "withoutCommit": money.to_usd(lost.micro_usd),
            "carried": 0 if milestone else money.to_usd(here.carried),
            "byPhase": _rows(booked, By.PHASE),
            "byModel": _rows(booked, By.MODEL),
            "dearest": [
                {"unit": key, "cost": money.to_usd(_sum(a).micro_usd), "tokens": _sum(a).tokens, "because": because(a)}
                for key, a in units
            ],
        },
    )


def because(attempts: Sequence[Attempt]) -> str:
    """Why a unit cost what it did: its attempts, what they came to, how much it asked."""
    spent = _sum(attempts)
    results = Counter(str(a.result or "open") for a in attempts)
    came = ", ".join(f"{n} {word}" if n > 1 else word for word, n in results.items())
    models = ", ".join(dict.fromkeys(u.model for a in attempts for u in a.usage))
    asked = f"{counted(spent.requests, 'request')}, {money.show_tokens(spent.tokens)} tokens"
    read = spent.input + spent.cache_read + spent.cache_write
    cached = f", {spent.cache_read * 100 // read} % from the cache" if spent.cache_read and read else ""
    after = [a for a in attempts[1:] if a.usage]
    again = f"; {spending.show(_sum(after))} of it for trying again" if after else ""
    by = f", {models}" if models else ""
    return f"{attempts[0].named}: {counted(len(attempts), 'attempt')} ({came}), {asked}{cached}{by}{again}"


def _sums(here: Situation, lost: Spent, whole: Spent, milestone: str) -> list[tuple[str, str]]:
    facts = []
    if lost.requests:
        share = f" ({lost.micro_usd * 100 // whole.micro_usd} %)" if whole.micro_usd else ""
        facts.append(("no commit", f"{spending.show(lost)}{share} went into attempts that brought no commit"))
    if milestone:
        return facts
    if here.carried:
        facts.append(("before", f"{money.show(here.carried)} in rows of the ledger that another program wrote"))
    ceiling = here.preferences.budget_ceiling
    if ceiling is not None:
        books = budget.books(here.events, carried=here.carried)
        limit = money.from_usd(ceiling)
        facts.append(("ceiling", f"{money.show(books.committed)} of {money.show(limit)} spent or reserved"))
    return facts


def _table(booked: Sequence[spending.Attempt], by: By, whole: Spent) -> tuple[str, ...]:
    rows = spending.table(booked, by)
    names = [plain(row.name) for row in rows]
    width = max(map(len, names), default=0)
    return tuple(
        f"  {name.ljust(width)}  {_percent(row.spent, whole):>4}  {money.show_tokens(row.spent.tokens):>7}  "
        f"{spending.show(row.spent)}"
        for name, row in zip(names, rows, strict=True)
    )


def _rows(booked: Sequence[spending.Attempt], by: By) -> list[dict[str, object]]:
    return [
        {"name": row.name, "cost": money.to_usd(row.spent.micro_usd), "tokens": row.spent.tokens}
        for row in spending.table(booked, by)
    ]


def _percent(part: Spent, whole: Spent) -> str:
    return f"{part.micro_usd * 100 // whole.micro_usd} %" if whole.micro_usd else ""


def _sum(attempts: Sequence[Attempt]) -> Spent:
    return spending.total(u for a in attempts for u in a.usage)


def _show(attempts: Sequence[Attempt]) -> str:
    spent = _sum(attempts)
    return (
        money.show(spent.micro_usd) if spent.requests > spent.unpriced + spent.flat or not spent.requests else "unknown"
    )
