"""What is left will cost about what the finished slices did."""

import pytest

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.rules import projection
from milepost.rules.projection import Projection


def unit(
    kind: str, name: str, *prices: int | None, result: Result = Result.COMMITTED, flat: bool = False
) -> list[AnyEvent]:
    attempt = f"{kind} {name} {result} {prices}"
    return [
        AttemptStarted(
            at_ms=1, run="r", attempt=attempt, kind=kind, unit=name, base="", branch="", fingerprint="", number=1
        ),
        *(
            UsageReported(at_ms=2, run="r", attempt=attempt, model="m", input=1, output=1, micro_usd=p, flat=flat)
            for p in prices
        ),
        AttemptEnded(at_ms=3, run="r", attempt=attempt, result=result),
    ]


def test_a_finished_slice_costs_what_all_its_attempts_did() -> None:
    events = [
        *unit("plan-milestone", "M001", 99),
        *unit("plan-slice", "M001/S01", 10),
        *unit("execute-task", "M001/S01/T01", 5, result=Result.VERIFY_FAILED),
        *unit("execute-task", "M001/S01/T01", 7),
        *unit("complete-slice", "M001/S01", 1),
        *unit("reassess-roadmap", "M001/S01", 2),
        *unit("plan-slice", "M001/S02", 10),
        *unit("complete-slice", "M001/S02", 1, result=Result.UNFINISHED),
    ]
    assert projection.finished_slices(events) == {"M001/S01": 25}


def test_a_slice_whose_cost_is_not_known_says_nothing() -> None:
    events = [
        *unit("complete-slice", "M001/S01", 1),
        *unit("execute-task", "M001/S02/T01", None, 4),
        *unit("complete-slice", "M001/S02", 1),
        *unit("execute-task", "M001/S03/T01", None, flat=True),
        *unit("complete-slice", "M001/S03", 1),
    ]
    assert projection.finished_slices(events) == {"M001/S01": 1}


@pytest.mark.spec(id="PR-242")
def test_two_slices_are_enough() -> None:
    assert projection.project([100], 3) is None
    assert projection.project([], 3) is None
    found = projection.project([100_000, 300_000], 3)
    assert found == Projection(low=360_000, likely=600_000, high=840_000, remaining=3, per_slice=200_000, finished=2)


def test_the_range_is_that_of_the_percentiles() -> None:
    costs = list(range(0, 1_100_000, 100_000))
    found = projection.project(costs, 2)
    assert found is not None
    assert (found.low, found.likely, found.high) == (200_000, 1_000_000, 1_800_000)
    assert projection.quantile([7], 90) == 7


def test_nothing_left_costs_nothing() -> None:
    found = projection.project([5, 6], 0)
    assert found is not None
    assert (found.low, found.likely, found.high) == (0, 0, 0)


SEEN = Projection(low=1_000_000, likely=2_000_000, high=3_000_000, remaining=4, per_slice=500_000, finished=5)


def test_the_line_as_documented() -> None:
    said = projection.lines(SEEN, spent=0, ceiling=None)
    assert said[0] == "Projected remaining: $2.00 ($0.500/slice avg × 4 remaining)"
    assert said[1] == "Range: $1.00 to $3.00 (10th to 90th percentile of 5 finished slices)"
    assert len(said) == 2


@pytest.mark.parametrize(
    ("spent", "ceiling", "word"),
    [
        (5_000_000, 5_000_000, "Ceiling reached: $5.00 of $5.00"),
        (4_000_000, 5_200_000, "reached after about 2 of 4 remaining slices"),
        (0, 2_500_000, "not if they are dear ones"),
        (0, 3_000_000, ""),
    ],
    ids=["reached", "on the way", "perhaps", "enough"],
)  # fmt: skip
def test_when_the_ceiling_is_reached(spent: int, ceiling: int, word: str) -> None:
    said = projection.lines(SEEN, spent=spent, ceiling=ceiling)[2:]
    assert (word in said[0]) if word else said == ()
