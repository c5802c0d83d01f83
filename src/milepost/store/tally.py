"""All journals, followed: what was appended since the last look is read, nothing twice.

The events are those of `Journal.everything()`, in its order. A last line without its end counts as far as it can be
read, and is read again when it goes on; a file that was truncated or replaced is read anew. For a process that looks
often; it never writes.
"""

import os
from bisect import bisect_left
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from milepost.formats.journal import AnyEvent
from milepost.store import journal, regular

_MARK_BYTES = 256
"""So much of what was read last is compared, to notice a file that was written anew under the same name."""


class _Row(NamedTuple):
    """One event and its place; the first three say the order, and no two rows agree in them."""

    at_ms: int
    """Never less than that of the row before it in its file, whatever the clock did."""
    file: str
    number: int
    event: AnyEvent


_PLACE = itemgetter(0, 1, 2)


class Tally:
    """The events of a project as they come in."""

    def __init__(self, state: Path) -> None:
        """`state`: the project's state directory."""
        self._directory = state / "journal"
        self._files: dict[str, _File] = {}
        self._rows: list[_Row] = []
        """Of all whole lines, in order."""
        self._whole: list[AnyEvent] = []
        """The events of `_rows`."""
        self._unended: list[_Row] = []
        self._events: tuple[AnyEvent, ...] = ()

    def events(self) -> tuple[AnyEvent, ...]:
        """What is written now; the very same tuple when nothing has changed since. Raises OSError."""
        names = journal.names(self._directory)
        gone = self._files.keys() - set(names)
        looks = self._look(names)
        anew = gone | {name for name, look in looks.items() if look.anew}
        new = [row for look in looks.values() for row in look.rows]
        unended = [row for look in looks.values() for row in look.unended]
        if anew or new or unended != self._unended:
            self._drop(anew)
            self._merge(new)
            self._unended = unended
            self._events = tuple(self._whole)
            if unended:
                self._events = tuple([row.event for row in sorted(self._rows + unended, key=_PLACE)])
        for name in gone:
            del self._files[name]
        return self._events

    def _look(self, names: list[str]) -> "dict[str, _Look]":
        try:
            return {name: self._file(name).look() for name in names}
        except OSError:
            # What was read of the others on the way is not lost, but read once more.
            self._files, self._rows, self._whole, self._unended, self._events = {}, [], [], [], ()
            raise

    def _file(self, name: str) -> "_File":
        if name not in self._files:
            self._files[name] = _File(self._directory / name)
        return self._files[name]

    def _drop(self, files: set[str]) -> None:
        if files:
            self._rows = [row for row in self._rows if row.file not in files]
            self._whole = [row.event for row in self._rows]

    def _merge(self, new: list[_Row]) -> None:
        if new:
            new.sort(key=_PLACE)
            # Nearly always behind all that is there.
            place = bisect_left(self._rows, _PLACE(new[0]), key=_PLACE)
            self._rows[place:] = sorted(self._rows[place:] + new, key=_PLACE)
            self._whole[place:] = [row.event for row in self._rows[place:]]


class _Look(NamedTuple):
    """What one look at a file brought."""

    rows: list[_Row]
    """Of the lines that have their end since."""
    unended: list[_Row]
    """Of what follows the last end of a line."""
    anew: bool
    """All rows of the file that were read before are void."""


class _File:
    """One writer's file, and how far it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._forget()

    def look(self) -> _Look:
        """What was appended since the last look."""
        try:
            descriptor = regular.open_to_read(self._path)
        except FileNotFoundError:
            self._forget()
            return _Look(rows=[], unended=[], anew=True)
        try:
            anew = not self._goes_on(descriptor)
            if anew:
                self._forget()
            os.lseek(descriptor, self._read, os.SEEK_SET)
            return self._take(regular.rest(descriptor))._replace(anew=anew)
        finally:
            os.close(descriptor)

    def _forget(self) -> None:
        self._read = 0
        self._mark = b""
        """The last bytes before `_read`."""
        self._at_ms = 0
        self._rows = 0

    def _goes_on(self, descriptor: int) -> bool:
        return os.pread(descriptor, len(self._mark), self._read - len(self._mark)) == self._mark

    def _take(self, data: bytes) -> _Look:
        whole = data[: data.rfind(b"\n") + 1]
        rows = self._made(whole)
        if rows:
            self._at_ms, self._rows = rows[-1].at_ms, self._rows + len(rows)
        self._read += len(whole)
        self._mark = (self._mark + whole)[-_MARK_BYTES:]
        return _Look(rows=rows, unended=self._made(data[len(whole) :]), anew=False)

    def _made(self, data: bytes) -> list[_Row]:
        rows: list[_Row] = []
        at_ms = self._at_ms
        for line in data.splitlines():
            if event := journal.read(line):
                at_ms = max(at_ms, event.at_ms)
                rows.append(_Row(at_ms, self._path.name, self._rows + len(rows), event))
        return rows
