"""Orders on disk: `parallel/<MID>.signal.json`, posted whole, claimed by rename.

At most one order waits per milestone; a newer one replaces an older one. Claiming renames first and reads after,
so that no order is lost and none is read twice. An order for another run is put aside, not obeyed.
Source: parallel PR-303 to PR-305, DESIGN "What is on disk".
"""

import os
from pathlib import Path

from milepost.errors import FormatError
from milepost.formats import signal
from milepost.store import atomic


def post(box: Path, milestone: str, order: signal.Signal) -> None:
    """Leave `order` for the worker of `milestone`. `box`: the project's `parallel/` directory."""
    atomic.replace(_path(box, milestone), signal.encode(order))


def claim(box: Path, milestone: str, *, run: str) -> signal.Signal | None:
    """Take the waiting order; None when there is none, it cannot be read, or it is for another run."""
    taken = box / f".{milestone}.signal.claimed.{os.getpid()}"
    try:
        _path(box, milestone).rename(taken)
    except FileNotFoundError:
        return None
    try:
        order = signal.decode(taken.read_bytes())
    except FormatError:
        return None
    finally:
        taken.unlink(missing_ok=True)
    return None if order.run not in ("", run) else order


def _path(box: Path, milestone: str) -> Path:
    return box / f"{milestone}.signal.json"
