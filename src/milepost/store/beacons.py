"""`parallel/<MID>.status.json` of all workers, read for display. Writes nothing, imports little.

A file that cannot be read is passed over (parallel PR-301); a missing directory is an empty list (PR-302).
"""

import json
import math
import os
from typing import NamedTuple


class Beacon(NamedTuple):
    """What a worker last said of itself."""

    milestone_id: str
    pid: int
    state: str
    cost_usd: float | None
    last_heartbeat: int
    """Epoch milliseconds."""


def read(state: str) -> tuple[Beacon, ...]:
    """The workers' beacons below a state directory, by milestone."""
    directory = os.path.join(state, "parallel")
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".status.json"))
    except OSError:
        return ()
    found = (_beacon(os.path.join(directory, name), name.removesuffix(".status.json")) for name in names)
    return tuple(beacon for beacon in found if beacon is not None)


def _beacon(path: str, milestone: str) -> Beacon | None:
    try:
        with open(path, "rb") as file:
            said = json.load(file)
        cost = said.get("cost")
        if cost is not None and not math.isfinite(float(cost)):
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
