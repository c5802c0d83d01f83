"""`orchestrator.json`: the coordinator's workers, as GSD keeps them over a restart.

    {
      "active": true,
      "workers": [{"milestoneId": "M001", "title": "…", "pid": 4711, "worktreePath": "…", "startedAt": 1763760000000,
                   "state": "running", "completedUnits": 3, "cost": 0.42}],
      "totalCost": 0.42,
      "startedAt": 1763760000000,
      "configSnapshot": {"max_workers": 2, "budget_ceiling": 10}
    }

Fields of ours come after these and may be missing; unknown fields are passed over. A projection: nothing is
decided from it that leases and status files do not say. A corrupt file counts as none. Source: parallel PR-306.
"""

import msgspec
from msgspec import UNSET, UnsetType

from milepost.errors import FormatError
from milepost.formats import _records
from milepost.formats.status import WorkerState


class Worker(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One worker."""

    milestone_id: str
    title: str
    pid: int
    worktree_path: str
    started_at: int
    """Epoch milliseconds."""
    state: WorkerState
    completed_units: int = 0
    """Missing in files of v3."""
    cost: float = 0
    """USD."""
    run: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    boot_id: str | UnsetType = UNSET
    start_ticks: int | UnsetType = UNSET


class ConfigSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that the workers were started with."""

    max_workers: int
    budget_ceiling: float | UnsetType = UNSET
    """USD."""


class Orchestrator(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All workers of a project."""

    active: bool
    workers: tuple[Worker, ...]
    total_cost: float
    """The sum over workers, never accumulated."""
    started_at: int
    config_snapshot: ConfigSnapshot
    run: str | UnsetType = UNSET


def encode(state: Orchestrator) -> bytes:
    """The file's bytes."""
    return _records.encode(state, newline=False)


def decode(data: bytes) -> Orchestrator | None:
    """The state in a file's bytes, None when they hold none."""
    try:
        return _records.decode(data, Orchestrator, "orchestrator.json")
    except FormatError:
        return None
