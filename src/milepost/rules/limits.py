"""When a provider may be asked again: the time it names, in headers or in words, else a delay that grows.

    retry-after: 30 · Sun, 22 Nov 2026 03:00:00 GMT         anthropic-ratelimit-tokens-reset: 2026-11-22T03:00:00Z
    x-ratelimit-reset-tokens: 6m0s                          retry-after-ms: 250
    resets 3am · resets at 3:00 PM (Europe/Berlin) · resets Dec 1, 9pm · try again in 2h 13m · reset in 45s
    reset at 2026-11-22T03:00:00Z · usage limit reached|1763780400 · "retryDelay": "32s"

Everything comes out as seconds from now. A time that lies more than eight days ahead is taken for nonsense, which is
the same as none. Pure: the clock and the time zones are given. Source: spec auto 5.11, 8.10, 10.2.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from milepost.rules import limit_words
from milepost.rules.limit_words import Clock
from milepost.rules.provider_errors import ErrorKind

LONGEST_S: Final = 8 * 86_400.0
"""A week and a day; no window of a provider is longer."""
GROWN_S: Final = 300.0
"""What a delay that nobody named grows to (spec auto 8.10)."""
SCALE: Final = "MILEPOST_WAIT_SCALE"
"""A factor for every delay that is ours, in the environment; what a provider names is kept as it is. For tests."""

_BASE_S: Final[Mapping[ErrorKind, float]] = {
    ErrorKind.RATE_LIMIT: 60.0,
    ErrorKind.UNKNOWN: 60.0,
    ErrorKind.SERVER: 30.0,
    ErrorKind.STREAM: 15.0,
    ErrorKind.NETWORK: 3.0,
}
_STEPS: Final = 7
"""In how many waits a window is sat out of which only the length is known."""


def scale(env: Mapping[str, str]) -> float:
    """The factor that `SCALE` asks for; 1 where it says nothing sensible."""
    try:
        return min(1.0, max(0.0, float(env.get(SCALE, ""))))
    except ValueError:
        return 1.0


def named_s(text: str, headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds until the time that a failure names, its headers before its words; None: it names none."""
    found = _from_headers({name.lower(): value.strip() for name, value in headers.items()}, clock.now_s)
    found = limit_words.seconds(" ".join(text.split()), clock) if found is None else found
    if found is None or not -86_400.0 < found <= LONGEST_S:
        return None
    return max(0.0, found)


def delay_s(kind: ErrorKind, number: int, *, named: float | None, text: str = "", scale: float = 1.0) -> float:
    """Seconds to wait before the next try. number: which failure in a row it is, 1 for the first. scale: see `SCALE`.

    A time that was named is kept; one that keeps being too early is not believed for ever. Where only the length of
    a window is told (`5-hour limit reached`), it is sat out in a few steps.
    """
    grown: float = 2.0 ** min(max(number, 1) - 1, 16)
    if named is not None:
        early = 0.0 if number < 2 else min(GROWN_S, _BASE_S[ErrorKind.NETWORK] * grown / 2)
        return max(named, early * scale)
    usual = min(GROWN_S, _BASE_S.get(kind, 60.0) * grown)
    return max(usual, _window_s(text) / _STEPS) * scale


def spread_s(delay: float, fraction: float) -> float:
    """What is added to a delay so that not all come back at once. fraction: from 0 to 1, by chance."""
    return min(delay * 0.1, 15.0) * fraction


def _window_s(text: str) -> float:
    found = _WINDOW.search(text)
    if found is None:
        return 0.0
    if found["hours"] is None:
        return 86_400.0
    hours = _NUMBERS.get(found["hours"].lower()) or int(found["hours"])
    return min(24, hours) * 3_600.0


_NUMBERS: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_WINDOW: Final = re.compile(
    r"\b(?:(?P<hours>\d{1,2}|one|two|three|four|five|six)[ -]?h(?:ou)?rs?\b|daily\b|per.day\b)"
    r"(?=.{0,24}\b(?:limit|usage|quota|window))",
    re.IGNORECASE,
)

_LIMIT_HEADER: Final = re.compile(r"(?:anthropic-|x-)?ratelimit-(.+)")


def _from_headers(headers: Mapping[str, str], now_s: float) -> float | None:
    if (ms := _number(headers.get("retry-after-ms", ""))) is not None:
        return ms / 1000
    if asked := headers.get("retry-after"):
        seconds = _number(asked)
        return _http_date(asked, now_s) if seconds is None else seconds
    return _buckets(headers, now_s)


def _buckets(headers: Mapping[str, str], now_s: float) -> float | None:
    """The reset of what is used up; of all there is, when nothing says what is."""
    resets: dict[str, float] = {}
    full: dict[str, bool] = {}
    for name, value in headers.items():
        if (found := _LIMIT_HEADER.fullmatch(name)) is None:
            continue
        words = found[1].split("-")
        bucket = "-".join(word for word in words if word not in ("reset", "remaining", "status"))
        if "reset" in words and (seconds := _moment(value, now_s)) is not None:
            resets[bucket] = seconds
        elif "remaining" in words:
            full[bucket] = full.get(bucket, False) or _number(value) == 0
        elif "status" in words:
            full[bucket] = full.get(bucket, False) or value.lower() == "rejected"
    wanted = [seconds for bucket, seconds in resets.items() if full.get(bucket, not full)]
    return max(wanted, default=None)


def _moment(value: str, now_s: float) -> float | None:
    """A header's value, as seconds from now: `2026-11-22T03:00:00Z`, `1763780400`, `6m0s`, `30`."""
    number = _number(value)
    if number is not None:
        return limit_words.epoch(number) - now_s if number >= 1e9 else number
    if (at_s := limit_words.stamp(value)) is not None:
        return at_s - now_s
    return limit_words.length(value)


def _http_date(value: str, now_s: float) -> float | None:
    try:
        found = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() - now_s


def _number(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", value) else None
