"""One at a time on this machine: set-ups that fill the same cache wait for each other.

Tools lock their caches too, some well, some not; and several downloads of the same at once help nobody. The kernel
passes the turn on when its holder dies. Where the global directory cannot be written, nobody waits.
Source: field-reports #34.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

_POLL_S = 0.1


@asynccontextmanager
async def turn(path: Path, on_wait: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the turn at `path` while the block runs. on_wait: called once when somebody else has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    try:
        if not locked(descriptor):
            on_wait()
            while not locked(descriptor):  # noqa: ASYNC110 - the kernel tells nobody
                await anyio.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)


def locked(descriptor: int) -> bool:
    """Whether the turn is ours; also where the file system knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
