"""What a moving window lets through, and until when it does not."""

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    BudgetWaiting,
    Result,
    RunEnded,
    UsageReported,
)
from milepost.formats.preferences import Billing, BudgetWindow, Preferences
from milepost.rules import pacing
from milepost.rules.pacing import Window

HOUR = 3_600_000
NOW = 1_000 * HOUR
TASK = "execute-task"


def spent(
    at_ms: int, micro_usd: int | None, *, attempt: str = "", flat: bool = False, tokens: int = 0
) -> list[AnyEvent]:
    name = attempt or f"a{at_ms}"
    return [
        AttemptStarted(
            at_ms=at_ms, run="r", attempt=name, kind=TASK, unit="M001/S01/T01", base="", branch="", fingerprint="",
            number=1,
        ),
        UsageReported(
            at_ms=at_ms, run="r", attempt=name, model="m", input=tokens, output=0, micro_usd=micro_usd, flat=flat
        ),
        AttemptEnded(at_ms=at_ms, run="r", attempt=name, result=Result.COMMITTED),
    ]  # fmt: skip


def money(usd: float = 5, hours: float = 5, reserve: float = 0) -> tuple[Window, ...]:
    preferences = Preferences(budget_window=(BudgetWindow(usd=usd, hours=hours),), reserve_for_person=reserve)
    return pacing.windows_of(preferences, flat=False)


def until(events: list[AnyEvent], windows: tuple[Window, ...], now_ms: int = NOW) -> int | None:
    found = pacing.full(events, windows, TASK, now_ms)
    return found.until_ms if found else None


@pytest.mark.parametrize(
    ("ago", "micro_usd", "waits"),
    [
        ([1], [2_000_000], None),
        ([1], [3_000_000], 4),
        ([4, 2, 1], [2_000_000, 1_000_000, 1_000_000], 1),
        ([4.5, 1], [1_000_000, 3_900_000], 4),
        ([6], [90_000_000], None),
        ([5], [90_000_000], None),
        ([], [], None),
    ],
    ids=["room", "none", "the oldest goes", "not enough goes", "gone", "just gone", "nothing"],
)  # fmt: skip
def test_until_enough_has_rolled_off(ago: list[float], micro_usd: list[int], waits: float | None) -> None:
    """The mean of such units must fit beside what is in the window."""
    events = [e for a, m in zip(ago, micro_usd, strict=True) for e in spent(NOW - int(a * HOUR), m)]
    assert until(events, money()) == (None if waits is None else NOW + int(waits * HOUR))


def test_it_fits_when_it_is_said_to_fit() -> None:
    events = [e for hour in range(5) for e in spent(NOW - hour * HOUR // 2, 1_500_000 + hour)]
    when = until(events, money())
    assert when is not None
    assert until(events, money(), when - 1) == when
    assert until(events, money(), when) is None


def test_what_is_kept_for_the_person_is_not_spent() -> None:
    events = spent(NOW - HOUR, 2_200_000)
    assert until(events, money()) is None
    assert until(events, money(reserve=20)) == NOW + 4 * HOUR
    found = pacing.full(events, money(reserve=20), TASK, NOW)
    assert str(found) == "budget window: $2.20 of $5.00 used in the last 5 h, $1.00 of it kept for you"


def test_a_unit_larger_than_a_window_begins_in_an_empty_one() -> None:
    dear = spent(NOW - 100 * HOUR, 50_000_000)
    assert until(dear, money(usd=1)) is None
    assert until([*dear, *spent(NOW - HOUR, 1)], money(usd=1)) == NOW + 4 * HOUR


def test_all_windows_hold() -> None:
    preferences = Preferences(budget_window=(BudgetWindow(usd=5, hours=5), BudgetWindow(usd=6, hours=100)))
    windows = pacing.windows_of(preferences, flat=False)
    events = [*spent(NOW - 50 * HOUR, 3_000_000), *spent(NOW - HOUR, 1_000_000)]
    found = pacing.full(events, windows, TASK, NOW)
    assert found is None
    more = [*events, *spent(NOW - 2 * HOUR, 2_000_000)]
    found = pacing.full(more, windows, TASK, NOW)
    assert found is not None
    assert (found.window.span_ms, found.until_ms) == (100 * HOUR, NOW + 50 * HOUR)


def test_a_clock_that_was_set_back_waits_no_longer_than_the_window() -> None:
    assert until(spent(NOW + 300 * HOUR, 9_000_000), money()) == NOW + 5 * HOUR


def test_an_unknown_price_counts_as_what_was_reserved() -> None:
    events: list[AnyEvent] = [
        BudgetReserved(at_ms=1, run="r", attempt="a", micro_usd=5_000_000),
        *spent(NOW - HOUR, None, attempt="a"),
    ]
    assert sum(use.amount for use in pacing.used(events, money()[0], NOW)) == 5_000_000
    assert until(events, money()) == NOW + 4 * HOUR


def flat_rate(tokens: int | None, reserve: float = 0) -> Preferences:
    return Preferences(
        billing=Billing(flat_rate=("plan/*",), window_hours=5, tokens_per_window=tokens), reserve_for_person=reserve
    )


@pytest.mark.covers("key:billing.tokens_per_window")
def test_tokens_of_a_flat_rate_have_a_window_of_their_own() -> None:
    windows = pacing.windows_of(flat_rate(1_000), flat=True)
    events = [*spent(NOW - HOUR, None, flat=True, tokens=600), *spent(NOW - 2 * HOUR, 9_000_000, tokens=9_999)]
    assert until(events, windows) == NOW + 4 * HOUR
    assert until(events, pacing.windows_of(flat_rate(2_000), flat=True)) is None
    assert until(events, pacing.windows_of(flat_rate(2_000, reserve=50), flat=True)) == NOW + 4 * HOUR
    assert pacing.windows_of(flat_rate(None), flat=True) == ()
    assert until(spent(NOW, None, flat=True, tokens=9_999), money()) is None


def test_how_much_is_used_in_words() -> None:
    events = spent(NOW - HOUR, None, flat=True, tokens=1_200_000)
    assert pacing.lines(events, flat_rate(3_500_000), NOW) == ("flat rate: 1.20M tokens, 34 % of this 5 h window",)
    assert pacing.lines(events, flat_rate(None), NOW) == ("flat rate: 1.20M tokens in this 5 h window",)
    assert pacing.lines(events, Preferences(), NOW) == ()
    windows = Preferences(budget_window=(BudgetWindow(usd=5, hours=0.5),), reserve_for_person=20)
    assert pacing.lines(spent(NOW, 1_000_000), windows, NOW) == (
        "Window: $1.00 of $5.00 in the last 30 min (20 % kept for you)",
    )


def test_who_waits() -> None:
    wait = BudgetWaiting(at_ms=1, run="r", unit="u", until_ms=5, reason="full")
    begun = spent(2, 1)[0]
    assert pacing.waiting([wait]) == {"r": wait}
    assert pacing.waiting([wait, begun]) == {}
    assert pacing.waiting([wait, RunEnded(at_ms=2, run="r", state="paused", reason="")]) == {}
