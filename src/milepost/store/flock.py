"""Kernel locks on files and directories: held as long as the file is open somewhere, gone when the last one dies.

A lock belongs to the open file, not to its name: whoever deletes the name and makes it again has another file.
So taking ends with a look whether the name still means the file that was locked. Descriptors are not inherited by
programs that are started, unless they are handed over on purpose. Source: DESIGN rule 9; FM-45 to FM-47.
"""

import errno
import fcntl
import os
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path

_TRIES_S = (0.001, 0.002, 0.004) + (0.006,) * 30
"""Pauses between tries: who asks takes the lock for a moment, and nobody may be refused for that."""
_ROUNDS = 100
"""So often a name may come to mean another file while it is being locked."""
_ASK_S = (0.001, 0.002, 0.004, 0.008)


class Grip(Enum):
    """How a file is held."""

    NONE = "none"
    SHARED = "shared"
    EXCLUSIVE = "exclusive"


def take(path: Path, *, shared: bool = False) -> int | None:
    """Lock the file at `path`, made when missing; its descriptor, or None when another's lock forbids it.

    Never waits longer than a moment. Raises OSError when the file cannot be made or opened, or is a link: who holds
    a lock writes to its file, and that must not be somebody's file elsewhere.
    """
    for _ in range(_ROUNDS):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _made(path)
        if not lock(descriptor, shared=shared):
            os.close(descriptor)
            return None
        if is_at(descriptor, path):
            return descriptor
        release(descriptor)
    raise _restless(path)


def wait_for(directory: Path) -> int:
    """Lock a directory, made when missing, as soon as nobody else has it; its descriptor. Raises OSError."""
    for _ in range(_ROUNDS):
        with suppress(FileNotFoundError):  # removed between the two lines
            directory.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_at(descriptor, directory):
                return descriptor
            release(descriptor)
    raise _restless(directory)


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file; whether that was possible. One that is locked through this very opening stays so."""
    for pause_s in (*_TRIES_S, 0.0):
        if _try(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            return True
        time.sleep(pause_s)
    return False


def release(descriptor: int) -> None:
    """Close it, and let go for everybody who has this opening of the file.

    A program that another thread is starting just now has a copy for a moment; closing alone would wait for it.
    """
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def try_alone(descriptor: int) -> bool:
    """Lock an open file exclusively if nobody else holds it; a lock that we shared is gone if that fails."""
    return _try(descriptor, fcntl.LOCK_EX)


def is_at(descriptor: int, path: str | os.PathLike[str]) -> bool:
    """Whether `path` means the open file."""
    try:
        there = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def is_exclusive(path: Path) -> bool:
    """Whether somebody holds it alone. Askers do not get in each other's way."""
    descriptor = _open(path)
    if descriptor is None:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        release(descriptor)


def grip(path: Path) -> Grip:
    """How the file is held. Nobody's is said at once; a held one is asked again, since it may be another who asks."""
    for pause_s in _ASK_S:
        if _grip(path) is Grip.NONE:
            return Grip.NONE
        time.sleep(pause_s)
    return _grip(path)


def _grip(path: Path) -> Grip:
    descriptor = _open(path)
    if descriptor is None:
        return Grip.NONE
    try:
        if not _try(descriptor, fcntl.LOCK_SH):
            return Grip.EXCLUSIVE
        return Grip.NONE if _try(descriptor, fcntl.LOCK_EX) else Grip.SHARED
    finally:
        release(descriptor)


def _made(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(
                errno.ELOOP, "is a symbolic link, which no file to be locked may be", os.fspath(path)
            ) from None
        raise


def _open(path: Path) -> int | None:
    try:
        # Without waiting, should a pipe lie there.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None  # Nobody can have locked a link, see `take`.
        raise


def _restless(path: Path) -> OSError:
    return OSError(errno.ESTALE, "is removed and made again all the time", os.fspath(path))


def _try(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
