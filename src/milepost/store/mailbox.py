"""Orders on disk: `parallel/<MID>.signal.json`, posted whole, claimed by rename.

At most one order waits per milestone; a newer one replaces an older one. Claiming renames to a private name first
and reads after, under a lock of the kernel, so that no order is lost and none is read twice; what a killed claimer
left is found by the next. What is no order is kept as `<MID>.signal.json.bad`, an order for another run as
`….stale`: neither is obeyed, neither stands in the way. Source: parallel PR-303 to PR-305, FM-41 to FM-44.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from milepost.errors import FormatError
from milepost.formats import signal
from milepost.model.ids import require_milestone
from milepost.store import atomic, flock, regular

SOLO = "auto"
"""The box of an auto mode that is not bound to one milestone."""
_MOST_BYTES = 65_536


class Claimed(NamedTuple):
    """What lay in the box."""

    order: signal.Signal | None = None
    bad: tuple[Path, ...] = ()
    """Where files that hold no order are kept."""
    stale: tuple[signal.Signal, ...] = ()
    """Orders for another run, or overtaken by the one in `order`."""


def post(box: Path, milestone: str, order: signal.Signal) -> None:
    """Leave `order` for the worker of `milestone`. `box`: the project's `parallel/` directory. Raises BadId."""
    atomic.replace(_path(box, milestone), signal.encode(order), within=box)


def pending(box: Path, milestone: str) -> signal.Signal | None:
    """The order that waits, left where it is; None when there is none or it cannot be read."""
    try:
        return signal.decode(regular.read(_path(box, milestone), most=_MOST_BYTES))
    except (OSError, FormatError):
        return None


def clear(box: Path, milestone: str, *, but: str = "") -> None:
    """Take away what waits and what was put aside as stale: at the start of a run and at its end (FM-41).

    but: a run whose order stays, since it may have been given before the run looked.
    """
    order = claim_all(box, milestone, run=but).order
    if order is not None and but == order.run != "":
        _put_back(box, milestone, order)
    path = _path(box, milestone)
    path.with_name(f"{path.name}.stale").unlink(missing_ok=True)


def claim(box: Path, milestone: str, *, run: str) -> signal.Signal | None:
    """Take the waiting order; None when there is none, it cannot be read, or it is for another run."""
    return claim_all(box, milestone, run=run).order


def claim_all(box: Path, milestone: str, *, run: str) -> Claimed:
    """Take what waits, with what was put aside on the way. Of several orders for this run the newest counts."""
    path = _path(box, milestone)
    # A name that no other claimer has; the number is for people.
    mine = box / f".{milestone}.signal.claimed.{os.getpid()}.{os.urandom(4).hex()}"
    with suppress(FileNotFoundError, NotADirectoryError):
        path.rename(mine)
    result = Claimed()
    for taken in _claimed(box, milestone):
        result = _read(taken, path, run, result)
    return result


def _claimed(box: Path, milestone: str) -> list[Path]:
    """What is claimed and not yet read, by us or by one that was killed; the newest first."""
    found: list[tuple[int, Path]] = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(box):
            if name.startswith(f".{milestone}.signal.claimed."):
                with suppress(FileNotFoundError):
                    found.append(((box / name).lstat().st_mtime_ns, box / name))
    return [path for _, path in sorted(found, reverse=True)]


def _read(taken: Path, path: Path, run: str, so_far: Claimed) -> Claimed:
    try:
        descriptor = regular.open_to_read(taken, follow=False)
    except FileNotFoundError:
        return so_far
    except OSError:
        return so_far._replace(bad=so_far.bad + _aside(taken, path, "bad"))
    try:
        # Whoever has the lock reads it; one that is locked or gone is another's.
        if not flock.try_alone(descriptor) or not flock.is_at(descriptor, taken):
            return so_far
        return _sorted(descriptor, taken, path, run, so_far)
    finally:
        flock.release(descriptor)


def _sorted(descriptor: int, taken: Path, path: Path, run: str, so_far: Claimed) -> Claimed:
    try:
        order = signal.decode(os.read(descriptor, _MOST_BYTES))
    except FormatError:
        return so_far._replace(bad=so_far.bad + _aside(taken, path, "bad"))
    if so_far.order is None and order.run in ("", run):
        taken.unlink()
        return so_far._replace(order=order)
    _aside(taken, path, "stale")
    return so_far._replace(stale=(*so_far.stale, order))


def _aside(taken: Path, path: Path, why: str) -> tuple[Path, ...]:
    # A directory, or one in the way of a file, cannot be replaced; another claimer may have been faster.
    for kept in (path.with_name(f"{path.name}.{why}"), path.with_name(f"{path.name}.{why}.{os.urandom(4).hex()}")):
        with suppress(OSError):
            taken.replace(kept)
            return (kept,)
    return ()


def _put_back(box: Path, milestone: str, order: signal.Signal) -> None:
    whole = box / f".{milestone}.signal.again.{os.getpid()}.{os.urandom(4).hex()}"
    whole.write_bytes(signal.encode(order))
    # Not by rename: a newer order may lie there by now.
    with suppress(FileExistsError):
        os.link(whole, _path(box, milestone))
    whole.unlink()


def _path(box: Path, milestone: str) -> Path:
    return box / f"{milestone if milestone == SOLO else require_milestone(milestone)}.signal.json"
