"""What an attempt left uncommitted in a checkout that is the user's too, so that theirs can be told from ours later.

Only for the isolation modes branch and none: a worktree of our own has no changes but ours. Written before an attempt
is closed; an attempt that is still open vouches for what lies there itself. Source: DESIGN rule 6, field-reports #6.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from milepost.git import status
from milepost.store import atomic

Mark = tuple[int, int]
"""Modification time in ns, and size."""


def note(checkout: Path, state_dir: str, milestone: str) -> None:
    """Remember what differs from the last commit now."""
    marks = {path: _mark(checkout / path) for path in _changed(checkout, state_dir)}
    atomic.replace(_path(checkout / state_dir, milestone), msgspec.json.encode(marks))


def theirs(checkout: Path, state_dir: str, milestone: str) -> tuple[str, ...]:
    """What differs now and is not as the last attempt left it: somebody else's work."""
    try:
        left = msgspec.json.decode(_path(checkout / state_dir, milestone).read_bytes(), type=dict[str, Mark])
    except (FileNotFoundError, msgspec.DecodeError):
        left = {}
    return tuple(path for path in _changed(checkout, state_dir) if left.get(path) != _mark(checkout / path))


def _changed(checkout: Path, state_dir: str) -> Iterable[str]:
    return (c.path for c in status.dirty(checkout) if not c.path.startswith(f"{state_dir}/"))


def _mark(path: Path) -> Mark:
    try:
        found = path.lstat()
    except OSError:
        return (0, -1)
    return (found.st_mtime_ns, found.st_size)


def _path(state: Path, milestone: str) -> Path:
    return state / "runtime" / "places" / f"{milestone}.left.json"
