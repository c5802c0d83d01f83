"""A bell between a thread and the event loop: rung from anywhere, heard by one task, which sleeps until then."""

import os
from contextlib import suppress

import anyio

_ALL = 1 << 20
"""More than a pipe holds."""


class Bell:
    """Several rings before somebody hears them are one."""

    def __init__(self) -> None:
        self._ear, self._rope = os.pipe()
        os.set_blocking(self._ear, False)
        os.set_blocking(self._rope, False)

    def ring(self) -> None:
        """From any thread; never waits."""
        # A pipe that is full has been rung often enough; one that is closed has nobody to hear it.
        with suppress(OSError):
            os.write(self._rope, b"!")

    async def heard(self) -> None:
        """Wait until it rings."""
        await anyio.wait_readable(self._ear)
        with suppress(BlockingIOError):
            os.read(self._ear, _ALL)

    def close(self) -> None:
        """Put it away; nobody may listen any more."""
        rope, self._rope = self._rope, -1
        for end in (self._ear, rope):
            os.close(end)
