"""The index of a checkout, held against every other git while the branch under it moves.

    with held(checkout) as hold:  …read-tree with index=hold.index…  hold.keep()

`index.lock` is what git itself takes before it changes or commits an index. As long as it is ours, nobody can commit
the files of before on top of the branch as it is now, which would take out what was just merged. Ours says whose it
is and is locked by the kernel, so that one that a killed run left is known and taken over. Our own git works on a
copy, whose locks are in nobody's way. Source: DESIGN rule 6; git's lockfile.h.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.git import left_lock
from milepost.git.repo import git_dir

_OURS: Final = left_lock.HOLD + b"a merge is being brought to this checkout; the next gsd command finishes it\n"
_WAIT_S: Final = 5.0
"""Another git holds it for milliseconds, unless it was killed or a hook of it takes long."""
_PAUSE_S: Final = 0.05


class IndexBusy(MilepostError):
    """Another git is at work in a checkout, or was killed there and left its lock. Nothing was changed."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, where: Path, lock: Path) -> None:
        super().__init__(
            f"another git is at work in {where}: {lock.name} has stood for {_WAIT_S:.0f} s",
            hint=f"Let it end; when no git runs there any more: rm '{lock}'",
        )
        self.where = where


@dataclass(frozen=True, slots=True)
class Hold:
    """A held index."""

    where: Path
    index: Path
    """A copy to work on."""
    _real: Path

    def afresh(self) -> None:
        """Begin with another copy: a git that was killed left this one half done."""
        self.index.with_name(f"{self.index.name}.lock").unlink(missing_ok=True)
        self.index.unlink(missing_ok=True)
        with suppress(FileNotFoundError):  # A checkout that nothing was checked out in has none yet.
            # With its times: git takes an entry that is as young as its index for one that it has to look at.
            shutil.copy2(self._real, self.index)

    def keep(self) -> None:
        """Let the copy be the index."""
        with suppress(FileNotFoundError):
            self.index.replace(self._real)


@contextmanager
def held(where: Path) -> Iterator[Hold]:
    """Hold the index of the checkout at `where`. Raises IndexBusy, or OSError on a full disk; nothing was changed."""
    directory = git_dir(where)
    lock = directory / "index.lock"
    descriptor = _taken(lock, where)
    try:
        hold = Hold(where, directory / "index.gsd", directory / "index")
        hold.afresh()
        try:
            yield hold
        finally:
            hold.index.unlink(missing_ok=True)
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(lock: Path, where: Path) -> int:
    deadline = time.monotonic() + _WAIT_S
    if lock.exists():
        left_lock.take_away(lock, ours=False)
    while (descriptor := _made(lock)) is None and (descriptor := _left(lock)) is None:
        if time.monotonic() > deadline:
            raise IndexBusy(where, lock)
        time.sleep(_PAUSE_S)
    return descriptor


def _made(lock: Path) -> int | None:
    """A lock that is ours from its first moment; None when there is one."""
    descriptor, name = tempfile.mkstemp(dir=lock.parent, prefix="index.gsd.")
    try:
        os.write(descriptor, _OURS)
        with suppress(OSError):  # Where the kernel does not lock files, one that is left is not taken over.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.link(name, lock)
    except FileExistsError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    finally:
        os.unlink(name)
    return descriptor


def _left(lock: Path) -> int | None:
    """A lock of ours whose holder is gone; None when it is somebody else's, or is held."""
    with suppress(OSError):
        descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        with suppress(OSError):
            if os.read(descriptor, len(_OURS)) == _OURS:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _same(os.fstat(descriptor), lock.lstat()):
                    return descriptor
        os.close(descriptor)
    return None


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return stat.S_ISREG(one.st_mode) and (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
