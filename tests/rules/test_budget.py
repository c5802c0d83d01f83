"""Money as the journal tells it, and whether one more attempt fits."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetReserved,
    Result,
    UsageReported,
)
from milepost.rules import budget
from milepost.rules.budget import Books, Refused
from milepost.store.journal import Journal


def began(attempt: str, kind: str = "execute-task") -> AttemptStarted:
    return AttemptStarted(
        at_ms=0, run="r", attempt=attempt, kind=kind, unit="M001/S01/T01", base="", branch="", fingerprint="", number=1
    )  # fmt: skip


def reserved(attempt: str, amount: int) -> BudgetReserved:
    return BudgetReserved(at_ms=0, run="r", attempt=attempt, micro_usd=amount)


def used(attempt: str, amount: int | None) -> UsageReported:
    return UsageReported(at_ms=0, run="r", attempt=attempt, model="m", input=1, output=1, micro_usd=amount)


def ended(attempt: str, result: Result = Result.COMMITTED) -> AttemptEnded:
    return AttemptEnded(at_ms=0, run="r", attempt=attempt, result=result)


@pytest.mark.parametrize(
    ("events", "spent", "held", "unpriced"),
    [
        ([], 0, 0, 0),
        ([reserved("a", 100)], 0, 100, 0),
        ([reserved("a", 100), used("a", 30)], 30, 70, 0),
        ([reserved("a", 100), used("a", 30), used("a", 90)], 120, 0, 0),
        ([reserved("a", 100), used("a", 30), ended("a")], 30, 0, 0),
        ([reserved("a", 100), used("a", 30), ended("a"), reserved("b", 50)], 30, 50, 0),
        ([reserved("a", 100), used("a", None)], 0, 100, 1),
        ([reserved("a", 100), used("a", None), ended("a")], 0, 100, 1),
        ([reserved("a", 100), used("a", 30), used("a", None), ended("a")], 30, 70, 1),
        ([reserved("a", 100), used("a", 170), used("a", None), ended("a")], 170, 0, 1),
        ([used("unknown", 5)], 5, 0, 0),
    ],
)
def test_books(events: Sequence[AnyEvent], spent: int, held: int, unpriced: int) -> None:
    assert budget.books(events) == Books(spent=spent, reserved=held, unpriced=unpriced)


def test_what_others_spent_before_counts() -> None:
    assert budget.books([used("a", 5)], carried=1_000).committed == 1_005


@pytest.mark.parametrize(
    ("committed", "estimate", "ceiling", "fits"),
    [
        (0, 100, None, True),
        (900, 100, 1_000, True),
        (901, 100, 1_000, False),
        (1_000, 0, 1_000, True),
        (1_001, 0, 1_000, False),
        (0, 1, 0, False),
    ],
)
def test_admission(committed: int, estimate: int, ceiling: int | None, fits: bool) -> None:
    refused = budget.admit(Books(spent=committed, reserved=0, unpriced=0), estimate=estimate, ceiling=ceiling)
    assert refused == (None if fits else Refused(committed, estimate, ceiling or 0))


@pytest.mark.parametrize(
    ("events", "ceiling", "expected"),
    [
        ([], None, budget.FIRST_ESTIMATE_MICRO_USD),
        ([], 1_000_000, 100_000),
        ([], 50_000_000, budget.FIRST_ESTIMATE_MICRO_USD),
        ([began("a"), used("a", 300), ended("a")], 1_000_000, 300),
        ([began("a"), used("a", 300), ended("a"), began("b"), used("b", 100), used("b", 100), ended("b")], None, 250),
        ([began("a"), used("a", 300)], 1_000_000, 100_000),
        ([began("a"), used("a", None), ended("a")], 1_000_000, 100_000),
        ([began("a", "plan-slice"), used("a", 9), ended("a")], 1_000_000, 100_000),
    ],
)
def test_an_estimate_is_the_mean_of_its_kind(events: Sequence[AnyEvent], ceiling: int | None, expected: int) -> None:
    assert budget.estimate(events, "execute-task", ceiling=ceiling) == expected


def said(percent: int, ceiling: int = 100) -> BudgetAlerted:
    return BudgetAlerted(at_ms=0, run="r", percent=percent, ceiling_micro_usd=ceiling)


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
        (5, [], None, None),
        (5, [], 0, None),
    ],
)
def test_a_level_is_announced_once(spent: int, before: list[AnyEvent], ceiling: int | None, level: int | None) -> None:
    assert budget.crossed(Books(spent=spent, reserved=0, unpriced=0), before, ceiling=ceiling) == level


def test_two_workers_cannot_both_reserve_the_last_dollar(tmp_path: Path) -> None:
    won: list[str] = []
    gate = threading.Barrier(8)

    def reserve(name: str) -> None:
        gate.wait()
        refused = Journal(tmp_path, name).append_unless(
            lambda events: budget.admit(budget.books(events), estimate=400_000, ceiling=1_000_000),
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
