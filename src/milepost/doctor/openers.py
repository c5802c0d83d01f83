"""Which processes have a file open: the kernel's answer where a record of a lock says nothing.

Only processes that this user may look into are seen. Source: proc(5).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def having_open(*paths: Path) -> tuple[int, ...]:
    """Pids of those that have one of the files open, this one left out; empty where the system does not tell."""
    wanted = set()
    for path in paths:
        with suppress(OSError):
            found = path.stat()
            wanted.add((found.st_dev, found.st_ino))
    return tuple(pid for pid in _pids() if wanted and _has_open(pid, wanted))


def _pids() -> Iterator[int]:
    with suppress(OSError):
        names = os.listdir("/proc")
        yield from sorted(int(name) for name in names if name.isdigit() and int(name) != os.getpid())


def _has_open(pid: int, wanted: set[tuple[int, int]]) -> bool:
    directory = f"/proc/{pid}/fd"
    with suppress(OSError):
        for name in os.listdir(directory):
            with suppress(OSError):
                found = os.stat(f"{directory}/{name}")
                if (found.st_dev, found.st_ino) in wanted:
                    return True
    return False
