"""`metrics.json`: what each unit took, one row per attempt.

    {
      "version": 1,
      "projectStartedAt": 1763760000000,
      "units": [
        {"type": "execute-task", "id": "M001/S01/T01", "model": "claude-sonnet-5-5", "startedAt": …, "finishedAt": …,
         "tokens": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0}, "cost": 0.01,
         "toolCalls": 4, "assistantMessages": 5, "userMessages": 1, "attempt": "a-…"}
      ]
    }

A projection of the journal. Rows with `attempt` are ours and are written anew; all others, and fields we do not
know, stay as they are, in their place. `cost` is null where the price is not known. Source: spec auto 5.12.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from milepost.errors import FormatError
from milepost.formats import _records


class Tokens(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tokens of one attempt."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    total: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One attempt at a unit. Times are epoch milliseconds."""

    type: str
    id: str
    model: str
    started_at: int
    finished_at: int
    tokens: Tokens
    cost: float | None
    """USD; None: the price is not known."""
    tool_calls: int = 0
    assistant_messages: int = 0
    user_messages: int = 0
    api_requests: int | UnsetType = UNSET
    prompt_char_count: int | UnsetType = UNSET
    truncation_sections: int | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    model_downgraded: bool | UnsetType = UNSET
    attempt: str
    result: str | UnsetType = UNSET


class Ledger(NamedTuple):
    """The file, with rows as they stand there."""

    project_started_at: int
    units: tuple[Mapping[str, object], ...] = ()
    rest: Mapping[str, object] = {}
    """Top-level fields we do not know."""


def decode(data: bytes, path: str = "metrics.json") -> Ledger:
    """The ledger in a file's bytes. Raises FormatError: a ledger that cannot be read is not replaced."""
    content = _records.decode(data, dict[str, object], path)
    units = content.pop("units", [])
    started = content.pop("projectStartedAt", 0)
    content.pop("version", None)
    if not isinstance(units, list) or not all(isinstance(row, dict) for row in units):
        raise FormatError(path, 0, "`units` must be a list of objects")
    if isinstance(started, bool) or not isinstance(started, int | float):
        raise FormatError(path, 0, "`projectStartedAt` must be epoch milliseconds")
    return Ledger(project_started_at=int(started), units=tuple(units), rest=content)


def encode(ledger: Ledger) -> bytes:
    """The file's bytes."""
    head = {"version": 1, "projectStartedAt": ledger.project_started_at, "units": ledger.units}
    return _records.encode({**head, **ledger.rest}, newline=True)


def project(ledger: Ledger, rows: Sequence[Row]) -> Ledger:
    """The ledger with `rows` in it: each in the place its attempt had, new ones at the end.

    Doing it twice changes nothing. A row that is not ours, or whose attempt the journal no longer knows, stays.
    """
    left = {row.attempt: _plain(row) for row in rows}
    kept = [left.pop(str(unit.get("attempt")), unit) for unit in ledger.units]
    return ledger._replace(units=(*kept, *left.values()))


def _plain(row: Row) -> Mapping[str, object]:
    return msgspec.json.decode(msgspec.json.encode(row), type=dict[str, object])
