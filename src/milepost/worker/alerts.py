"""Levels of a ceiling that are crossed are said, each once, whichever of several workers sees it first.

Source: spec auto 5.12, parallel section 7.
"""

from milepost.formats.journal import AnyEvent, BudgetAlerted
from milepost.model import money
from milepost.rules import budget
from milepost.rules.accounts import Accounts
from milepost.unit.bench import Bench


def alert(bench: Bench) -> None:
    """Announce the highest level of each ceiling that was crossed and that nobody announced yet."""
    events = bench.journal.everything() if bench.ceilings else ()
    accounts = Accounts(events)
    for limit in bench.ceilings:
        level = budget.crossed(accounts, events, limit)
        if level is not None and _first(level, limit, bench):
            spent = accounts.books(limit.of, carried=limit.carried).spent
            of = f"{money.show(limit.micro_usd)} is spent ({money.show(spent)})"
            bench.watcher.note(f"{budget.whose(limit.scope).removeprefix('the ')}: {level} % of {of}")


def _first(level: int, limit: budget.Ceiling, bench: Bench) -> bool:
    """Write it down, unless another process was faster: one step against all of them."""

    def said(events: tuple[AnyEvent, ...]) -> bool | None:
        return budget.announced(Accounts(events), events, limit) >= level or None

    line = BudgetAlerted(
        at_ms=bench.now_ms(),
        run=bench.run,
        percent=level,
        ceiling_micro_usd=limit.micro_usd,
        scope=limit.scope,
    )
    return bench.journal.append_unless(said, line) is None
