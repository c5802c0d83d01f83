"""One fold of what was spent; every table of it adds up to the total."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.model.units import UnitKind
from milepost.rules import budget
from milepost.rules.accounts import Accounts
from milepost.ui.views import spending
from milepost.ui.views.spending import NOTHING, By, Spent


def begun(name: str, kind: str, unit: str, *, at_ms: int = 1, tier: str = "", agent: str = "builtin") -> AttemptStarted:
    return AttemptStarted(
        at_ms=at_ms, run="r", attempt=name, kind=kind, unit=unit, base="", branch="", fingerprint="", number=1,
        tier=tier, agent=agent,
    )  # fmt: skip


def asked(name: str, micro_usd: int | None, *, at_ms: int = 2, model: str = "m", flat: bool = False) -> UsageReported:
    return UsageReported(
        at_ms=at_ms, run="r", attempt=name, model=model, input=6, output=4, cache_read=2, micro_usd=micro_usd, flat=flat
    )


def ended(name: str, result: Result = Result.COMMITTED, *, at_ms: int = 9) -> AttemptEnded:
    return AttemptEnded(at_ms=at_ms, run="r", attempt=name, result=result)


EVENTS: list[AnyEvent] = [
    begun("a", "research-milestone", "M001"),
    asked("a", 100, model="cheap"),
    ended("a"),
    begun("b", "plan-slice", "M001/S02", tier="heavy"),
    asked("b", 700, model="dear"),
    ended("b"),
    begun("c", "execute-task", "M001/S02/T01", tier="light"),
    asked("c", None, model="strange"),
    asked("c", 50, model="cheap"),
    ended("c", Result.VERIFY_FAILED),
    begun("d", "execute-task", "M001/S01/T01", tier="light", agent="other"),
    asked("d", None, model="plan/x", flat=True),
    begun("e", "complete-slice", "M001/S01"),
    asked("e", 3, model="cheap"),
    begun("f", "reassess-roadmap", "M001/S01"),
    asked("f", 2, model="cheap"),
    begun("g", "validate-milestone", "M001"),
]
FOUND = spending.attempts(EVENTS)


def names(by: By) -> list[str]:
    return [row.name for row in spending.table(FOUND, by)]


@pytest.mark.spec(id="PR-242")
def test_the_tables_and_their_order() -> None:
    assert names(By.PHASE) == ["research", "planning", "execution", "completion", "reassessment"]
    assert names(By.SLICE) == ["M001", "M001/S01", "M001/S02"]
    assert names(By.MODEL) == ["dear", "cheap", "plan/x", "strange"] or names(By.MODEL)[:2] == ["dear", "cheap"]
    assert names(By.TIER) == ["light", "heavy", "unknown"]
    assert names(By.AGENT) == ["builtin", "other"]
    assert names(By.UNIT)[0] == "plan-slice M001/S02"


def test_what_is_not_known_is_said_and_never_nothing() -> None:
    rows = {row.name: row.spent for row in spending.table(FOUND, By.MODEL)}
    assert spending.show(rows["strange"]) == "1 request of unknown price"
    assert spending.show(rows["plan/x"]) == "flat rate: 12 tokens"
    assert spending.show(rows["dear"]) == "$0.0007"
    assert spending.show(spending.whole(FOUND)) == "$0.0009 and 1 request of unknown price and flat rate: 12 tokens"
    assert spending.show(NOTHING) == "$0.00"


def test_an_attempt() -> None:
    by_id = {attempt.id: attempt for attempt in FOUND}
    assert [a.id for a in FOUND] == list("abcdefg")
    assert (by_id["c"].failed, by_id["b"].failed, by_id["g"].failed) == (True, False, False)
    assert by_id["c"].models == ("strange", "cheap")
    assert by_id["b"].duration_ms == 8
    assert (by_id["g"].duration_ms, by_id["g"].result) == (None, "running")


def test_a_request_whose_attempt_is_not_known_is_counted() -> None:
    found = spending.attempts([asked("lost", 5)])
    assert spending.whole(found).micro_usd == 5
    assert [row.name for row in spending.table(found, By.SLICE)] == ["unknown"]
    assert [row.name for row in spending.table(found, By.PHASE)] == ["execution"]


def test_a_day_ends_where_the_zone_says() -> None:
    late = 1_763_769_540_000  # 2025-11-21 23:59 UTC
    found = spending.attempts([begun("a", "plan-slice", "M001/S01"), asked("a", 1, at_ms=late)])
    assert [row.name for row in spending.table(found, By.DAY, zone=UTC)] == ["2025-11-21"]
    east = timezone(timedelta(hours=2))
    assert [row.name for row in spending.table(found, By.DAY, zone=east)] == ["2025-11-22"]


@pytest.mark.parametrize("kind", [*UnitKind, "hook/review", "triage-captures", ""])
def test_every_kind_has_a_phase(kind: str) -> None:
    assert spending.phase(kind) in spending.PHASES


requests = st.builds(
    UsageReported,
    at_ms=st.integers(0, 2_000_000_000_000),
    run=st.just("r"),
    attempt=st.sampled_from("abcdef"),
    model=st.sampled_from(["", "x", "y"]),
    input=st.integers(0, 10**6),
    output=st.integers(0, 10**6),
    cache_read=st.integers(0, 10**6),
    cache_write=st.integers(0, 10**6),
    micro_usd=st.one_of(st.none(), st.integers(0, 10**9)),
)
flat = st.builds(
    UsageReported,
    at_ms=st.just(0),
    run=st.just("r"),
    attempt=st.sampled_from("abcdef"),
    model=st.just("f"),
    input=st.integers(0, 10**6),
    output=st.just(0),
    flat=st.just(True),
)
starts = st.builds(
    begun,
    st.sampled_from("abcd"),
    st.sampled_from([*UnitKind, "hook/x"]),
    st.sampled_from(["M001", "M001/S01", "M001/S01/T02", "M002/S01"]),
    tier=st.sampled_from(["", "light", "standard", "heavy", "odd"]),
    agent=st.sampled_from(["", "builtin"]),
)


@given(st.lists(st.one_of(requests, flat, starts, st.builds(ended, st.sampled_from("abcdef")))))
@pytest.mark.spec(id="PR-242")
def test_every_table_adds_up(events: list[AnyEvent]) -> None:
    found = spending.attempts(events)
    whole = spending.whole(found)
    assert whole == spending.total(event for event in events if isinstance(event, UsageReported))
    for by in By:
        rows = spending.table(found, by, zone=UTC)
        assert sum((row.spent for row in rows), Spent()) == whole
        assert len({row.name for row in rows}) == len(rows)
    books = budget.books(events)
    assert (books.spent, books.unpriced) == (whole.micro_usd, whole.unpriced)


BESIDE: list[AnyEvent] = [
    begun("M001-S01-T01.x", "execute-task", "M001/S01/T01", agent="other"),
    asked("M001-S01-T01.x", 100),
    ended("M001-S01-T01.x"),
    asked("memory.M001-S01-T01.x", 7),
    ended("memory.M001-S01-T01.x", Result.UNFINISHED),
    asked("forensics.f1", 5),
    ended("forensics.f1"),
    asked("forensics.f2", 1),
]


def test_what_is_asked_beside_the_work_says_what_for() -> None:
    """Nothing of it is `unknown`, is taken for work, or is missing from the sum of a table."""
    found = spending.attempts(BESIDE)

    def made(by: By) -> list[tuple[str, int]]:
        return [(row.name, row.spent.micro_usd) for row in spending.table(found, by)]

    assert made(By.PHASE) == [("execution", 100), ("memory", 7), ("forensics", 6)]
    assert made(By.UNIT) == [("execute-task M001/S01/T01", 100), ("memory M001/S01/T01", 7), ("forensics", 6)]
    assert made(By.SLICE) == [("M001/S01", 107), ("none", 6)]
    assert made(By.TIER) == [("none", 13), ("unknown", 100)]
    assert made(By.AGENT)[0] == ("other", 107)
    by_id = {attempt.id: attempt for attempt in found}
    assert [by_id[n].result for n in ("memory.M001-S01-T01.x", "forensics.f1", "forensics.f2")] == [
        "ended", "ended", "running",
    ]  # fmt: skip
    assert not any(attempt.failed for attempt in found)
    assert spending.whole(spending.of_milestone(BESIDE, "M001")).micro_usd == 107
    assert spending.whole(spending.of_milestone(BESIDE, "")).micro_usd == 113


def test_what_was_asked_beside_the_work_tells_what_the_next_one_will_cost() -> None:
    accounts = Accounts(BESIDE)
    assert budget.estimate(accounts, "forensics") == 5
    assert budget.estimate(accounts, "memory") == 7
