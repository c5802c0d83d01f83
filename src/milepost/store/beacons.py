"""`parallel/<MID>.status.json` of all workers: what each last said of itself.

A file that cannot be read, or says another milestone than its name, is passed over (parallel PR-301); a missing
directory is an empty list (PR-302). `read` is on the hot path of `gsd headless query` and imports little.
"""

import json
import math
import os
from typing import TYPE_CHECKING, NamedTuple

from milepost.store import regular

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.formats.status import Status

_SUFFIX = ".status.json"
_MOST_BYTES = 1 << 20


class Beacon(NamedTuple):
    """What a worker last said of itself, as far as a total of costs needs it."""

    milestone_id: str
    pid: int
    state: str
    cost_usd: float | None
    last_heartbeat: int
    """Epoch milliseconds."""


def read(state: str) -> tuple[Beacon, ...]:
    """The workers' beacons below a state directory, by milestone."""
    box = os.path.join(state, "parallel")
    found = (_beacon(os.path.join(box, name), name.removesuffix(_SUFFIX)) for name in _names(box))
    return tuple(beacon for beacon in found if beacon is not None)


def load(box: "Path") -> "tuple[Status, ...]":
    """All that the workers say, by milestone. `box`: the project's `parallel/` directory."""
    found = (_status(box / name, name.removesuffix(_SUFFIX)) for name in _names(box))
    return tuple(status for status in found if status is not None)


def publish(box: "Path", status: "Status") -> None:
    """Say it: the file is replaced whole, and not waited for. Raises BadId, OSError."""
    from milepost.formats import status as format_
    from milepost.model.ids import require_milestone
    from milepost.store import atomic

    path = box / f"{require_milestone(status.milestone_id)}{_SUFFIX}"
    atomic.replace(path, format_.encode(status), durable=False, within=box)


def _names(box: "str | Path") -> list[str]:
    try:
        return sorted(name for name in os.listdir(box) if name.endswith(_SUFFIX))
    except OSError:
        return []


def _beacon(path: str, milestone: str) -> Beacon | None:
    try:
        said = json.loads(regular.read(path, most=_MOST_BYTES))
        cost = said.get("cost")
        if (cost is not None and not math.isfinite(float(cost))) or said.get("milestoneId", milestone) != milestone:
            return None
        return Beacon(
            milestone_id=milestone,
            pid=int(said["pid"]),
            state=str(said["state"]),
            cost_usd=None if cost is None else float(cost),
            last_heartbeat=int(said["lastHeartbeat"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _status(path: "Path", milestone: str) -> "Status | None":
    from milepost.formats import status as format_

    try:
        status = format_.decode(regular.read(path, most=_MOST_BYTES))
    except OSError:
        return None
    return status if status is not None and status.milestone_id == milestone else None
