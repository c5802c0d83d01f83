"""`parallel/forecast.json`: conflicts that are to come, as probing the branches found them while workers run.

    [
      {
        "a": "M001",
        "b": "M002",
        "files": ["src/app.py"],
        "lines": ["src/app.py:12"],
        "seenAt": 1763760000000
      }
    ]

`b` is another milestone, or the branch that `a` will be merged into. Written whole by the coordinator at each probe,
so what is no longer there has gone; a file that cannot be read counts as none. Source: issue "Merging"; ours.
"""

from collections.abc import Iterable

import msgspec

from milepost.errors import FormatError
from milepost.formats import _records


class Forecast(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Two sides that would not merge as they stand."""

    a: str
    """A milestone."""
    b: str
    """Another milestone, or a target branch."""
    files: tuple[str, ...]
    """Paths that both changed, from the project's root."""
    seen_at: int
    """Epoch milliseconds of the probe."""
    lines: tuple[str, ...] = ()
    """The same places as `path:line`, where they are known."""


def encode(forecasts: Iterable[Forecast]) -> bytes:
    """The file's bytes."""
    return _records.encode(tuple(forecasts), newline=True)


def decode(data: bytes) -> tuple[Forecast, ...]:
    """The forecasts in a file's bytes; none when they hold none."""
    try:
        return _records.decode(data, tuple[Forecast, ...], "forecast.json")
    except FormatError:
        return ()
