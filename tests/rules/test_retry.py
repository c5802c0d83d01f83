"""How often a unit was tried, counted over restarts."""

from collections.abc import Sequence

import pytest

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CapReset, Result
from milepost.model.units import Unit, UnitKind
from milepost.rules import retry
from milepost.rules.retry import History

UNIT = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")


def tried(name: str, result: Result | None = None, *, inputs: str = "f1", unit: Unit = UNIT) -> list[AnyEvent]:
    """One attempt; `result` None: it is still open."""
    start = AttemptStarted(
        at_ms=0, run=f"r-{name}", attempt=name, kind=unit.kind, unit=unit.id, base="", branch="", fingerprint=inputs,
        number=1,
    )  # fmt: skip
    end = [AttemptEnded(at_ms=0, run=f"r-{name}", attempt=name, result=result, reason=f"why {name}")] if result else []
    return [start, *end]


def reset(unit: str) -> list[AnyEvent]:
    return [CapReset(at_ms=0, run="r", unit=unit)]


def past(*parts: Sequence[AnyEvent], inputs: str = "f1") -> History:
    return retry.history([event for part in parts for event in part], UNIT, inputs)


def test_nothing_was_tried() -> None:
    assert past() == History(total=0, same_input=0, gate_failures=0, lifetime=0, last=None, last_reason="")


@pytest.mark.parametrize("result", [Result.UNFINISHED, Result.CRASHED, Result.TIMED_OUT, Result.COMMITTED])
def test_endings_that_are_charged(result: Result) -> None:
    found = past(tried("a", result))
    assert (found.total, found.same_input, found.lifetime, found.last) == (1, 1, 1, result)


@pytest.mark.parametrize("result", [Result.INTERRUPTED, Result.OVER_BUDGET, Result.PROVIDER_ERROR, Result.INCONCLUSIVE])
def test_endings_that_say_nothing_about_the_unit(result: Result) -> None:
    found = past(tried("a", result))
    assert (found.total, found.same_input, found.lifetime, found.last) == (1, 0, 0, result)


def test_an_open_attempt_is_charged_and_hides_no_reason() -> None:
    found = past(tried("a", Result.UNFINISHED), tried("b"))
    assert (found.same_input, found.last, found.last_reason) == (2, None, "")


def test_failed_gates_are_counted_apart() -> None:
    found = past(tried("a", Result.VERIFY_FAILED), tried("b", Result.UNFINISHED), tried("c", Result.VERIFY_FAILED))
    assert (found.same_input, found.gate_failures, found.lifetime, found.last_reason) == (1, 2, 3, "why c")


def test_other_inputs_earn_new_attempts_but_not_a_new_life() -> None:
    found = past(tried("a", Result.UNFINISHED), tried("b", Result.VERIFY_FAILED), inputs="f2")
    assert (found.same_input, found.gate_failures, found.lifetime) == (0, 0, 2)


def test_other_units_do_not_count() -> None:
    same_id = Unit(UnitKind.COMPLETE_SLICE, UNIT.id)
    same_kind = Unit(UNIT.kind, "M001/S01/T02")
    assert past(tried("a", Result.UNFINISHED, unit=same_id), tried("b", Result.UNFINISHED, unit=same_kind)).total == 0


@pytest.mark.parametrize(("unit", "counts"), [(UNIT.key, 0), ("*", 0), ("execute-task/M001/S01/T02", 2)])
def test_a_person_resets(unit: str, counts: int) -> None:
    found = past(tried("a", Result.UNFINISHED), tried("b", Result.VERIFY_FAILED), reset(unit))
    assert (found.lifetime, found.total) == (counts, 2)
    again = past(tried("a", Result.UNFINISHED), reset("*"), tried("b", Result.UNFINISHED))
    assert (again.same_input, again.total, again.last_reason) == (1, 2, "why b")


def test_the_end_of_an_attempt_begun_before_a_reset_is_forgotten_too() -> None:
    start, end = tried("a", Result.UNFINISHED)
    assert past([start], reset("*"), [end]).lifetime == 0


@pytest.mark.parametrize(
    ("same", "gates", "life", "retries", "reason"),
    [
        (0, 0, 0, 2, None),
        (2, 0, 2, 2, None),
        (3, 0, 3, 2, "tried 3 times on the same inputs without finishing"),
        (0, 1, 1, 0, "the gate failed 1 times"),
        (0, 2, 2, 2, None),
        (0, 3, 3, 2, "the gate failed 3 times"),
        (2, 2, 4, 2, None),
        (0, 0, 5, 2, None),
        (0, 0, 6, 2, "tried 6 times in all"),
        (0, 0, 6, 10, None),
        (0, 0, 14, 10, "tried 14 times in all"),
    ],
)
def test_caps(same: int, gates: int, life: int, retries: int, reason: str | None) -> None:
    found = retry.capped(History(life, same, gates, life, None, ""), gate_retries=retries)
    assert (found.reason if found else None) == reason


@pytest.mark.parametrize(
    ("late", "reason"), [(1, None), (2, "ran out of time 2 times"), (3, "ran out of time 3 times")]
)
def test_running_out_of_time_is_tried_once_more(late: int, reason: str | None) -> None:
    found = past(*(tried(f"a{number}", Result.TIMED_OUT) for number in range(late)))
    assert found.late == late
    capped = retry.capped(found, gate_retries=2)
    assert (capped.reason if capped else None) == reason
    assert capped is None or capped.late


def test_other_inputs_have_their_own_time() -> None:
    parts = (tried("a", Result.TIMED_OUT, inputs="f2"), tried("b", Result.TIMED_OUT))
    assert past(*parts).late == 1
    assert past(*parts, reset("*")).late == 0
