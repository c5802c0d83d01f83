"""The turn to ask a provider after a limit: a lock on a file, which the kernel passes on when its holder dies.

A holder that lives and does not go on (suspended, or its request hangs) would keep all others from working. So its
turn is bounded: each holder writes its own mark into the file, and whoever has seen the same mark for too long takes
the file away and makes a new one. A holder that wakes later holds a file that nobody asks for any more.
Source: parallel PR-238; field-reports #43; decision 0018.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from milepost.store import flock
from milepost.worker import turn

LONGEST_S: Final = 120.0
"""So long one holder may keep others waiting; a model may think for a minute before its first answer is whole."""
_MARK = 200


class Turn:
    """One run's hold of the turn, or its place in the queue."""

    def __init__(self, path: Path, run: str, *, longest_s: float = LONGEST_S, now_s: Callable[[], float] = time.monotonic) -> None:  # fmt: skip # noqa: E501
        self._path = path
        self._run = run
        self._longest_s = longest_s
        self._now_s = now_s
        self._held: int | None = None
        self._seen: tuple[int, bytes] | None = None
        """Which file, and whose mark in it, was seen by who waits."""
        self._since_s = 0.0

    def take(self) -> bool:
        """Whether the turn is ours now. Where it cannot be had at all, nobody waits for it."""
        if self._held is not None:
            return True
        try:
            descriptor = self._opened()
        except OSError:
            return True
        if turn.locked(descriptor) and flock.is_at(descriptor, self._path):
            self._seen = None
            self._mark(descriptor)
            return True
        try:
            if self._hangs(descriptor):
                self._path.unlink(missing_ok=True)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def release(self) -> None:
        """Let the next one have it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _opened(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)

    def _mark(self, descriptor: int) -> None:
        self._held = descriptor
        with suppress(OSError):  # On a full disk one holder cannot be told from the next; it is the turn that counts.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{self._run} {self._now_s()}\n".encode(), 0)

    def _hangs(self, descriptor: int) -> bool:
        """Whether the same holder has kept us waiting for too long."""
        seen = (os.fstat(descriptor).st_ino, os.pread(descriptor, _MARK, 0))
        if seen != self._seen:
            self._seen, self._since_s = seen, self._now_s()
        return self._now_s() - self._since_s >= self._longest_s and flock.is_at(descriptor, self._path)
