"""A moment as files carry it: ISO 8601, UTC, with a Z. Pure."""

from datetime import UTC, datetime


def iso(at_ms: int) -> str:
    """Epoch milliseconds as `2026-03-17T10:00:00.000Z`."""
    return _written(at_ms, "milliseconds")


def iso_seconds(at_ms: int) -> str:
    """Epoch milliseconds as `2026-03-17T10:00:00Z`."""
    return _written(at_ms, "seconds")


def _written(at_ms: int, timespec: str) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
