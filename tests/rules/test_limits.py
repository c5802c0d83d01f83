"""When a provider may be asked again: what it names in headers and words, and the delays that are ours."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from milepost.rules import limits
from milepost.rules.limit_words import Clock, Zone
from milepost.rules.provider_errors import ErrorKind

K = ErrorKind
H = 3600
DAY = 24 * H


def zone_of(name: str) -> Zone | None:
    if name not in {"Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"}:
        return None
    zone = ZoneInfo(name)

    def offset(at_s: float) -> float:
        found = datetime.fromtimestamp(at_s, zone).utcoffset()
        return found.total_seconds() if found else 0.0

    return offset


def clock(now: str, local: str = "UTC") -> Clock:
    zone = zone_of(local)
    assert zone
    return Clock(now_s=datetime.fromisoformat(now).timestamp(), local=zone, zone=zone_of)


NOON = "2026-11-21T12:00:00+00:00"
"""A Saturday."""

LENGTHS = [
    ("Rate limit reached, please try again in 20s", 20),
    ("Please try again in 500ms.", 0.5),
    ("try again in 2h 13m", 2 * H + 13 * 60),
    ("Try again in 1 hour and 5 minutes.", 65 * 60),
    ("Please try again in 6m0s. Visit https://example.invalid", 360),
    ("try again in 7m54.336s", 474.336),
    ("reset in 45s", 45),
    ("resets in 2m", 120),
    ("Your quota will reset after 1h2m3s.", H + 123),
    ("Your limit will reset in about 3 days", 3 * DAY),
    ('"retryDelay": "32s"', 32),
    ("retryDelay: 37.5s", 37.5),
    ("retry after 30", 30),
    ("Retry-After: 12 seconds", 12),
    ("Too many requests, wait 90 seconds", 90),
    ("please wait for 5 minutes before trying again", 300),
    ("limit reached; come back in 4 hours", 4 * H),
]
MOMENTS = [
    ("reset at 2026-11-21T12:00:30Z", 30),
    ("resets at 2026-11-22T03:00:00Z", 15 * H),
    ("resets at 2026-11-22T03:00:00+01:00", 14 * H),
    ("available again: 2026-11-21 13:30 UTC", 1.5 * H),
    ("Claude AI usage limit reached|1795276800", 4 * H),
    ("X-RateLimit-Reset: 1795262460000", 60),
]
TIMES = [
    ("You've hit your limit · resets 3am", "UTC", 15 * H),
    ("5-hour limit reached ∙ resets 3pm", "UTC", 3 * H),
    ("resets 12am", "UTC", 12 * H),
    ("resets 12pm", "UTC", 0),
    ("resets at midnight", "UTC", 12 * H),
    ("Your limit resets at 3:00 PM (Europe/Berlin)", "America/New_York", 2 * H),
    ("resets 3:15pm (America/New_York)", "Europe/Berlin", 8.25 * H),
    ("resets 15:30", "UTC", 3.5 * H),
    ("resets 15:30", "Europe/Berlin", 2.5 * H),
    ("resets 6pm", "Asia/Kolkata", 0.5 * H),
    ("resets at 8am PST", "Europe/Berlin", 4 * H),
    ("resets Nov 23, 9am", "UTC", 45 * H),
    ("Try again at Nov 22nd, 2026 3:00 AM.", "UTC", 15 * H),
    ("resets Monday at 6:00 am", "UTC", 42 * H),
    ("resets Sat 1pm", "UTC", H),
    ("resets tomorrow at 3am", "UTC", 15 * H),
    ("weekly limit reached, resets November 25", "UTC", 3.5 * DAY),
    ("You can use it again at 4 p.m.", "UTC", 4 * H),
    ("resets 11:55am", "UTC", 0),
    ("resets 11:30am", "UTC", 23.5 * H),
]
NOTHING = [
    "come back soon",
    "Your limit resets at 3am (Mars/Olympus)",
    "resets at 2026-13-41T99:00:00Z",
    "resets 25:00",
    "resets 13pm",
    "resets Feb 30, 3am",
    "resets at 2027-11-22T03:00:00Z",
    "try again in 400 days",
    "usage limit reached|9999999999",
    "resets at 2019-11-22T03:00:00Z",
    "request 1795276800 failed at 2026-11-21T12:00:30Z",
    "the model is overloaded",
    "gpt-5.5 used 30 tokens per minute",
    "",
]


@pytest.mark.parametrize(("text", "seconds"), LENGTHS, ids=range(len(LENGTHS)))
def test_a_length_of_time_in_words(text: str, seconds: float) -> None:
    assert limits.named_s(text, {}, clock(NOON)) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "seconds"), MOMENTS, ids=range(len(MOMENTS)))
def test_a_moment_in_words(text: str, seconds: float) -> None:
    assert limits.named_s(text, {}, clock(NOON)) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "local", "seconds"), TIMES, ids=range(len(TIMES)))
def test_a_time_of_day_in_words(text: str, local: str, seconds: float) -> None:
    assert limits.named_s(text, {}, clock(NOON, local)) == pytest.approx(seconds)


@pytest.mark.parametrize("text", NOTHING, ids=range(len(NOTHING)))
def test_words_that_name_no_sensible_time(text: str) -> None:
    assert limits.named_s(text, {}, clock(NOON)) is None


def test_the_clocks_change_meanwhile() -> None:
    """Berlin leaves summer time on 25 October 2026 at three: the night is an hour longer."""
    evening = "2026-10-24T22:00:00+02:00"
    assert limits.named_s("resets 6am", {}, clock(evening, "Europe/Berlin")) == 9 * H
    assert limits.named_s("resets 6am (Europe/Berlin)", {}, clock(evening)) == 9 * H
    spring = "2026-03-28T22:00:00+01:00"
    assert limits.named_s("resets 6am", {}, clock(spring, "Europe/Berlin")) == 7 * H


HEADERS: list[tuple[Mapping[str, str], float | None]] = [
    ({"Retry-After": "30"}, 30),
    ({"retry-after": "0.25"}, 0.25),
    ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
    ({"Retry-After": "Sat, 21 Nov 2026 12:02:00 GMT"}, 120),
    ({"Retry-After": "Sat, 21 Nov 2026 11:59:00 GMT"}, 0),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "99999999"}, None),
    ({"anthropic-ratelimit-tokens-reset": "2026-11-21T12:01:00Z"}, 60),
    (
        {
            "anthropic-ratelimit-requests-remaining": "40",
            "anthropic-ratelimit-requests-reset": "2026-11-21T12:30:00Z",
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-input-tokens-reset": "2026-11-21T12:01:00Z",
        },
        60,
    ),
    (
        {"anthropic-ratelimit-unified-5h-status": "rejected", "anthropic-ratelimit-unified-5h-reset": "1795276800"},
        4 * H,
    ),
    ({"anthropic-ratelimit-unified-5h-status": "allowed", "anthropic-ratelimit-unified-5h-reset": "1795276800"}, None),
    (
        {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-reset-requests": "1s"},
        360,
    ),
    ({"x-ratelimit-reset-requests": "120ms"}, 0.12),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795262460000"}, 60),
    ({"ratelimit-reset": "50"}, 50),
    ({"content-type": "application/json"}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), HEADERS, ids=range(len(HEADERS)))
def test_headers(headers: Mapping[str, str], seconds: float | None) -> None:
    assert limits.named_s("", headers, clock(NOON)) == (None if seconds is None else pytest.approx(seconds))


def test_headers_come_before_words() -> None:
    assert limits.named_s("try again in 20s", {"retry-after": "7"}, clock(NOON)) == 7
    assert limits.named_s("try again in 20s", {"retry-after": "whenever"}, clock(NOON)) == 20


DELAYS = [
    (K.RATE_LIMIT, 1, None, 60),
    (K.RATE_LIMIT, 2, None, 120),
    (K.RATE_LIMIT, 9, None, 300),
    (K.SERVER, 1, None, 30),
    (K.SERVER, 3, None, 120),
    (K.STREAM, 1, None, 15),
    (K.NETWORK, 1, None, 3),
    (K.NETWORK, 40, None, 300),
    (K.UNKNOWN, 1, None, 60),
    (K.RATE_LIMIT, 1, 7.5, 7.5),
    (K.RATE_LIMIT, 1, 9 * H, 9 * H),
    (K.RATE_LIMIT, 8, 9 * H, 9 * H),
    (K.RATE_LIMIT, 1, 0.0, 0),
    (K.RATE_LIMIT, 2, 0.0, 3),
    (K.RATE_LIMIT, 4, 0.0, 12),
]


@pytest.mark.parametrize(("kind", "number", "named", "seconds"), DELAYS, ids=range(len(DELAYS)))
def test_how_long_to_wait(kind: ErrorKind, number: int, named: float | None, seconds: float) -> None:
    assert limits.delay_s(kind, number, named=named) == seconds


def test_a_window_of_known_length_is_sat_out_in_a_few_steps() -> None:
    waits = [limits.delay_s(K.RATE_LIMIT, n, named=None, text="5-hour limit reached") for n in range(1, 8)]
    assert sum(waits) >= 5 * H
    assert max(waits) < H
    assert limits.delay_s(K.RATE_LIMIT, 1, named=None, text="Daily usage limit reached") > 3 * H
    assert limits.delay_s(K.RATE_LIMIT, 1, named=None, text="we were at it for 5 hours") == 60


def test_the_spread_is_small_and_never_early() -> None:
    assert limits.spread_s(60, 0) == 0
    assert limits.spread_s(60, 1) == pytest.approx(6)
    assert limits.spread_s(9 * H, 1) == 15


@pytest.mark.parametrize(("value", "scale"), [("0.01", 0.01), ("0", 0), ("", 1), ("much", 1), ("7", 1), ("-1", 0)])
def test_the_factor(value: str, scale: float) -> None:
    assert limits.scale({limits.SCALE: value}) == scale
