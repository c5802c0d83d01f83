"""What every attempt cost and may still cost, as the journal tells it, and whose attempts belong together.

An open attempt counts at the larger of what it reserved and what it spent, so two processes never promise the
same money twice. A request without a price keeps its attempt's whole reservation counted. What an attempt reserved
is free again when the attempt ends, and when its run does: a run that is over spends nothing more.
Source: DESIGN rule 8, spec auto 5.12, parallel PR-140, PR-317, FM-34, FM-36.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    RunEnded,
    RunStarted,
    UsageReported,
    WorkerLost,
)
from milepost.model import asides


class Books(NamedTuple):
    """Micro-USD, over some attempts."""

    spent: int
    """Known prices of requests made."""
    reserved: int
    """What open attempts may still spend beyond that, and what attempts without a price are counted at."""
    unpriced: int
    """Requests whose price is not known."""
    presumed: int = 0
    """The part of `reserved` that is taken as spent, for requests whose price is not known."""

    @property
    def committed(self) -> int:
        """What is spent or promised: what a new attempt must fit beside."""
        return self.spent + self.reserved

    @property
    def counted(self) -> int:
        """What is spent as far as anybody can tell: what a ceiling is compared with in the middle of a unit."""
        return self.spent + self.presumed


class Share(NamedTuple):
    """Whose attempts count. Empty: everybody's."""

    session: str | None = None
    """Only those of parallel workers of this fleet session (`RunStarted.fleet`)."""
    milestone: str = ""
    """Only those for this milestone, whoever ran them."""
    run: str = ""
    """Only those of this run."""


WHOLE = Share()


class Account:
    """The money of one attempt."""

    __slots__ = ("attempt", "ended", "kind", "milestone", "priced", "reserved", "run", "spent", "unpriced")

    def __init__(self, attempt: str, run: str) -> None:
        self.attempt = attempt
        self.run = run
        self.kind = asides.kind(attempt)
        self.milestone = ""
        self.reserved = self.spent = 0
        self.priced = self.unpriced = 0
        """Requests whose price is known, and those where it is not."""
        self.ended = False

    @property
    def rest(self) -> int:
        """What is reserved and not spent yet (micro-USD)."""
        return max(0, self.reserved - self.spent)


class Accounts:
    """The attempts of a journal. Events may come in any order and are added once each."""

    def __init__(self, events: Iterable[AnyEvent]) -> None:
        self._attempts: dict[str, Account] = {}
        self._runs: dict[str, RunStarted] = {}
        self._over: set[str] = set()
        for event in events:
            self._add(event)

    @property
    def runs(self) -> Mapping[str, RunStarted]:
        """How each run began."""
        return self._runs

    def select(self, share: Share) -> Iterator[Account]:
        """The attempts that belong to `share`."""
        for account in self._attempts.values():
            if (
                (share.session is None or self.in_session(account.run, share.session))
                and (not share.milestone or self.milestone(account) == share.milestone)
                and share.run in ("", account.run)
            ):
                yield account

    def in_session(self, run: str, session: str) -> bool:
        """Whether a run is that of a parallel worker of the session (`""`: of workers that a person started)."""
        begun = self._runs.get(run)
        return begun is not None and bool(begun.milestone) and begun.fleet == session

    def milestone(self, account: Account) -> str:
        """Whose work it is; empty for an attempt that never began in a run of no single milestone."""
        begun = self._runs.get(account.run)
        return account.milestone or (begun.milestone if begun else "")

    def held(self, account: Account, gone: Collection[str] = ()) -> int:
        """What an attempt holds beyond what it spent. gone: runs that are over without a record of it."""
        if account.unpriced:
            return account.rest
        return account.rest if self.open(account) and account.run not in gone else 0

    def open(self, account: Account) -> bool:
        """Whether the attempt, as far as the journal knows, may still spend."""
        return not account.ended and account.run not in self._over

    def at_work(self) -> frozenset[str]:
        """Runs with an attempt that, as far as the journal knows, may still spend."""
        return frozenset(account.run for account in self._attempts.values() if self.open(account))

    def books(self, share: Share = WHOLE, *, carried: int = 0, gone: Collection[str] = ()) -> Books:
        """The sums. carried: micro-USD spent before the journal began; gone: as in `held`."""
        spent, reserved, unpriced, presumed = carried, 0, 0, 0
        for account in self.select(share):
            spent += account.spent
            unpriced += account.unpriced
            reserved += self.held(account, gone)
            presumed += account.rest if account.unpriced else 0
        return Books(spent=spent, reserved=reserved, unpriced=unpriced, presumed=presumed)

    def _add(self, event: AnyEvent) -> None:
        match event:
            case UsageReported():
                account = self._of(event.attempt, event.run)
                account.spent += event.micro_usd or 0
                account.unpriced += event.micro_usd is None and not event.flat
                account.priced += event.micro_usd is not None
            case BudgetReserved():
                self._of(event.attempt, event.run).reserved += event.micro_usd
            case AttemptStarted():
                account = self._of(event.attempt, event.run)
                account.kind, account.milestone = event.kind, event.unit.split("/")[0]
            case AttemptEnded():
                self._of(event.attempt, event.run).ended = True
            case RunStarted():
                self._runs[event.run] = event
            case RunEnded():
                self._over.add(event.run)
            case WorkerLost():
                self._over.add(event.worker_run)
            case _:
                pass

    def _of(self, attempt: str, run: str) -> Account:
        account = self._attempts.get(attempt)
        if account is None:
            account = self._attempts[attempt] = Account(attempt, run)
        return account
