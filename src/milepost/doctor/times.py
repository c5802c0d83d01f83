"""Moments and spans as a person reads them."""

from milepost.model.moments import iso_seconds


def iso(at_ms: int) -> str:
    """Epoch milliseconds as `2025-11-21T21:03:20Z`; a number that is no moment is shown as it is."""
    try:
        return iso_seconds(at_ms)
    except (OverflowError, ValueError, OSError):
        return f"{at_ms} ms"


def span(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 5 min`, `4 days`; what lies in the future counts as now."""
    whole = max(0, int(seconds))
    minutes, hours = whole // 60, whole // 3600
    if whole < 60:
        return f"{whole} s"
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"
