"""Ceilings: which there are, whether one more attempt fits below them, and whether one was passed.

An auto mode has the project's ceiling over the whole journal. A parallel worker has two: that of all workers over
the fleet's session, and its own over the books of its milestone, never over the history of the project.
Source: DESIGN rule 8, spec auto 5.12, parallel PR-063, PR-141, PR-142, FM-34, FM-35.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from milepost.formats.journal import AnyEvent, BudgetAlerted
from milepost.formats.preferences import Preferences
from milepost.model import money
from milepost.rules.accounts import WHOLE, Accounts, Share
from milepost.rules.accounts import Books as Books

LEVELS = (75, 80, 90, 100)
"""Percent of a ceiling that are announced once each (spec auto 5.12)."""

FIRST_ESTIMATE_MICRO_USD = 250_000
"""What a unit is taken to cost while its kind has no history; at most a tenth of the smallest ceiling."""

PROJECT = ""
FLEET = "fleet"
RUN = "run"
"""What a person lets one run cost (`--max-cost`)."""


class Ceiling(NamedTuple):
    """A limit in micro-USD and what is counted against it."""

    scope: str
    """`PROJECT`, `FLEET`, or the id of the milestone whose own it is."""
    micro_usd: int
    of: Share = WHOLE
    carried: int = 0
    """Micro-USD that count too, though the journal does not know of them."""
    setting: str = "budget_ceiling"
    """The preference that raises it."""


class Limits(NamedTuple):
    """Micro-USD that parallel workers may spend; None: no limit."""

    fleet: int | None
    """All workers of a session together."""
    own: int | None
    """Each on its milestone."""


class Refused(NamedTuple):
    """No more attempt may start: `committed + estimate` would pass `ceiling`. Micro-USD."""

    committed: int
    estimate: int
    ceiling: int
    scope: str = PROJECT
    setting: str = "budget_ceiling"
    holders: tuple[str, ...] = ()
    """Runs whose open attempts have reserved what is missing: it would fit if they left it. Empty: it would not."""


def limits_of(preferences: Preferences) -> Limits:
    """The ceilings of parallel workers (PR-063, PR-142): `budget_ceiling` stands in for that of all together."""
    own, fleet = preferences.budget_ceiling, preferences.parallel.budget_ceiling
    together = own if fleet is None else fleet
    return Limits(fleet=_micro(together), own=_micro(own))


def ceilings_of(
    preferences: Preferences, *, milestone: str, session: str | None, carried: int = 0
) -> tuple[Ceiling, ...]:
    """What a worker must keep below.

    session: the fleet's, `""` for a parallel worker outside one, None for an auto mode, whose one ceiling also
    counts `carried`, what other programs spent on the project (micro-USD).
    """
    limit = limits_of(preferences)
    if session is None:
        return () if limit.own is None else (Ceiling(PROJECT, limit.own, carried=carried),)
    setting = "budget_ceiling" if preferences.parallel.budget_ceiling is None else "parallel.budget_ceiling"
    found = []
    if limit.fleet is not None:
        found.append(Ceiling(FLEET, limit.fleet, Share(session=session), setting=setting))
    if limit.own is not None:
        found.append(Ceiling(milestone, limit.own, Share(milestone=milestone)))
    return tuple(found)


def enforced(preferences: Preferences) -> bool:
    """Whether a ceiling stops work (`warn` only says so; `pause` and `halt` both end the run with its reason)."""
    return preferences.budget_enforcement != "warn"


def of_run(run: str, micro_usd: int) -> Ceiling:
    """What a person lets one run cost."""
    return Ceiling(RUN, micro_usd, Share(run=run), setting="--max-cost")


def binding(below: Iterable[Ceiling], preferences: Preferences) -> tuple[Ceiling, ...]:
    """The ceilings that stop work: all that are enforced, and always what a person said for this very run."""
    return tuple(limit for limit in below if limit.scope == RUN or enforced(preferences))


def books(events: Iterable[AnyEvent], *, carried: int = 0, of: Share = WHOLE) -> Books:
    """What the attempts of `of` cost. carried: micro-USD spent before the journal began (rows of other programs)."""
    return Accounts(events).books(of, carried=carried)


def admit(
    accounts: Accounts, below: Sequence[Ceiling], *, estimate: int, run: str = "", gone: Collection[str] = ()
) -> Refused | None:
    """Whether an attempt that may cost `estimate` fits below every ceiling; None: it does.

    A refusal that no waiting helps comes before one that only others' reservations cause. run: who asks, and is
    no holder; gone: runs known to be dead, whose reservations do not count.
    """
    refusals = [found for limit in below if (found := _admit(accounts, limit, estimate, run, gone))]
    return min(refusals, key=lambda refused: bool(refused.holders), default=None)


def passed(accounts: Accounts, below: Iterable[Ceiling], *, more: int = 0) -> Refused | None:
    """The first ceiling that is really passed, whoever spent the money, or would be by `more`; None: none is."""
    for limit in below:
        counted = accounts.books(limit.of, carried=limit.carried).counted
        if counted + more > limit.micro_usd:
            return Refused(counted, more, limit.micro_usd, limit.scope, limit.setting)
    return None


def estimate(accounts: Accounts, kind: str, below: Sequence[Ceiling] = ()) -> int:
    """Micro-USD an attempt of `kind` is expected to cost: the mean of those ended in the project, else a guess."""
    known = [a.spent for a in accounts.select(WHOLE) if a.kind == kind and a.ended and a.priced and not a.unpriced]
    if known:
        return sum(known) // len(known)
    return min((FIRST_ESTIMATE_MICRO_USD, *(limit.micro_usd // 10 for limit in below)))


def crossed(accounts: Accounts, events: Iterable[AnyEvent], limit: Ceiling) -> int | None:
    """The highest level of a ceiling that is reached and was not announced yet; None when there is none."""
    if not limit.micro_usd:
        return None
    spent = accounts.books(limit.of, carried=limit.carried).spent
    reached = max((level for level in LEVELS if spent * 100 >= level * limit.micro_usd), default=0)
    return reached if reached > announced(accounts, events, limit) else None


def announced(accounts: Accounts, events: Iterable[AnyEvent], limit: Ceiling) -> int:
    """The highest level announced for this ceiling at this height, by any worker; 0: none."""
    session = limit.of.session
    said = (
        event.percent
        for event in events
        if isinstance(event, BudgetAlerted)
        and (event.scope, event.ceiling_micro_usd) == (limit.scope, limit.micro_usd)
        and (session is None or accounts.in_session(event.run, session))
    )
    return max(said, default=0)


class Line(NamedTuple):
    """What somebody spent of what. Micro-USD."""

    books: Books
    ceiling: int | None
    used: int
    """What is spent of the ceiling: of a worker's own, all that its milestone ever cost."""
    left: int | None
    """What may still be promised below the ceiling; None: there is none."""

    @property
    def reached(self) -> bool:
        """Whether all of the ceiling is spent."""
        return self.ceiling is not None and self.used >= self.ceiling


