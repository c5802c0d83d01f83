"""Where a run stands with its provider, folded from the journal."""

from itertools import count

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    CapReset,
    Result,
    RunStarted,
    SessionEnded,
    UsageReported,
    WaitBegan,
    WaitEnded,
)
from milepost.rules import waits
from milepost.rules.provider_errors import ErrorKind

TASK = "M001/S01/T01"
KEY = f"execute-task/{TASK}"
numbers = count(1_000_000, 1_000)


def began(run: str, milestone: str = "") -> AnyEvent:
    return RunStarted(at_ms=next(numbers), run=run, pid=1, version="1", command="auto", milestone=milestone)


def attempt(
    result: Result, kind: str = "rate-limit", *, run: str = "r1", unit: str = TASK, named_ms: int = 0, model: str = "m"
) -> list[AnyEvent]:
    at, name = next(numbers), f"a{next(numbers)}"
    started = AttemptStarted(
        at_ms=at, run=run, attempt=name, kind="execute-task", unit=unit, base="", branch="", fingerprint="", number=1
    )
    ended = SessionEnded(
        at_ms=at, run=run, attempt=name, stop="error", requests=1, tool_calls=0, error_kind=kind, error="slow down",
        model=model, resume_at_ms=at + named_ms if named_ms else 0,
    )  # fmt: skip
    return [started, ended, AttemptEnded(at_ms=at, run=run, attempt=name, result=result)]


def waiting(*, run: str = "r1", unit: str = KEY, kind: str = "rate-limit", model: str = "m") -> WaitBegan:
    at = next(numbers)
    return WaitBegan(
        at_ms=at, run=run, unit=unit, kind=kind, text="slow down", resume_at_ms=at + 60_000, number=1, model=model
    )


def answer(run: str = "r1", model: str = "m") -> AnyEvent:
    return UsageReported(at_ms=next(numbers), run=run, attempt="a", model=model, input=1, output=1)


def standing(*events: AnyEvent | list[AnyEvent], run: str = "r1", milestone: str = "") -> waits.Standing:
    flat = [e for event in events for e in (event if isinstance(event, list) else [event])]
    return waits.standing(flat, run=run, milestone=milestone)


FAILED = Result.PROVIDER_ERROR


def test_a_failure_that_passes_is_to_be_waited_for() -> None:
    seen = standing(attempt(FAILED, named_ms=7_000))
    assert seen.failed is not None
    assert (seen.failed.unit, seen.failed.kind, seen.failed.model) == (KEY, ErrorKind.RATE_LIMIT, "m")
    assert seen.failed.named_s == 7
    assert (seen.number, seen.tries, seen.wait) == (1, 1, None)


@pytest.mark.parametrize("kind", ["auth", "quota", "unsupported-model", "bad-request", "context", "infrastructure", ""])
def test_a_failure_that_does_not_pass_is_not(kind: str) -> None:
    seen = standing(attempt(FAILED), waiting(), attempt(FAILED, kind))
    assert (seen.failed, seen.wait, seen.number) == (None, None, 0)


def test_a_wait_takes_the_place_of_the_failure_and_ends() -> None:
    wait = waiting()
    assert standing(attempt(FAILED), wait) == waits.Standing(wait=wait, number=1, tries=1, limit=wait)
    over = WaitEnded(at_ms=next(numbers), run="r1", unit=KEY)
    assert standing(attempt(FAILED), wait, over).wait is None


def test_failures_in_a_row_are_counted_over_restarts_and_those_of_a_run_apart() -> None:
    early = [*attempt(FAILED, run="r0"), *attempt(FAILED, run="r0")]
    seen = standing(early, attempt(FAILED, "server"), run="r1")
    assert (seen.number, seen.tries) == (3, 1)


@pytest.mark.parametrize("result", [Result.COMMITTED, Result.UNFINISHED, Result.VERIFY_FAILED, Result.TIMED_OUT])
def test_a_unit_that_got_somewhere_ends_the_row(result: Result) -> None:
    assert standing(attempt(FAILED), attempt(result), attempt(FAILED)).number == 1


@pytest.mark.parametrize("result", [Result.INTERRUPTED, Result.CRASHED, Result.OVER_BUDGET])
def test_a_unit_that_was_cut_short_does_not(result: Result) -> None:
    assert standing(attempt(FAILED), attempt(result), attempt(FAILED)).number == 2


def test_a_worker_is_not_held_up_by_what_happened_to_the_auto_mode_elsewhere() -> None:
    theirs = [began("w2", "M002"), *attempt(FAILED, "server", run="w2", unit="M002/S01/T01")]
    assert standing(theirs, run="r1").failed is None
    assert standing(theirs, run="w1", milestone="M001").failed is None
    again = standing(theirs, run="w3", milestone="M002")
    assert again.failed is not None
    assert (again.number, again.tries) == (1, 0)


def test_a_limit_concerns_everybody_until_somebody_has_an_answer() -> None:
    theirs = [began("w2", "M002"), waiting(run="w2", unit="execute-task/M002/S01/T01")]
    seen = standing(theirs, run="w1", milestone="M001")
    assert (seen.limit, seen.wait, seen.answered) == (theirs[1], None, False)
    assert standing(theirs, answer("w3", "other"), run="w1", milestone="M001").answered is False
    assert standing(theirs, answer("w3"), run="w1", milestone="M001").answered is True
    assert standing(theirs, answer("w3"), theirs, run="w1", milestone="M001").answered is False
    down = waiting(run="w2", unit="execute-task/M002/S01/T01", kind="server")
    assert standing(down, run="w1", milestone="M001").limit is None


@pytest.mark.parametrize(("unit", "forgets"), [("*", True), (KEY, True), ("execute-task/M009/S01/T01", False)])
def test_a_person_who_says_retry_waits_for_nothing(unit: str, forgets: bool) -> None:
    reset = CapReset(at_ms=next(numbers), run="r2", unit=unit)
    seen = standing(attempt(FAILED), waiting(), reset)
    assert (seen == waits.Standing()) is forgets
    assert (waits.open_waits([waiting(), reset]) == ()) is forgets


def test_open_waits_are_those_that_nobody_ended() -> None:
    first, second = waiting(), waiting(unit="execute-task/M002/S01/T01")
    assert waits.open_waits([first, second]) == (first, second)
    assert waits.open_waits([first, second, WaitEnded(at_ms=next(numbers), run="r1", unit=KEY)]) == (second,)
    assert waits.open_waits([first, *attempt(Result.COMMITTED)]) == ()
    assert waits.open_waits([first, second, waiting()])[0] == second


def test_whose_wait_it_is_stands_in_the_unit_of_a_hook_too() -> None:
    wait = waiting(run="w1", unit="hook/review/M001/S01/T01")
    assert standing(began("w1", "M001"), wait, run="w2", milestone="M001").wait == wait
