"""The journal on disk: append one line, read them all, ask and append as one step.

One file per writer below `journal/`; what is asked about money is asked over all of them under one lock, so two
processes cannot both take the last dollar. A line torn by a crash or a full disk ends where it ends: the next
append starts on a fresh line and the reader counts the torn one. Source: DESIGN rules 1 and 8.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

import msgspec

from milepost.formats.journal import AnyEvent

_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
Refusal = TypeVar("Refusal")


class Journal:
    """The journal of a project, written through one writer's file."""

    def __init__(self, state: Path, writer: str) -> None:
        """`state`: the project's state directory; `writer`: a milestone id, or `project`."""
        self._directory = state / "journal"
        self._path = self._directory / f"{writer}.jsonl"

    def append(self, event: AnyEvent) -> None:
        """Write one line and wait until it is on the disk. Raises OSError with nothing half-counted."""
        self._directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            line = _line(event)
            _write(descriptor, line if _ends_clean(descriptor) else b"\n" + line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def append_unless(
        self, refuse: Callable[[tuple[AnyEvent, ...]], Refusal | None], event: AnyEvent
    ) -> Refusal | None:
        """Ask `refuse` about all that is written, and append if it does not object: one step against every process."""
        with self._locked():
            if (refusal := refuse(self.everything())) is None:
                self.append(event)
            return refusal

    def own(self) -> tuple[AnyEvent, ...]:
        """The events of this writer, oldest first."""
        return tuple(_events(self._path))

    def everything(self) -> tuple[AnyEvent, ...]:
        """The events of all writers, by time; those of one writer stay in their order, also when a clock steps back."""
        files = sorted(self._directory.glob("*.jsonl")) if self._directory.is_dir() else []
        timed: list[tuple[int, AnyEvent]] = []
        for file in files:
            events = tuple(_events(file))
            timed += zip(accumulate((event.at_ms for event in events), max), events, strict=True)
        return tuple(event for _, event in sorted(timed, key=lambda pair: pair[0]))

    def torn(self) -> int:
        """Lines that cannot be read, over all writers (a crash tore them, or a newer version wrote them)."""
        files = self._directory.glob("*.jsonl") if self._directory.is_dir() else ()
        return sum(1 for file in files for line in file.read_bytes().splitlines() if line.strip() and not _read(line))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / ".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _line(event: AnyEvent) -> bytes:
    try:
        return _encode(event) + b"\n"
    except UnicodeEncodeError:
        # A name on disk that was no UTF-8 must not stop the books.
        text = json.dumps(msgspec.to_builtins(event), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"


def _write(descriptor: int, data: bytes) -> None:
    # A disk that is nearly full takes a part without an error; only the next write says why.
    while data:
        data = data[os.write(descriptor, data) :]


def _ends_clean(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _events(path: Path) -> Iterator[AnyEvent]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        if event := _read(line):
            yield event


def _read(line: bytes) -> AnyEvent | None:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
