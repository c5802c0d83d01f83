"""`runtime/units/<type>-<id>.json`: one unit while it runs.

    execute-task-M001-S01-T02.json
    {"version": 1, "unitType": "execute-task", "unitId": "M001/S01/T02", "startedAt": …, "updatedAt": …,
     "phase": "dispatched", "wrapupWarningSent": false, "continueHereFired": false, "timeoutAt": null, …}

For other programs to look at; nothing is decided from it. A new attempt starts a new record, so that counters of
the last one do not stay. A corrupt file counts as none. Source: spec auto 5.8.
"""

from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from milepost.errors import FormatError
from milepost.formats import _records
from milepost.model.units import Unit


class RecordPhase(StrEnum):
    """How far the unit is."""

    DISPATCHED = "dispatched"
    WRAPUP_WARNING_SENT = "wrapup-warning-sent"
    TIMEOUT = "timeout"
    RECOVERED = "recovered"
    FINALIZED = "finalized"
    PAUSED = "paused"
    SKIPPED = "skipped"


class UnitRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One unit in flight. Times are epoch milliseconds."""

    version: int = 1
    unit_type: str
    unit_id: str
    started_at: int
    updated_at: int
    phase: RecordPhase
    wrapup_warning_sent: bool = False
    continue_here_fired: bool = False
    timeout_at: int | None = None
    last_progress_at: int
    progress_count: int = 0
    last_progress_kind: str = "dispatch"
    recovery: object = UNSET
    """Of GSD; kept as it is."""
    recovery_attempts: int = 0
    last_recovery_reason: str | UnsetType = UNSET
    attempt: str | UnsetType = UNSET
    run: str | UnsetType = UNSET


def file_name(unit: Unit) -> str:
    """The record's name below `runtime/units/`."""
    return f"{unit.type}-{unit.id}".replace("/", "-") + ".json"


def encode(record: UnitRecord) -> bytes:
    """The file's bytes."""
    return _records.encode(record, newline=True)


def decode(data: bytes) -> UnitRecord | None:
    """The record in a file's bytes, None when they hold none."""
    try:
        return _records.decode(data, UnitRecord, "runtime/units")
    except FormatError:
        return None
