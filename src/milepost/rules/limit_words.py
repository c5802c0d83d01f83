"""The time that the words of a provider name, as seconds from now.

    resets 3am · resets at 3:00 PM (Europe/Berlin) · resets Dec 1, 9pm · try again in 2h 13m · reset in 45s
    reset at 2026-11-22T03:00:00Z · usage limit reached|1763780400 · "retryDelay": "32s"

A time of day is the next one of that name in its zone, or the local one. A date on the wall is held as if it were
UTC until its zone is applied. Pure. Source: spec auto 5.11, 8.10.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

Zone = Callable[[float], float]
"""Epoch seconds to the zone's distance from UTC then, in seconds."""


class Clock(NamedTuple):
    """What time it is, and where."""

    now_s: float
    """Epoch seconds."""
    local: Zone
    zone: Callable[[str], Zone | None]
    """A zone by its name (`Europe/Berlin`); None: there is none of that name."""


def utc(_at_s: float) -> float:
    """The zone of UTC."""
    return 0.0


_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_JUST_PASSED_S: Final = 600.0
"""`resets 3am`, said at five past: it has reset; the words are a little old."""

_UNIT: Final = r"(?:ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)"
_LENGTH: Final = (
    rf"(?:\d{{1,9}}(?:\.\d{{1,9}})?\s*{_UNIT}(?![a-z])(?:\s*,?\s*(?:and\s+)?)?)+"
    r"|(?:\d{1,9}(?:\.\d+)?[hmsd])+"
)
_WHOLE: Final = re.compile(_LENGTH, re.IGNORECASE)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|s|m|h|d)", re.IGNORECASE)
_PART_S: Final = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}

_LEAD: Final = r"(?:reset\w*|again|until|available|retry\w*|renew\w*|refresh\w*|come back|wait\w*)"
_IN: Final = re.compile(
    rf"(?:{_LEAD}\b[^.;\d]{{0,24}}?\b(?:in|after|for|another)|retry.?delay|\bwait)\W{{1,6}}"
    rf"(?:about |around |approximately |~ ?)?(?:(?P<length>{_LENGTH})|(?P<bare>\d{{1,7}})(?![\d:/-]|\s*[ap]\.?m\b))",
    re.IGNORECASE,
)
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_STAMP: Final = re.compile(rf"{_LEAD}\b[^.;\d]{{0,24}}(?={_ISO.pattern})", re.IGNORECASE)
_SINCE_1970: Final = re.compile(rf"(?:{_LEAD}|reached)[^\d]{{0,24}}(\d{{13}}|\d{{10}})\b", re.IGNORECASE)

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE: Final = (
    rf"(?:(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>20\d\d)\b)?"
    rf"|(?P<weekday>{'|'.join(_DAYS)})[a-z]*\b|(?P<tomorrow>tomorrow)|today)"
)
_TIME: Final = (
    r"(?:(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?::\d\d)?\s*(?P<half>[ap])\.?m\b\.?"
    r"|(?P<hour24>\d{1,2}):(?P<minute24>\d\d)(?::\d\d)?|(?P<word>noon|midnight)\b)"
)
_AT: Final = re.compile(
    rf"{_LEAD}\b(?:[^.;\d]{{0,24}}?\W)??(?:{_DATE}(?:,?\s+(?:at\s+)?{_TIME})?|{_TIME.replace('?P<', '?P<only_')})"
    r"(?:\s*\(?(?P<zone>[A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)+|[A-Z]{2,4})\b\)?)?",
    re.IGNORECASE,
)
_HOURS_FROM_UTC: Final = {
    "utc": 0, "gmt": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "jst": 9,
}  # fmt: skip


def seconds(text: str, clock: Clock) -> float | None:
    """Seconds from now until the time that `text` (one line) names; negative: it has passed. None: it names none."""
    if lead := _STAMP.search(text):
        stamp = _ISO.match(text, lead.end())
        return _stamped(stamp, clock.local) - clock.now_s if stamp else None
    if since := _SINCE_1970.search(text):
        return epoch(float(since[1])) - clock.now_s
    if asked := _IN.search(text):
        return _sum(asked["length"]) if asked["length"] else float(asked["bare"])
    at = _AT.search(text)
    return _clock_time(at, clock) if at else None


