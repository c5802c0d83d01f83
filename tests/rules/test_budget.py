"""Money as the journal tells it, and whether one more attempt fits."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetReserved,
    Result,
    RunEnded,
    RunStarted,
    UsageReported,
    WorkerLost,
)
from milepost.formats.preferences import Parallel, Preferences
from milepost.rules import budget
from milepost.rules.accounts import Accounts, Books, Share
from milepost.rules.budget import FLEET, PROJECT, Ceiling, Refused
from milepost.store.journal import Journal

SESSION = "f-1"


def began(attempt: str, kind: str = "execute-task", unit: str = "M001/S01/T01", run: str = "r") -> AttemptStarted:
    return AttemptStarted(
        at_ms=0, run=run, attempt=attempt, kind=kind, unit=unit, base="", branch="", fingerprint="", number=1
    )  # fmt: skip


def reserved(attempt: str, amount: int, run: str = "r") -> BudgetReserved:
    return BudgetReserved(at_ms=0, run=run, attempt=attempt, micro_usd=amount)


def used(attempt: str, amount: int | None, run: str = "r") -> UsageReported:
    return UsageReported(at_ms=0, run=run, attempt=attempt, model="m", input=1, output=1, micro_usd=amount)


def ended(attempt: str, result: Result = Result.COMMITTED, run: str = "r") -> AttemptEnded:
    return AttemptEnded(at_ms=0, run=run, attempt=attempt, result=result)


def worker(run: str, milestone: str = "M001", fleet: str = SESSION) -> RunStarted:
    return RunStarted(at_ms=0, run=run, pid=1, version="", command="auto", milestone=milestone, fleet=fleet)


def over(run: str = "r", milestone: str = "") -> RunEnded:
    return RunEnded(at_ms=0, run=run, state="paused", reason="", milestone=milestone)


def lost(run: str) -> WorkerLost:
    return WorkerLost(at_ms=0, run="coordinator", milestone="M001", worker_run=run, reason="killed")


def money(spent: int, run: str, *, milestone: str = "M001", name: str = "") -> list[AnyEvent]:
    """An attempt that is over and cost this."""
    attempt = name or f"of-{run}"
    return [began(attempt, unit=f"{milestone}/S01/T01", run=run), used(attempt, spent, run), ended(attempt, run=run)]


def prefer(own: float | None = None, fleet: float | None = None, **more: object) -> Preferences:
    parallel = Parallel()._replace(budget_ceiling=fleet)
    return Preferences()._replace(budget_ceiling=own, parallel=parallel, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "spent", "held", "unpriced", "presumed"),
    [
        ([], 0, 0, 0, 0),
        ([reserved("a", 100)], 0, 100, 0, 0),
        ([reserved("a", 100), used("a", 30)], 30, 70, 0, 0),
        ([reserved("a", 100), used("a", 30), used("a", 90)], 120, 0, 0, 0),
        ([reserved("a", 100), used("a", 30), ended("a")], 30, 0, 0, 0),
        ([reserved("a", 100), used("a", 30), ended("a"), reserved("b", 50)], 30, 50, 0, 0),
        ([reserved("a", 100), used("a", None)], 0, 100, 1, 100),
        ([reserved("a", 100), used("a", None), ended("a")], 0, 100, 1, 100),
        ([reserved("a", 100), used("a", 30), used("a", None), ended("a")], 30, 70, 1, 70),
        ([reserved("a", 100), used("a", 170), used("a", None), ended("a")], 170, 0, 1, 0),
        ([reserved("a", 100), used("a", None), over()], 0, 100, 1, 100),
        ([reserved("a", 100), used("a", 30), over()], 30, 0, 0, 0),
        ([reserved("a", 100, "r2"), used("a", 30, "r2"), over("r")], 30, 70, 0, 0),
        ([worker("r"), reserved("a", 100), used("a", 30), lost("r")], 30, 0, 0, 0),
        ([used("unknown", 5)], 5, 0, 0, 0),
        ([reserved("a", 100), used("a", 30), ended("a", Result.PROVIDER_ERROR)], 30, 0, 0, 0),
    ],
)
@pytest.mark.spec(id="FM-35")
def test_books(events: Sequence[AnyEvent], spent: int, held: int, unpriced: int, presumed: int) -> None:
    found = budget.books(events)
    assert found == Books(spent=spent, reserved=held, unpriced=unpriced, presumed=presumed)
    assert (found.committed, found.counted) == (spent + held, spent + presumed)


def test_what_others_spent_before_counts() -> None:
    assert budget.books([used("a", 5)], carried=1_000).committed == 1_005


FLEETS: Sequence[AnyEvent] = [
    worker("old", "M001", "f-0"), *money(1, "old"),
    worker("one", "M001"), *money(10, "one"),
    worker("again", "M001"), *money(100, "again"),
    worker("two", "M002"), *money(1_000, "two", milestone="M002"),
    worker("hand", "M003", ""), *money(10_000, "hand", milestone="M003"),
    RunStarted(at_ms=0, run="solo", pid=1, version="", command="auto"), *money(100_000, "solo"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("share", "spent"),
    [
        (Share(), 111_111),
        (Share(session=SESSION), 1_110),
        (Share(session="f-0"), 1),
        (Share(session=""), 10_000),
        (Share(session="f-9"), 0),
        (Share(milestone="M001"), 100_111),
        (Share(milestone="M002"), 1_000),
        (Share(session=SESSION, milestone="M001"), 110),
        (Share(milestone="M00"), 0),
    ],
)
@pytest.mark.spec(id="PR-140")
@pytest.mark.spec(id="FM-34")
@pytest.mark.spec(id="FM-36")
def test_whose_attempts_count(share: Share, spent: int) -> None:
    assert budget.books(FLEETS, of=share).spent == spent
    assert budget.books(reversed(FLEETS), of=share).spent == spent


def test_a_reservation_belongs_to_its_milestone_before_the_attempt_begins() -> None:
    events = [worker("one"), reserved("a", 100, "one"), worker("two", "M002"), reserved("b", 7, "two")]
    assert budget.books(events, of=Share(milestone="M001")).reserved == 100
    assert (
        budget.books([*events, began("b", unit="M001/S01/T09", run="two")], of=Share(milestone="M001")).reserved == 107
    )


@pytest.mark.parametrize(
    ("preferences", "session", "expected"),
    [
        (prefer(), None, ()),
        (prefer(), SESSION, ()),
        (prefer(own=2), None, (Ceiling(PROJECT, 2_000_000, carried=9),)),
        (prefer(fleet=5), None, ()),
        (
            prefer(own=2, fleet=5),
            SESSION,
            (
                Ceiling(FLEET, 5_000_000, Share(session=SESSION), setting="parallel.budget_ceiling"),
                Ceiling("M001", 2_000_000, Share(milestone="M001")),
            ),
        ),
        (
            prefer(own=2),
            SESSION,
            (Ceiling(FLEET, 2_000_000, Share(session=SESSION)), Ceiling("M001", 2_000_000, Share(milestone="M001"))),
        ),
        (
            prefer(fleet=5),
            "",
            (Ceiling(FLEET, 5_000_000, Share(session=""), setting="parallel.budget_ceiling"),),
        ),
    ],
)
@pytest.mark.spec(id="PR-063")
@pytest.mark.spec(id="PR-142")
def test_the_ceilings_of_a_worker(preferences: Preferences, session: str | None, expected: tuple[Ceiling, ...]) -> None:
    assert budget.ceilings_of(preferences, milestone="M001", session=session, carried=9) == expected


@pytest.mark.spec(id="FM-34")
@pytest.mark.spec(id="PR-142")
def test_the_history_of_the_project_does_not_stop_a_worker() -> None:
    events = [*money(50_000_000, "solo", milestone="M000"), worker("one"), *money(10, "one")]
    below = budget.ceilings_of(prefer(own=1), milestone="M001", session=SESSION, carried=90_000_000)
    assert budget.admit(Accounts(events), below, estimate=100, run="one") is None
    assert budget.passed(Accounts(events), below) is None
    alone = budget.ceilings_of(prefer(own=1), milestone="M001", session=None)
    assert budget.passed(Accounts(events), alone) is not None


@pytest.mark.parametrize(
    ("spent", "estimate", "ceiling", "fits"),
    [
        (0, 100, None, True),
        (900, 100, 1_000, True),
        (901, 100, 1_000, False),
        (1_000, 0, 1_000, True),
        (1_001, 0, 1_000, False),
        (0, 1, 0, False),
    ],
)
def test_admission(spent: int, estimate: int, ceiling: int | None, fits: bool) -> None:
    below = () if ceiling is None else (Ceiling(PROJECT, ceiling),)
    refused = budget.admit(Accounts([used("a", spent)]), below, estimate=estimate)
    assert refused == (None if fits else Refused(spent, estimate, ceiling or 0))


HELD: Sequence[AnyEvent] = [
    worker("one"), *money(300, "one"), reserved("a", 400, "one"), began("a", run="one"), used("a", 100, "one"),
    worker("two", "M002"), reserved("b", 200, "two"),
]  # fmt: skip
"""One: 400 spent, 300 held. Two: 200 held."""


@pytest.mark.parametrize(
    ("ceiling", "run", "gone", "expected"),
    [
        (1_000, "new", (), None),
        (999, "new", (), ("one", "two")),
        (500, "new", (), ("one", "two")),
        (499, "new", (), ()),
        (999, "one", (), ("two",)),
        (799, "one", (), ()),
        (999, "new", ("one",), None),
        (699, "new", ("one",), ("two",)),
        (500, "new", ("one", "two"), None),
        (499, "new", ("one", "two"), ()),
    ],
)
@pytest.mark.spec(id="FM-35")
def test_what_others_only_reserved_can_be_waited_for(
    ceiling: int, run: str, gone: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    below = (Ceiling(FLEET, ceiling, Share(session=SESSION)),)
    refused = budget.admit(Accounts(HELD), below, estimate=100, run=run, gone=gone)
    assert (refused.holders if refused else None) == expected


def test_what_an_unpriced_attempt_holds_is_not_waited_for() -> None:
    events = [worker("one"), reserved("a", 900, "one"), used("a", None, "one")]
    refused = budget.admit(Accounts(events), (Ceiling(FLEET, 950, Share(session=SESSION)),), estimate=100, run="two")
    assert refused == Refused(900, 100, 950, FLEET)


def test_a_refusal_that_no_waiting_helps_comes_first() -> None:
    fleet, own = Ceiling(FLEET, 950, Share(session=SESSION)), Ceiling("M003", 50, Share(milestone="M003"))
    events = [worker("one"), reserved("a", 900, "one")]
    refused = budget.admit(Accounts(events), (fleet, own), estimate=100, run="two")
    assert refused is not None
    assert (refused.scope, refused.holders) == ("M003", ())


@pytest.mark.parametrize(
    ("spent", "scope"),
    [((0, 0), None), ((600, 400), None), ((600, 401), FLEET), ((701, 0), "M001"), ((0, 1_001), FLEET)],
)
@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="DV-02")
def test_a_ceiling_that_is_really_passed(spent: tuple[int, int], scope: str | None) -> None:
    own, other = spent
    events = [worker("one"), *money(own, "one"), worker("two", "M002"), *money(other, "two", milestone="M002")]
    below = (Ceiling(FLEET, 1_000, Share(session=SESSION)), Ceiling("M001", 700, Share(milestone="M001")))
    refused = budget.passed(Accounts([*events, reserved("open", 5_000, "two")]), below)
    assert (refused.scope if refused else None) == scope


def test_what_has_no_price_counts_at_its_reservation_in_mid_unit() -> None:
    events = [reserved("a", 600), used("a", None), reserved("b", 600), used("b", 399)]
    assert budget.passed(Accounts(events), (Ceiling(PROJECT, 1_000),)) is None
    refused = budget.passed(Accounts([*events, used("b", 2)]), (Ceiling(PROJECT, 1_000),))
    assert refused is not None
    assert refused.committed == 1_001


@pytest.mark.parametrize(
    ("events", "ceilings", "expected"),
    [
        ([], (), budget.FIRST_ESTIMATE_MICRO_USD),
        ([], (1_000_000,), 100_000),
        ([], (50_000_000,), budget.FIRST_ESTIMATE_MICRO_USD),
        ([], (50_000_000, 700_000, 800_000), 70_000),
        ([began("a"), used("a", 300), ended("a")], (1_000_000,), 300),
        ([began("a"), used("a", 300), ended("a"), began("b"), used("b", 100), used("b", 100), ended("b")], (), 250),
        ([began("a"), used("a", 0), ended("a")], (1_000_000,), 0),
        ([began("a"), used("a", 300)], (1_000_000,), 100_000),
        ([began("a"), used("a", None), ended("a")], (1_000_000,), 100_000),
        ([began("a"), used("a", None), used("a", 7), ended("a")], (1_000_000,), 100_000),
        ([began("a", "plan-slice"), used("a", 9), ended("a")], (1_000_000,), 100_000),
        ([began("a", unit="M009/S01/T01"), used("a", 300), ended("a")], (1_000_000,), 300),
    ],
)
def test_an_estimate_is_the_mean_of_its_kind(
    events: Sequence[AnyEvent], ceilings: tuple[int, ...], expected: int
) -> None:
    below = [Ceiling(PROJECT, amount) for amount in ceilings]
    assert budget.estimate(Accounts(events), "execute-task", below) == expected


def said(percent: int, ceiling: int = 100, scope: str = PROJECT, run: str = "r") -> BudgetAlerted:
    return BudgetAlerted(at_ms=0, run=run, percent=percent, ceiling_micro_usd=ceiling, scope=scope)


@pytest.mark.parametrize(
    ("spent", "before", "ceiling", "level"),
    [
        (74, [], 100, None),
        (75, [], 100, 75),
        (99, [], 100, 90),
        (250, [], 100, 100),
        (79, [said(75)], 100, None),
        (80, [said(75)], 100, 80),
        (250, [said(100)], 100, None),
        (80, [said(90, ceiling=50)], 100, 80),
        (80, [said(90, scope=FLEET), said(80, scope="M001")], 100, 80),
        (5, [], 0, None),
    ],
)
def test_a_level_is_announced_once(spent: int, before: list[AnyEvent], ceiling: int, level: int | None) -> None:
    events = [used("a", spent), *before]
    assert budget.crossed(Accounts(events), events, Ceiling(PROJECT, ceiling)) == level


@pytest.mark.parametrize(
    ("by", "level"), [("one", None), ("two", None), ("old", 80), ("unknown", 80)]
)  # fmt: skip
def test_a_session_announces_its_own_levels(by: str, level: int | None) -> None:
    ceiling = Ceiling(FLEET, 100, Share(session=SESSION))
    events = [worker("old", fleet="f-0"), worker("one"), worker("two", "M002"), *money(80, "one")]
    events.append(said(80, scope=FLEET, run=by))
    assert budget.crossed(Accounts(events), events, ceiling) == level


@pytest.mark.spec(id="PR-140")
@pytest.mark.spec(id="PR-197")
@pytest.mark.spec(id="PR-317")
def test_where_the_money_of_a_session_went() -> None:
    found = budget.standing([*FLEETS, reserved("open", 40, "two")], SESSION, budget.Limits(fleet=2_000, own=1_500))
    assert {name: line.books.spent for name, line in found.workers.items()} == {"M001": 110, "M002": 1_000}
    assert sum(line.books.spent for line in found.workers.values()) == found.fleet.books.spent == 1_110
    assert sum(line.books.reserved for line in found.workers.values()) == found.fleet.books.reserved == 40
    assert (found.fleet.ceiling, found.fleet.left) == (2_000, 850)
    assert (found.workers["M002"].ceiling, found.workers["M002"].left) == (1_500, 460)
    assert found.workers["M001"].left == 0, "what a solo run spent on the milestone is in the milestone's own books"
    assert (found.fleet.used, found.workers["M001"].used) == (1_110, 100_111)
    assert (found.fleet.reached, found.workers["M001"].reached, found.workers["M002"].reached) == (False, True, False)
    again = budget.standing([*FLEETS, reserved("open", 40, "two")], SESSION, budget.Limits(fleet=2_000, own=1_500))
    assert again == found


@pytest.mark.spec(id="PR-197")
def test_a_standing_without_ceilings_and_one_that_is_reached() -> None:
    free = budget.standing(FLEETS, SESSION, budget.Limits(fleet=None, own=None))
    assert (free.fleet.left, free.fleet.reached, free.workers["M001"].left) == (None, False, None)
    full = budget.standing(FLEETS, SESSION, budget.Limits(fleet=1_110, own=None))
    assert (full.fleet.left, full.fleet.reached) == (0, True)
    nothing = budget.standing([], SESSION, budget.Limits(fleet=1, own=1))
    assert (nothing.workers, nothing.fleet.books.committed) == ({}, 0)


@settings(max_examples=200, deadline=None)
@given(
    ceiling=st.integers(0, 400),
    moves=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["ask", "spend", "end"]), st.integers(0, 120)), max_size=60
    ),
)
@pytest.mark.spec(id="FM-35")
def test_what_is_promised_stays_below_the_ceiling_and_what_is_spent_near_it(
    ceiling: int, moves: list[tuple[int, str, int]]
) -> None:
    """Four workers in any order: the rules, as the workers use them, keep the bound that the documentation states."""
    below = (Ceiling(FLEET, ceiling, Share(session=SESSION)),)
    events: list[AnyEvent] = [worker(f"r{n}", f"M00{n}") for n in range(4)]
    open_: dict[int, str] = {}
    after: dict[int, int] = {}
    for count, (who, what, amount) in enumerate(moves):
        accounts, run = Accounts(events), f"r{who}"
        if what == "ask" and who not in open_:
            if budget.admit(accounts, below, estimate=amount, run=run) is None:
                assert accounts.books(below[0].of).committed + amount <= ceiling
                open_[who] = f"a{count}"
                events += [reserved(open_[who], amount, run), began(open_[who], unit=f"M00{who}/S01/T01", run=run)]
        elif what == "spend" and who in open_:
            was_over = budget.passed(accounts, below) is not None
            events.append(used(open_[who], amount, run))
            if was_over:
                assert who not in after, "a second request after the ceiling was passed"
            if budget.passed(Accounts(events), below):
                after[who] = amount
                events.append(ended(open_.pop(who), Result.OVER_BUDGET, run))
        elif what == "end" and who in open_:
            events.append(ended(open_.pop(who), run=run))
    assert budget.books(events).spent <= ceiling + sum(after.values())


def test_two_workers_cannot_both_reserve_the_last_dollar(tmp_path: Path) -> None:
    won: list[str] = []
    gate = threading.Barrier(8)
    below = (Ceiling(PROJECT, 1_000_000),)

    def reserve(name: str) -> None:
        gate.wait()
        refused = Journal(tmp_path, name).append_unless(
            lambda events: budget.admit(Accounts(events), below, estimate=400_000),
            reserved(f"{name}-1", 400_000),
        )
        if refused is None:
            won.append(name)

    threads = [threading.Thread(target=reserve, args=(f"M{n:03d}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 2
    assert budget.books(Journal(tmp_path, "project").everything()).reserved == 800_000


@pytest.mark.spec(id="PR-314")
@pytest.mark.spec(id="PR-315")
@pytest.mark.spec(id="PR-317")
def test_torn_and_foreign_lines_cost_nothing_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    for event in (worker("one"), *money(40, "one")):
        journal.append(event)
    usage = b'{"event":"usage-reported","atMs":1,"run":"one","attempt":"x","model":"m","input":1,"output":1,"microUsd":'
    with (tmp_path / "journal" / "M001.jsonl").open("ab") as file:
        file.write(b"not json at all\n" + usage + b'"dear"}\n' + usage + b"70")
    for _ in range(3):
        assert budget.books(journal.everything(), of=Share(session=SESSION)).spent == 40
