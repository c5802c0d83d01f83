"""Whether the last dispatches go round in circles."""

from collections.abc import Sequence

import pytest

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CapReset, Result
from milepost.rules import stuck
from milepost.rules.stuck import Entry


def entries(text: str) -> list[Entry]:
    """`A:boom B C` → unit A with the error boom, then B and C that went well."""
    return [Entry(*(part.split(":") if ":" in part else (part, ""))) for part in text.split()]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", None),
        ("A B C D E F", None),
        ("A:x", None),
        ("A:x A:y", None),
        ("A:x B:x", None),
        ("A:x A:x", "the same failure twice in a row: x"),
        ("A A", None),
        ("A A A", "A was run 3 times in the last 3 units"),
        ("A B A C A", "A was run 3 times in the last 5 units"),
        ("A B A B", "A and B take turns without getting further"),
        ("B A B A B A", "A was run 3 times in the last 6 units"),
        ("A A B B", None),
    ],
)
def test_circles(text: str, says: str | None) -> None:
    assert stuck.circling(entries(text)) == says


@pytest.mark.parametrize(
    ("text", "unit", "level"),
    [
        ("A:x", "A", 0),
        ("A:x A:x", "A", 1),
        ("A:x A:x A:x", "A", 2),
        ("A:x A:x A:y", "A", 2),
        ("A A A", "A", 1),
        ("A A A A", "A", 2),
        ("A B A B", "A", 1),
        ("A B A B A", "B", 2),
        ("A:x A:x B", "C", 0),
        # The third attempt went well, and another unit is next: that is progress.
        ("A:x A:x A", "B", 0),
        ("A:x A:y A", "B", 0),
        ("A B A B", "C", 0),
        # It went well, and is due again all the same.
        ("A:x A:x A", "A", 2),
    ],
)
def test_the_first_signal_warns_and_the_second_stops(text: str, unit: str, level: int) -> None:
    assert stuck.level(entries(text), unit)[0] == level


def test_the_window_one_dispatch_ago_may_reach_one_further_back() -> None:
    assert stuck.level(entries("A A B C D E A"), "A")[0] == 0
    assert stuck.level(entries("A B C A E A D"), "A")[0] == 0


def attempt(number: int, unit: str, result: Result | None, reason: str = "") -> list[AnyEvent]:
    start = AttemptStarted(
        at_ms=number, run="r", attempt=f"a{number}", kind="execute-task", unit=unit, base="", branch="",
        fingerprint="f", number=number,
    )  # fmt: skip
    if result is None:
        return [start]
    return [start, AttemptEnded(at_ms=number, run="r", attempt=f"a{number}", result=result, reason=reason)]


def window(*attempts: Sequence[AnyEvent]) -> tuple[Entry, ...]:
    return stuck.window(event for part in attempts for event in part)


def test_the_window_holds_what_says_something_about_progress() -> None:
    found = window(
        attempt(1, "T1", Result.COMMITTED, "ignored"),
        attempt(2, "T2", Result.UNFINISHED, "nothing there"),
        attempt(3, "T2", Result.CRASHED),
        attempt(4, "T2", Result.VERIFY_FAILED, "gate"),
        attempt(5, "T2", Result.INTERRUPTED, "person"),
        attempt(6, "T2", Result.PROVIDER_ERROR, "429"),
        attempt(7, "T2", None),
        [AttemptEnded(at_ms=8, run="r", attempt="never-begun", result=Result.CRASHED)],
    )
    assert found == (
        Entry("execute-task/T1", ""),
        Entry("execute-task/T2", "nothing there"),
        Entry("execute-task/T2", "crashed"),
    )


def test_the_window_holds_seven() -> None:
    assert [e.key[-1] for e in window(*(attempt(n, f"T{n}", Result.COMMITTED) for n in range(1, 10)))] == list(
        "3456789"
    )


@pytest.mark.parametrize(("unit", "left"), [("execute-task/T1", 1), ("*", 0), ("execute-task/T3", 3)])
def test_a_person_makes_it_forget(unit: str, left: int) -> None:
    reset = [CapReset(at_ms=9, run="r", unit=unit)]
    tried = [attempt(1, "T1", Result.UNFINISHED), attempt(2, "T2", Result.UNFINISHED), attempt(3, "T1", Result.CRASHED)]
    assert len(window(*tried, reset)) == left
