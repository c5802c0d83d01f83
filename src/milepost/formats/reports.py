"""`reports/reports.json`: which reports there are, with the figures that the index page shows.

    {
      "version": 1,
      "projectName": "feeds", "projectPath": "/srv/feeds", "gsdVersion": "…",
      "entries": [
        {"filename": "M001-2026-03-17T10-00-00.html", "generatedAt": "2026-03-17T10:00:00.000Z", "milestoneId": "M001",
         "milestoneTitle": "Feed store", "label": "M001: Feed store", "kind": "milestone", "totalCost": 1.25, …}
      ]
    }

`totalCost` is null where not one price is known; `unpricedRequests` and `flatRateTokens` are ours. Entries of other
programs, and fields we do not know, stay as they are. Source: spec auto 5.18.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from milepost.errors import FormatError
from milepost.formats import _records

FINAL: Final = "final"
"""`milestoneId` and kind of a report of the whole project, when all of it is done."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One report."""

    filename: str
    """Beside `reports.json`."""
    generated_at: str
    """ISO time, UTC."""
    milestone_id: str = ""
    milestone_title: str = ""
    label: str = ""
    kind: str = ""
    """milestone: written when it was on its branch; manual: somebody asked for it; final: of a finished project."""
    total_cost: float | None = None
    """USD."""
    total_tokens: int = 0
    total_duration: int = 0
    """Milliseconds of all units together."""
    done_slices: int = 0
    total_slices: int = 0
    done_milestones: int = 0
    total_milestones: int = 0
    phase: str = ""
    unpriced_requests: int = 0
    flat_rate_tokens: int = 0


class Index(NamedTuple):
    """The file, with entries as they stand there."""

    project_name: str = ""
    project_path: str = ""
    version: str = ""
    """Of the program that wrote it last."""
    entries: tuple[Mapping[str, object], ...] = ()

    def known(self) -> tuple[Entry, ...]:
        """The entries that can be read, in the order of the file."""
        return tuple(entry for entry in map(_entry, self.entries) if entry is not None)


def decode(data: bytes, path: str = "reports.json") -> Index:
    """The index in a file's bytes. Raises FormatError: an index that cannot be read is not replaced."""
    content = _records.decode(data, dict[str, object], path)
    entries = content.get("entries", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FormatError(path, 0, "`entries` must be a list of objects")
    name, where, version = (str(content.get(key, "")) for key in ("projectName", "projectPath", "gsdVersion"))
    return Index(project_name=name, project_path=where, version=version, entries=tuple(entries))


def encode(index: Index) -> bytes:
    """The file's bytes."""
    content = {
        "version": 1,
        "projectName": index.project_name,
        "projectPath": index.project_path,
        "gsdVersion": index.version,
        "entries": index.entries,
    }
    return _records.encode(content, newline=True)


def add(index: Index, entry: Entry) -> Index:
    """The index with one more entry at its end; an entry with the same file name is replaced."""
    kept = (old for old in index.entries if old.get("filename") != entry.filename)
    made: Mapping[str, object] = msgspec.to_builtins(entry)
    return index._replace(entries=(*kept, made))


def _entry(raw: Mapping[str, object]) -> Entry | None:
    try:
        return msgspec.convert(raw, Entry)
    except msgspec.ValidationError:
        return None
