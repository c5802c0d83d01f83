"""Open files that others may have put there: a pipe or a device of that name must not hang who reads. Hot path."""

import errno
import os
import stat

_CHUNK = 1 << 20


def read(path: "str | os.PathLike[str]", *, most: int | None = None) -> bytes:
    """The bytes of a regular file. Raises OSError, also for what is no file or is longer than `most` bytes."""
    descriptor = open_to_read(path)
    try:
        if most is not None and os.fstat(descriptor).st_size > most:
            raise OSError(errno.EFBIG, f"longer than {most} bytes", os.fspath(path))
        return rest(descriptor)
    finally:
        os.close(descriptor)


def open_to_read(path: "str | os.PathLike[str]", *, follow: bool = True) -> int:
    """A descriptor of a regular file, not inherited. Raises OSError, also for what is no file."""
    link = 0 if follow else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | link)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return descriptor


def rest(descriptor: int) -> bytes:
    """What an open file holds from where it stands."""
    parts = []
    while part := os.read(descriptor, _CHUNK):
        parts.append(part)
    return b"".join(parts)
