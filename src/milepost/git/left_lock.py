"""A lock file that a killed git left, told from one that is held, and taken away.

Git makes `X.lock` before it changes X and takes it away as it ends; `kill -9`, a full memory or a power cut leave it,
and every later git refuses for good. It is left when no git lives that began before it was written. Where the host
does not tell what a process is (no `/proc`), nothing is ever called left. Source: spec auto 6.9 (60 s, and not while
a git is alive), field-reports #7.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from milepost.git.pointers import checkout_of
from milepost.process import identity, table

_NAMED: Final = re.compile(r"[Uu]nable to create '(.+\.lock)': File exists")
_OURS_S: Final = 1.0
"""In a worktree of ours, and for a ref, which every git holds for milliseconds."""
_THEIRS_S: Final = 60.0
"""In a checkout of the user's: a git on another host or in a container, which we do not see, may hold it."""


HOLD: Final = b"milepost: "
"""How a lock begins that a merge of ours holds or left; who finishes that merge takes it over (`git.hold`)."""


def named_in(stderr: str) -> Path | None:
    """The lock file that a git complained of."""
    found = _NAMED.search(stderr)
    return Path(found[1]) if found else None


def take_away(lock: Path, *, ours: bool) -> bool:
    """Remove `lock` when it was left; whether it is gone.

    ours: as `of_ours`; a checkout of the user's is given more time.
    """
    with suppress(OSError), _turn(lock.parent):
        if _left(lock, ours=ours):
            lock.unlink()
            return True
    return not lock.exists()


def sweep(git_dir: Path) -> None:
    """Take away what killed gits left in the private part of a worktree of ours, so that its agent can use git."""
    for name in os.listdir(git_dir):
        if name.endswith(".lock"):
            take_away(git_dir / name, ours=True)


def of_ours(lock: Path) -> bool:
    """Whether the lock is private to a worktree of ours, or is one that is held for milliseconds: that of a ref."""
    checkout = checkout_of(lock.parent)
    if checkout is not None:
        return checkout.parent.name == "worktrees"
    return lock.name == "packed-refs.lock" or not (lock.parent / "objects").is_dir()


def may_be_git(pid: int) -> bool:
    """Whether the process is a git. Where `/proc` does not tell, every process may be one."""
    if not os.path.isdir("/proc/self"):
        return True
    try:
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return False
    return name == "git" or name.startswith("git-")


@contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """One at a time: the second would take away the lock that a git made after the first had looked."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _left(lock: Path, *, ours: bool) -> bool:
    if time.time() - lock.lstat().st_mtime < (_OURS_S if ours else _THEIRS_S) or _is_a_hold(lock):
        return False
    places = _places(lock)
    return not any(
        may_be_git(row.pid) and identity.started_before(row.pid, lock) and not _elsewhere(row.pid, places)
        for row in table.rows()
    )


def _is_a_hold(lock: Path) -> bool:
    with open(lock, "rb") as file:
        return file.read(len(HOLD)) == HOLD


def _places(lock: Path) -> tuple[Path, ...]:
    """Where a git that holds the lock can be at work: in its worktree, or in any checkout of the repository."""
    own = checkout_of(lock.parent)
    if own is not None:
        return (lock.parent.resolve(), own.resolve())
    common = next(up for up in lock.parents if (up / "objects").is_dir())
    linked = (common / "worktrees").glob("*")
    return (common.parent.resolve(), *(at.resolve() for one in linked if (at := checkout_of(one)) is not None))


def _elsewhere(pid: int, places: tuple[Path, ...]) -> bool:
    """Whether the process surely works on something else, or is gone."""
    try:
        where = Path(f"/proc/{pid}/cwd").readlink()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False
    named = [where / os.fsdecode(path) for path in _named(words, table.environment(pid).split(b"\0"))]
    return not any(path.resolve().is_relative_to(place) for path in (where, *named) for place in places)


def _named(words: list[bytes], environment: list[bytes]) -> Iterator[bytes]:
    """The git directories that a git was told of."""
    for word, following in zip(words, [*words[1:], b""], strict=True):
        if word == b"--git-dir":
            yield following
    for text in (*words, *environment):
        name, equals, value = text.partition(b"=")
        if equals and name in (b"--git-dir", b"GIT_DIR"):
            yield value
