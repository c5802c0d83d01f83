"""`memories.jsonl` in the project's root: read whole, appended to under a lock, so that workers share what they learn.

The lock is that of a directory, as with the notebooks: it cannot be deleted under its holder. Source: spec auto 5.19.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from milepost.formats import memory
from milepost.formats.memory import Fact
from milepost.store import flock, regular

NAME: Final = "memories.jsonl"


def read(state: Path) -> tuple[Fact, ...]:
    """All facts, oldest first; none when there is no file. `state`: the project's state directory. Raises OSError."""
    try:
        return memory.read(regular.read(state / NAME))
    except FileNotFoundError:
        return ()


def add(state: Path, make: Callable[[tuple[Fact, ...]], Sequence[Fact]]) -> tuple[Fact, ...]:
    """Append what `make` makes of all that is written, in one step against every process; what was appended.

    Raises OSError, and what `make` does, with nothing written.
    """
    descriptor = flock.wait_for(state / "runtime" / "memories")
    try:
        facts = tuple(make(read(state)))
        if facts:
            _append(state / NAME, b"".join(memory.encode(fact) for fact in facts))
        return facts
    finally:
        flock.release(descriptor)


@contextmanager
def turn(state: Path) -> Iterator[bool]:
    """Whether this process is the only one that learns from a transcript now; it stays so while the block runs."""
    descriptor = flock.take(state / "runtime" / "memories" / "turn.lock")
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            flock.release(descriptor)


def _append(path: Path, data: bytes) -> None:
    how = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, how, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        # What a crash tore ends where it ends.
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        view = memoryview(b"\n" + data if torn else data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
