"""Money against the ceilings: claimed before a unit, watched while it runs, waited for while a sibling holds it.

Checking all ceilings and claiming is one step under the journal's lock. A refusal that only the open reservations
of living siblings cause is no end: the worker waits until they are settled, and holds nothing while it waits, so
two workers never wait for each other. Source: DESIGN rule 8, parallel PR-141, FM-35.
"""

from collections.abc import Iterable

import anyio

from milepost.formats.journal import AnyEvent, BudgetReserved
from milepost.model import money
from milepost.model.outcome import Interrupted, OverBudget
from milepost.rules import budget
from milepost.rules.accounts import Accounts
from milepost.store.lease import holder
from milepost.unit.bench import Bench

_POLL_S = 0.3
"""How soon a settled reservation is noticed. A look reads only what was appended since."""


async def reserve(attempt: str, kind: str, bench: Bench, *, free: bool = False) -> OverBudget | Interrupted | None:
    """Set aside what an attempt of `kind` may cost. None: it is reserved; else the unit does not begin.

    Waits as long as siblings hold what is missing. `OverBudget.waiting`: somebody wanted to be heard meanwhile.
    free: all its models are at a flat rate, so that it needs no money and no ceiling of money keeps it.
    """
    if free:
        bench.journal.append(BudgetReserved(at_ms=bench.now_ms(), run=bench.run, attempt=attempt, micro_usd=0))
        return None
    told = False
    try:
        while (refused := _claim(attempt, kind, bench)) is not None:
            if not refused.holders:
                return over_budget(refused)
            if not told:
                bench.watcher.note(_waits(refused))
                bench.held_up(_waits(refused), 0)
                told = True
            if cut := await _wait(refused, kind, bench):
                return cut
        return None
    finally:
        if told:
            bench.held_up("", 0)


async def _wait(refused: budget.Refused | None, kind: str, bench: Bench) -> OverBudget | Interrupted | None:
    """Until asking again makes sense (None), or somebody wants something else."""
    while refused is not None and refused.holders:
        with anyio.move_on_after(_POLL_S):
            await bench.stop.wait()
        if bench.stop.is_set():
            return Interrupted("stopped by a person or a signal")
        if bench.wanted():
            return over_budget(refused, waiting=True)
        accounts = Accounts(bench.journal.everything())
        refused = _admit(accounts, budget.estimate(accounts, kind, bench.ceilings), bench)
    return None


def passed(events: Iterable[AnyEvent], bench: Bench, *, more: int = 0) -> budget.Refused | None:
    """The ceiling that all who spend below it have really passed, or would by `more`, when that is to stop the work."""
    below = budget.binding(bench.ceilings, bench.preferences)
    return budget.passed(Accounts(events), below, more=more) if below else None


def over_budget(refused: budget.Refused, *, waiting: bool = False) -> OverBudget:
    """A refusal as the outcome of a unit."""
    return OverBudget(refused.committed, refused.ceiling, refused.scope, refused.setting, waiting)


def _claim(attempt: str, kind: str, bench: Bench) -> budget.Refused | None:
    amount = budget.estimate(Accounts(bench.journal.everything()), kind, bench.ceilings)
    claim = BudgetReserved(at_ms=bench.now_ms(), run=bench.run, attempt=attempt, micro_usd=amount)
    return bench.journal.append_unless(lambda events: _admit(Accounts(events), amount, bench), claim)


def _admit(accounts: Accounts, amount: int, bench: Bench) -> budget.Refused | None:
    below = budget.binding(bench.ceilings, bench.preferences)
    refused = budget.admit(accounts, below, estimate=amount, run=bench.run)
    if refused is None:
        return None
    gone = {run for run in accounts.at_work() - {bench.run} if not _lives(run, accounts, bench)}
    return budget.admit(accounts, below, estimate=amount, run=bench.run, gone=gone) if gone else refused


def _lives(run: str, accounts: Accounts, bench: Bench) -> bool:
    """Whether a run is that of a living sibling: somebody holds the lease of its milestone. Asks the kernel.

    Whoever holds our own milestone, or the whole project, is ourselves; what another run reserved there is left over.
    """
    milestone = accounts.runs[run].milestone if run in accounts.runs else ""
    if not bench.worker or milestone in ("", bench.workspace.milestone):
        return False
    state = bench.workspace.root_state
    return holder(state / "parallel" / f"{milestone}.lease", state / "journal" / f"{milestone}.jsonl") is not None


def _waits(refused: budget.Refused) -> str:
    limit = money.show(refused.ceiling)
    return (
        f"waiting for money: {money.show(refused.committed)} of {limit} is spent or reserved by units that are still"
        f" at work ({budget.whose(refused.scope)})"
    )
