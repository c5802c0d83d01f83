"""Replace a file whole: a reader sees the old text or the new, never half of either.

Temp file in the same directory, fsync, rename, then fsync of the directory. Source: DESIGN "What is on disk".
"""

import os
from pathlib import Path

from milepost.errors import ExitCode, MilepostError


class LeadsOut(MilepostError):
    """A directory on the way to a file is a link that leads out of where the file has to be; nothing was written."""

    exit_code = ExitCode.BLOCKED


def replace(
    path: Path, data: bytes, *, durable: bool = True, within: Path | None = None, mode: int | None = None
) -> None:
    """Write `data` to `path`, keeping the mode of a file that is there.

    within: for places where others can make links: a file that is a link out of this directory is replaced by a file
    instead of followed; a directory that leads out raises LeadsOut.

    durable: whether to wait for the disk. False is for what only living processes look at (locks, records of what
    runs now): after a power cut it may be gone, and nobody minds.

    mode: of the file from its first byte on, whatever it was.

    A symlink is followed, so that a linked file stays linked. The directory is made when missing.
    Raises OSError (disk full, read-only) with the old file untouched and no temporary file left.
    """
    target = Path(os.path.realpath(path)) if within is None else _inside(path, within)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        _write(temporary, data, mode=_mode_of(target) if mode is None else mode, durable=durable)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync_directory(target.parent)


def _inside(path: Path, within: Path) -> Path:
    home = Path(os.path.realpath(within))
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(home):
        target = Path(os.path.realpath(path.parent)) / path.name
    if not target.is_relative_to(home):
        link = next((above for above in path.parents if above.is_symlink()), path.parent)
        raise LeadsOut(
            f"{path} leads out of {within} through a link: {link} → {os.path.realpath(link)}",
            hint=f"Take the link away; what it leads to stays: rm '{link}'",
        )
    return target


def _write(path: Path, data: bytes, *, mode: int | None, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else mode)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