class Standing(NamedTuple):
    """The money of a fleet's session."""

    fleet: Line
    workers: Mapping[str, Line]
    """By milestone. `books` is the worker's part of the session; `left` is what its milestone's own ceiling leaves."""


def standing(events: Iterable[AnyEvent], session: str, limits: Limits) -> Standing:
    """Spent, reserved and left, of each worker and of all together. The parts add up to the whole (PR-140, PR-317)."""
    accounts = Accounts(events)
    names = dict.fromkeys(b.milestone for b in accounts.runs.values() if accounts.in_session(b.run, session))
    return Standing(
        fleet=_line(accounts, Share(session=session), Share(session=session), limits.fleet),
        workers={
            name: _line(accounts, Share(session=session, milestone=name), Share(milestone=name), limits.own)
            for name in sorted(names)
        },
    )


def spent(events: Iterable[AnyEvent], session: str, preferences: Preferences) -> bool:
    """Whether the money of all workers of a session is gone, and that keeps more from being started."""
    limits = limits_of(preferences)
    if limits.fleet is None or not enforced(preferences):
        return False
    return standing(events, session, limits).fleet.reached


def whose(scope: str) -> str:
    """`the budget`, `the budget of all workers`, `the budget of M002`."""
    known = {PROJECT: "the budget", FLEET: "the budget of all workers", RUN: "the limit of this run"}
    return known.get(scope, f"the budget of {scope}")


def _admit(accounts: Accounts, limit: Ceiling, estimate: int, run: str, gone: Collection[str]) -> Refused | None:
    committed = accounts.books(limit.of, carried=limit.carried, gone=gone).committed
    if committed + estimate <= limit.micro_usd:
        return None
    others: dict[str, int] = {}
    for account in accounts.select(limit.of):
        # What an unpriced attempt holds stays counted when it ends: there is nothing to wait for.
        if account.run != run and not account.unpriced and (held := accounts.held(account, gone)):
            others[account.run] = others.get(account.run, 0) + held
    waits = committed - sum(others.values()) + estimate <= limit.micro_usd
    return Refused(committed, estimate, limit.micro_usd, limit.scope, limit.setting, tuple(others) if waits else ())


def _line(accounts: Accounts, shown: Share, bound: Share, ceiling: int | None) -> Line:
    against = accounts.books(bound)
    left = None if ceiling is None else max(0, ceiling - against.committed)
    return Line(books=accounts.books(shown), ceiling=ceiling, used=against.counted, left=left)


def _micro(usd: float | None) -> int | None:
    return None if usd is None else money.from_usd(usd)