def length(text: str) -> float | None:
    """Seconds of `6m0s`, `1 hour and 5 minutes`, `300ms`; None for anything else."""
    return _sum(text) if _WHOLE.fullmatch(text) else None


def stamp(text: str) -> float | None:
    """Epoch seconds of `2026-11-22T03:00:00Z`, which is UTC where it names no zone; None for anything else."""
    found = _ISO.fullmatch(text)
    return _stamped(found, utc) if found else None


def epoch(number: float) -> float:
    """Epoch seconds of a number that may be milliseconds."""
    return number / 1000 if number >= 1e12 else number


def _sum(text: str) -> float:
    return sum(float(number) * _PART_S[unit.lower()] for number, unit in _PART.findall(text))


def _stamped(found: re.Match[str], local: Zone) -> float:
    """Epoch seconds of `2026-11-22T03:00:00Z`; without a zone it is the local time. Nonsense lies before 1970."""
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return -math.inf
    zone = found[7]
    if zone and zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        return _seconds(wall) - (minutes if zone[0] == "+" else -minutes) * 60
    return _at(wall, utc if zone else local)


def _clock_time(found: re.Match[str], clock: Clock) -> float | None:
    zone = _zone(found["zone"], clock)
    time = _time(found)
    if zone is None or time is None:
        return None
    now = _wall(clock.now_s, zone)
    try:
        wall = _day(found, now).replace(hour=time[0], minute=time[1], second=0)
    except ValueError:
        return None
    ahead = _at(wall, zone) - clock.now_s
    if ahead < -_JUST_PASSED_S:
        again = _again(found, wall)
        ahead = _at(again, zone) - clock.now_s if again else ahead
    return ahead


def _day(found: re.Match[str], now: datetime) -> datetime:
    """The day that is meant, next to now."""
    if found["month"]:
        month = _MONTHS.index(found["month"].lower()) + 1
        return now.replace(year=int(found["year"] or now.year), month=month, day=int(found["day"]))
    if found["weekday"]:
        return now + timedelta(days=(_DAYS.index(found["weekday"].lower()) - now.weekday()) % 7)
    return now + timedelta(days=1) if found["tomorrow"] else now


def _again(found: re.Match[str], wall: datetime) -> datetime | None:
    """When a time that has passed comes again; None: never."""
    if found["month"]:
        return None if found["year"] else wall.replace(year=wall.year + 1)
    return wall + timedelta(days=7 if found["weekday"] else 1)


def _time(found: re.Match[str]) -> tuple[int, int] | None:
    """Hour and minute; midnight for a bare date."""
    said = {name.removeprefix("only_"): value for name, value in found.groupdict().items() if value}
    if "word" in said:
        return (12, 0) if said["word"].lower() == "noon" else (0, 0)
    if "hour24" in said:
        hour, minute = int(said["hour24"]), int(said["minute24"])
    elif "hour" in said:
        hour, minute = int(said["hour"]), int(said.get("minute", "0"))
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if said["half"].lower() == "p" else 0)
    else:
        hour = minute = 0
    return (hour, minute) if hour < 24 and minute < 60 else None


def _zone(name: str | None, clock: Clock) -> Zone | None:
    """The zone that stands behind a time; the local one when a word of the sentence stands there. None: unknown."""
    if not name:
        return clock.local
    hours = _HOURS_FROM_UTC.get(name.lower())
    if hours is not None:
        return lambda _at_s: hours * 3_600.0
    return clock.zone(name) if "/" in name else clock.local


def _wall(at_s: float, zone: Zone) -> datetime:
    return _1970 + timedelta(seconds=at_s + zone(at_s))


def _at(wall: datetime, zone: Zone) -> float:
    """Epoch seconds of what a clock on the wall shows there."""
    naive = _seconds(wall)
    return naive - zone(naive - zone(naive))


def _seconds(wall: datetime) -> float:
    return (wall - _1970).total_seconds()
