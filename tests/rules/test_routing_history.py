"""What attempts teach about tiers."""

from itertools import count

import pytest

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CapReset, Rated, Result
from milepost.model.units import Unit, UnitKind
from milepost.rules.complexity import Tier
from milepost.rules.routing_history import RATINGS, Count, failing, floor, patterns, ratings

UNIT = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")
_numbers = count()


def attempt(
    result: Result, tier: str = "light", *, routed: str = "why", tags: tuple[str, ...] = (), unit: Unit = UNIT
) -> list[AnyEvent]:
    name = f"a{next(_numbers)}"
    begun = AttemptStarted(
        at_ms=1, run="r", attempt=name, kind=unit.kind, unit=unit.id, base="", branch="", fingerprint="", number=1,
        tier=tier, routed=routed, tags=tags,
    )  # fmt: skip
    return [begun, AttemptEnded(at_ms=2, run="r", attempt=name, result=result)]


def rated(rating: str, tier: str = "light") -> Rated:
    return Rated(at_ms=3, run="r", kind=UNIT.kind, unit=UNIT.id, tier=tier, rating=rating)


def test_outcomes_are_counted_per_kind_and_tag() -> None:
    events = [
        *attempt(Result.COMMITTED, tags=("docs",)),
        *attempt(Result.VERIFY_FAILED),
        *attempt(Result.TIMED_OUT, "standard"),
        *attempt(Result.UNFINISHED),
        *attempt(Result.PROVIDER_ERROR),
        *attempt(Result.INTERRUPTED),
        *attempt(Result.COMMITTED, routed=""),
    ]
    assert patterns(events) == {
        "execute-task": {Tier.LIGHT: Count(1, 2), Tier.STANDARD: Count(0, 1)},
        "execute-task:docs": {Tier.LIGHT: Count(1, 0)},
    }


@pytest.mark.parametrize(
    ("good", "bad", "expected"), [(0, 2, False), (2, 1, True), (4, 1, False), (8, 2, False), (7, 2, True)]
)
def test_more_than_a_fifth_of_three_or_more(good: int, bad: int, expected: bool) -> None:
    events = [e for _ in range(good) for e in attempt(Result.COMMITTED)]
    events += [e for _ in range(bad) for e in attempt(Result.UNFINISHED)]
    assert failing(patterns(events), "execute-task", (), Tier.LIGHT) is expected
    assert not failing(patterns(events), "execute-task", (), Tier.STANDARD)
    assert not failing(patterns(events), "plan-slice", (), Tier.LIGHT)


def test_a_tag_may_fail_where_the_kind_does_not() -> None:
    events = [e for _ in range(20) for e in attempt(Result.COMMITTED)]
    events += [e for _ in range(3) for e in attempt(Result.UNFINISHED, tags=("test",))]
    known = patterns(events)
    assert failing(known, "execute-task", ("test",), Tier.LIGHT)
    assert not failing(known, "execute-task", ("docs",), Tier.LIGHT)


def test_old_outcomes_fade() -> None:
    events = [e for _ in range(200) for e in attempt(Result.UNFINISHED)]
    assert patterns(events)["execute-task"][Tier.LIGHT] == Count(0, 50)
    events += [e for _ in range(200) for e in attempt(Result.COMMITTED)]
    assert not failing(patterns(events), "execute-task", (), Tier.LIGHT)


def test_a_rating_counts_twice() -> None:
    assert patterns([rated("under")])["execute-task"] == {Tier.LIGHT: Count(0, 2)}
    assert patterns([rated("ok")])["execute-task"] == {Tier.LIGHT: Count(2, 0)}
    assert patterns([rated("over", "heavy")])["execute-task"] == {Tier.STANDARD: Count(2, 0)}
    assert patterns([rated("over")])["execute-task"] == {Tier.LIGHT: Count(2, 0)}


def test_the_latest_ratings_count() -> None:
    events = [rated("under", "heavy"), *(rated("ok") for _ in range(RATINGS))]
    assert len(ratings(events)) == RATINGS
    assert Tier.HEAVY not in patterns(events)["execute-task"]


def test_floor_of_a_unit_that_failed() -> None:
    other = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02")
    assert floor([], UNIT) is None
    assert floor(attempt(Result.UNFINISHED, unit=other), UNIT) is None
    once = attempt(Result.UNFINISHED, routed="")
    assert floor(once, UNIT) is Tier.STANDARD
    twice = [*once, *attempt(Result.VERIFY_FAILED, "standard")]
    assert floor(twice, UNIT) is Tier.HEAVY
    assert floor([*twice, *attempt(Result.TIMED_OUT, "light")], UNIT) is Tier.HEAVY
    assert floor([*once, *attempt(Result.PROVIDER_ERROR, "heavy")], UNIT) is Tier.STANDARD
    assert floor([*twice, *attempt(Result.COMMITTED, "heavy")], UNIT) is None
    assert floor([*twice, CapReset(at_ms=9, run="r", unit=UNIT.key)], UNIT) is None
    assert floor(attempt(Result.UNFINISHED, ""), UNIT) is None
