"""The clock and the time zones of this machine, for what providers say about time."""

import time
from zoneinfo import ZoneInfo

from milepost.rules.limit_words import Clock, Zone


def now() -> Clock:
    """This moment."""
    return Clock(now_s=time.time(), local=_local, zone=_zone)


def _local(at_s: float) -> float:
    try:
        return float(time.localtime(at_s).tm_gmtoff)
    except (OverflowError, ValueError, OSError):
        return 0.0


def _zone(name: str) -> Zone | None:
    from datetime import datetime

    try:
        zone = ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None

    def offset(at_s: float) -> float:
        try:
            found = datetime.fromtimestamp(at_s, zone).utcoffset()
        except (OverflowError, ValueError, OSError):
            return 0.0
        return found.total_seconds() if found else 0.0

    return offset
