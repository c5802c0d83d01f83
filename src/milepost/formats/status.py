"""`parallel/M###.status.json`: what a worker says of itself, for others to read.

    {
      "milestoneId": "M001",
      "pid": 4711,
      "state": "running",
      "currentUnit": {"type": "execute-task", "id": "M001/S01/T01", "startedAt": 1763760000000},
      "completedUnits": 3,
      "cost": 0.42,
      "lastHeartbeat": 1763760030000,
      "startedAt": 1763759000000,
      "worktreePath": "/project/.gsd/worktrees/M001"
    }

Two spaces of indent, no newline at the end. Fields after `worktreePath` are ours and may be missing. A file that
cannot be read counts as no file. Source: parallel 1.4, PR-300 to PR-302.
"""

from enum import StrEnum

import msgspec

from milepost.errors import FormatError
from milepost.formats import _records


class WorkerState(StrEnum):
    """What the worker is; the last two are final for its process."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    ERROR = "error"


class CurrentUnit(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The unit in flight."""

    type: str
    id: str
    started_at: int
    """Epoch milliseconds."""


class LastOrder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order that the worker took."""

    signal: str
    sent_at: int
    """Epoch milliseconds, as in the order."""
    taken_at: int


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One worker at one moment."""

    milestone_id: str
    pid: int
    """0 when it could not be started."""
    state: WorkerState
    current_unit: CurrentUnit | None
    completed_units: int
    cost: float
    """USD so far."""
    last_heartbeat: int
    """Epoch milliseconds."""
    started_at: int
    worktree_path: str
    run: str | msgspec.UnsetType = msgspec.UNSET
    host: str | msgspec.UnsetType = msgspec.UNSET
    boot_id: str | msgspec.UnsetType = msgspec.UNSET
    start_ticks: int | msgspec.UnsetType = msgspec.UNSET
    """Start of the process; with host, boot and pid it is an identity."""
    last_progress: int | msgspec.UnsetType = msgspec.UNSET
    """Epoch milliseconds of the last event of the agent; a heartbeat alone is no progress."""
    reason: str | msgspec.UnsetType = msgspec.UNSET
    """Why it is paused, stopped or in error, or for what it waits beside the provider."""
    cost_known: bool | msgspec.UnsetType = msgspec.UNSET
    """False when some request had no known price, so that `cost` is a lower bound."""
    title: str | msgspec.UnsetType = msgspec.UNSET
    doing: str | msgspec.UnsetType = msgspec.UNSET
    """starting, setting-up, working, waiting, pausing, paused, stopping or ended."""
    wakes_at: int | msgspec.UnsetType = msgspec.UNSET
    """Epoch milliseconds until which the provider, or a budget window, is waited for."""
    fleet: str | msgspec.UnsetType = msgspec.UNSET
    """The fleet's session."""
    last_order: LastOrder | msgspec.UnsetType = msgspec.UNSET
    """The order that was taken last: the acknowledgement."""
    port_base: int | msgspec.UnsetType = msgspec.UNSET
    """First of the ports that are this worktree's."""


def encode(status: Status) -> bytes:
    """The file's bytes."""
    return _records.encode(status, newline=False)


def decode(data: bytes) -> Status | None:
    """The status in a file's bytes, None when they hold none."""
    try:
        return _records.decode(data, Status, "status.json")
    except FormatError:
        return None
