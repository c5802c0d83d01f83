"""What a stream said: its beginning and its end in memory, all of it in a file when it is long.

Test runners say what failed at the end, compilers at the beginning; a quarter is kept of the head, the rest of
the tail. The file has a limit too, so that endless output cannot fill the disk.
"""

import os
from io import FileIO
from pathlib import Path

import anyio

CHUNK = 65_536
SPOOL_LIMIT = 256 * 1024 * 1024
"""Bytes of one stream kept on disk; the file ends with a sentence when there was more."""


class Capture:
    """The bytes of one stream. Close it to close the file."""

    def __init__(self, keep_bytes: int, spool: Path | None) -> None:
        """keep_bytes: how much stays in memory; spool: the file for a stream longer than that, None for none."""
        self.total = 0
        self.path: Path | None = None
        """The file with the whole stream; None when it all is in memory, or no file was wanted."""
        self._spool = spool
        self._file: FileIO | None = None
        self._head_size = keep_bytes // 4
        self._keep = keep_bytes
        self._held = bytearray()
        self._tail = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes. A file that cannot be written (disk full) is given up, the rest goes on."""
        before = self.total
        self.total += len(data)
        if self.total <= self._keep:
            self._held += data
            return
        if before <= self._keep:
            self._open()
            self._write(bytes(self._held), 0)
            # The first piece alone may be longer than all that is kept: its beginning is the head all the same.
            missing = max(0, self._head_size - len(self._held))
            self._tail = self._held[self._head_size :]
            self._held = self._held[: self._head_size] + data[:missing]
            self._write(data, before)
            self._tail += data[missing:]
        else:
            self._write(data, before)
            self._tail += data
        if len(self._tail) > 2 * self._keep + CHUNK:
            del self._tail[: len(self._tail) - self._keep]

    def text(self) -> str:
        """What is kept, as text; bytes that are not UTF-8 become U+FFFD, a gap is named with its size."""
        if self.total <= self._keep:
            return self._held.decode("utf-8", "replace")
        tail = bytes(self._tail[max(0, len(self._tail) - (self._keep - self._head_size)) :])
        gap = self.total - len(self._held) - len(tail)
        head = self._held.decode("utf-8", "replace")
        return f"{head}\n[… {gap} bytes left out …]\n{tail.decode('utf-8', 'replace')}"

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        if self._spool is None:
            return
        try:
            self._spool.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._spool.open("wb", buffering=0)
            self.path = self._spool
        except OSError:
            self.path = None

    def _write(self, data: bytes, before: int) -> None:
        if self._file is None or before >= SPOOL_LIMIT:
            return
        try:
            self._file.write(data[: SPOOL_LIMIT - before])
            if before + len(data) > SPOOL_LIMIT:
                self._file.write(f"\n[cut after {SPOOL_LIMIT} bytes]\n".encode())
        except OSError:
            self.close()
            self.path = None


async def pump(descriptor: int, capture: Capture) -> None:
    """Read a pipe to its end. The descriptor must not block; the caller closes it."""
    while True:
        await anyio.wait_readable(descriptor)
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            continue
        if not data:
            return
        capture.feed(data)
