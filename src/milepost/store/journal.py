"""The journal on disk: append one line, read them all, ask and append as one step.

One file per writer below `journal/`; what was read of it once is not read again (`store.tally`). What is asked about
money is asked over all of them under one lock, so two processes cannot both take the last dollar. The lock is that of
the directory, which is not deleted as a lock file is.

A line torn by a crash or a full disk ends where it ends: the next append starts on a fresh line and the reader
counts the torn one. Several processes may append to one file: a line is written by one write, and written again
when what stood before it turns out to be torn. The file itself is never locked here, since a lock on it is the guard
of a lease, held by another descriptor of the same process. Source: DESIGN rules 1 and 8; FM-35, FM-48.
"""

import errno
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from milepost.formats.journal import AnyEvent
from milepost.model.ids import BadId
from milepost.rules import secrets
from milepost.store import flock, journal_files, regular, tally

_encode = msgspec.json.Encoder().encode
Refusal = TypeVar("Refusal")
_NAMES = frozenset(
    {
        "event", "run", "attempt", "unit", "kind", "milestone", "slice", "commit",
        "base", "branch", "target", "tip", "link", "tree", "fingerprint", "session",
        "state", "result", "verdict", "order", "transcript", "scope", "model",
    }
)  # fmt: skip
"""Fields that say which, not what."""
_TRIES = 8


class Journal:
    """The journal of a project, written through one writer's file."""

    def __init__(self, state: Path, writer: str, *, known_secrets: Sequence[str] = ()) -> None:
        """`state`: the project's state directory; `writer`: a key, or a word (`project`). Raises BadId.

        known_secrets: values that are taken out of every text that is written, as all that looks like a key is.
        """
        if not journal_files.is_writer(writer):
            raise BadId(f"{writer!r} is no writer of a journal", hint="A writer is a milestone id or a word.")
        self._directory = state / "journal"
        self._path = self._directory / f"{writer}.jsonl"
        self._tally = tally.of_project(state)
        self._secrets = tuple(known_secrets)

    def append(self, event: AnyEvent) -> None:
        """Write one line and wait until it is on the disk. Raises OSError with nothing half-counted.

        A link in the place of the file is not followed: it may lead to any file of the user's.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        how = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, how, 0o644)
        try:
            _write(descriptor, _clean(_line(event), self._secrets))
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
        return self._tally.of(self._path.name)

    def everything(self) -> tuple[AnyEvent, ...]:
        """The events of all writers, by time; those of one writer stay in their order, also when a clock steps back.

        The very same tuple when nothing was written since.
        """
        return self._tally.events()

    def torn(self) -> int:
        """Lines that cannot be read, over all writers (a crash tore them, or a newer version wrote them)."""
        lines = (line for name in journal_files.names(self._directory) for line in _lines(self._directory / name))
        return sum(1 for line in lines if line.strip() and not journal_files.read(line))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = flock.wait_for(self._directory)
        try:
            yield
        finally:
            flock.release(descriptor)


def _line(event: AnyEvent) -> bytes:
    try:
        return _encode(event) + b"\n"
    except UnicodeEncodeError:
        # A name on disk that was no UTF-8 must not stop the books.
        text = json.dumps(msgspec.to_builtins(event), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"


def _clean(line: bytes, known_secrets: Sequence[str]) -> bytes:
    """The line without credentials. What programs compare, and numbers, are never touched."""
    text = line.decode("utf-8", "replace")
    if secrets.redact(text, known_secrets) == text:
        return line
    redacted = {
        name: value if name in _NAMES else _redacted(value, known_secrets)
        for name, value in msgspec.json.decode(line, type=dict[str, object]).items()
    }
    return _encode(redacted) + b"\n"


def _redacted(value: object, known_secrets: Sequence[str]) -> object:
    if isinstance(value, list):
        return [_redacted(item, known_secrets) for item in value]
    return secrets.redact(value, known_secrets) if isinstance(value, str) else value


def _write(descriptor: int, line: bytes) -> None:
    if not _ends_clean(descriptor, os.fstat(descriptor).st_size):
        line = b"\n" + line
    # A disk that is nearly full takes a part without an error; only the next write says why.
    for _ in range(_TRIES):
        whole = os.write(descriptor, line) == len(line)
        start = os.lseek(descriptor, 0, os.SEEK_CUR) - len(line)
        # Another writer's torn line may have come between the look and the write; then ours was lost with it.
        if whole and (line.startswith(b"\n") or _ends_clean(descriptor, start)):
            return
        line = line if line.startswith(b"\n") else b"\n" + line
    raise OSError(errno.ENOSPC, "the journal's line does not fit")


def _ends_clean(descriptor: int, size: int) -> bool:
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _lines(path: Path) -> list[bytes]:
    try:
        return regular.read(path).splitlines()
    except FileNotFoundError:
        return []
