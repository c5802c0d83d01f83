"""`auto.lock`: which process works on the project, and on what.

    {
      "pid": 4711,
      "startedAt": "2026-03-17T10:00:00.000Z",
      "unitType": "execute-task",
      "unitId": "M001/S01/T02",
      "unitStartedAt": "2026-03-17T10:04:00.000Z",
      "completedUnits": 5,
      "sessionFile": "…"
    }

Here it is information for people and for GSD; what excludes a second run is the kernel lock of a lease. Fields
after `sessionFile` are ours and may be missing. A file that cannot be read counts as no lock. Source: spec auto 5.4.
"""

import msgspec

from milepost.errors import FormatError
from milepost.formats import _records

STARTING = "starting"
RESUMING = "resuming"
"""Unit types before the first unit."""


class Lock(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The holder and its unit."""

    pid: int
    started_at: str
    """ISO time, as the fields of this name in GSD's files."""
    unit_type: str
    unit_id: str
    unit_started_at: str
    completed_units: int = 0
    session_file: str | msgspec.UnsetType = msgspec.UNSET
    run: str | msgspec.UnsetType = msgspec.UNSET
    host: str | msgspec.UnsetType = msgspec.UNSET
    boot_id: str | msgspec.UnsetType = msgspec.UNSET
    start_ticks: int | msgspec.UnsetType = msgspec.UNSET
    """Start of the process; with host, boot and pid it is an identity."""


def encode(lock: Lock) -> bytes:
    """The file's bytes."""
    return _records.encode(lock, newline=False)


def decode(data: bytes) -> Lock | None:
    """The lock in a file's bytes; None for a corrupt file or a pid that is none."""
    try:
        lock = _records.decode(data, Lock, "auto.lock")
    except FormatError:
        return None
    return lock if lock.pid > 0 else None
