"""All journals, followed: what was appended since the last look is read, nothing twice.

The events are those that reading all files anew would give, in the same order: by time, those of one file in theirs,
also when a clock steps back. A last line without its end counts as far as it can be read, and is read again when it
goes on. A file that was truncated, replaced or written anew is read anew: it is another file, it is shorter, something
else stands before the place that was read to, or it changed and is as long as before. (Not noticed is a line far back
that somebody alters in place without a change of its length when more is appended between the same two looks.) Never
writes.
"""

import os
import threading
from bisect import bisect_left
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

from milepost.formats.journal import AnyEvent
from milepost.store import journal_files, regular

_MARK_BYTES: Final = 256
"""So much of what was read last is compared, to notice a file that was written anew under the same name."""
_PROJECTS: Final = 8
"""So many projects one process follows at a time; it works on one."""
_BEGIN: Final = -(1 << 63)


class _Row(NamedTuple):
    """One event and its place; the first three say the order, and no two rows agree in them."""

    at_ms: int
    """Never less than that of the row before it in its file, whatever the clock did."""
    file: str
    number: int
    event: AnyEvent


_PLACE = itemgetter(0, 1, 2)


class _Taken(NamedTuple):
    """What of a file is among the rows of all."""

    era: int
    rows: int


_NOTHING: Final = _Taken(era=0, rows=0)


class Tally:
    """The events of a project as they come in; may be asked from several threads."""

    def __init__(self, state: Path) -> None:
        """`state`: the project's state directory."""
        self._directory = state / "journal"
        self._files: dict[str, _File] = {}
        self._taken: dict[str, _Taken] = {}
        self._rows: list[_Row] = []
        """Of all whole lines, in order."""
        self._whole: list[AnyEvent] = []
        """The events of `_rows`."""
        self._unended: list[_Row] = []
        self._events: tuple[AnyEvent, ...] = ()
        self._turn = threading.Lock()

    def events(self) -> tuple[AnyEvent, ...]:
        """What is written now; the very same tuple when nothing has changed since. Raises OSError."""
        with self._turn:
            files = {name: self._look(name) for name in journal_files.names(self._directory)}
            changed = self._drop(files)
            new = [row for name, file in files.items() for row in file.rows[self._taken.get(name, _NOTHING).rows :]]
            unended = [row for file in files.values() for row in file.unended]
            if changed or new or unended != self._unended:
                self._merge(new)
                self._unended = unended
                self._events = tuple(self._whole)
                if unended:
                    self._events = tuple([row.event for row in sorted(self._rows + unended, key=_PLACE)])
            self._taken = {name: _Taken(file.era, len(file.rows)) for name, file in files.items()}
            return self._events

    def of(self, name: str) -> tuple[AnyEvent, ...]:
        """The same of one file. Raises OSError."""
        with self._turn:
            return self._look(name).events()

    def _look(self, name: str) -> "_File":
        if name not in self._files:
            self._files[name] = _File(self._directory / name)
        self._files[name].look()
        return self._files[name]

    def _drop(self, files: "dict[str, _File]") -> bool:
        """Forget the rows of files that are gone or begin anew; whether there were any."""
        void = {name for name, taken in self._taken.items() if name not in files or files[name].era != taken.era}
        if void:
            self._rows = [row for row in self._rows if row.file not in void]
            self._whole = [row.event for row in self._rows]
            self._taken = {name: taken for name, taken in self._taken.items() if name not in void}
        return bool(void)

    def _merge(self, new: list[_Row]) -> None:
        if new:
            new.sort(key=_PLACE)
            # Nearly always behind all that is there.
            place = bisect_left(self._rows, _PLACE(new[0]), key=_PLACE)
            self._rows[place:] = sorted(self._rows[place:] + new, key=_PLACE)
            self._whole[place:] = [row.event for row in self._rows[place:]]


@lru_cache(maxsize=_PROJECTS)
def of_project(state: Path) -> Tally:
    """The one that all who ask in this process share, so that each line is read once."""
    return Tally(state)


class _File:
    """One writer's file, and how far it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[_Row] = []
        """Of the lines that have their end."""
        self.unended: list[_Row] = []
        """Of what follows the last end of a line."""
        self.era = 0
        """Another one: rows that were handed out before are void."""
        self._events: tuple[AnyEvent, ...] | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._begin()

    def look(self) -> None:
        """Read what was appended since the last look. Raises OSError."""
        try:
            descriptor = regular.open_to_read(self._path)
        except FileNotFoundError:
            self._forget()
            return
        try:
            if not self._goes_on(descriptor):
                self._forget()
            os.lseek(descriptor, self._read, os.SEEK_SET)
            self._take(regular.rest(descriptor))
            # After reading: what is appended in between makes the file longer than what was seen of it.
            self._stamp = _stamp(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def events(self) -> tuple[AnyEvent, ...]:
        """What was read."""
        if self._events is None:
            self._events = tuple([row.event for row in (*self.rows, *self.unended)])
        return self._events

    def _begin(self) -> None:
        self._read = 0
        self._seen = 0
        """Bytes of the file, with those of the line that has no end."""
        self._mark = b""
        """The last bytes before `_read`."""
        self._stamp = None

    def _forget(self) -> None:
        if self._seen:
            self.era += 1
            self.rows, self.unended, self._events = [], [], None
        self._begin()

    def _goes_on(self, descriptor: int) -> bool:
        status = os.fstat(descriptor)
        now, before = _stamp(status), self._stamp
        if before is not None and now != before and (now[:2] != before[:2] or status.st_size <= self._seen):
            return False
        return os.pread(descriptor, len(self._mark), self._read - len(self._mark)) == self._mark

    def _take(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        rows = self._made(data[:end])
        self.rows += rows
        unended = self._made(data[end:])
        if rows or unended != self.unended:
            self.unended, self._events = unended, None
        self._mark = (self._mark + data[:end])[-_MARK_BYTES:]
        self._seen, self._read = self._read + len(data), self._read + end

    def _made(self, data: bytes) -> list[_Row]:
        """The events of what follows the rows."""
        made: list[_Row] = []
        at_ms = self.rows[-1].at_ms if self.rows else _BEGIN
        for line in data.splitlines():
            if event := journal_files.read(line):
                at_ms = max(at_ms, event.at_ms)
                made.append(_Row(at_ms, self._path.name, len(self.rows) + len(made), event))
        return made


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns
