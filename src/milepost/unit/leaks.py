"""Credentials in what a unit would commit: those of this machine stop it, what looks like one is pointed out.

Source: DESIGN (security), field-reports #44.
"""

from collections.abc import Iterator

from milepost.git import status
from milepost.rules import secrets
from milepost.unit.bench import Bench

_LARGEST = 1_000_000
"""Bytes of a file that is looked through; credentials stand in small files."""


def leaks(bench: Bench) -> tuple[str, ...]:
    """Files that hold a key or token of this machine's environment, as things the unit owes; empty: none."""
    found = []
    for path, text in _changed(bench):
        if any(value in text for value in bench.secrets):
            found.append(f"{path}: holds a credential of this machine; take it out")
        elif suspicious := secrets.find(text):
            bench.watcher.note(f"look at this: {path}:{suspicious[0].line} looks like it holds a {suspicious[0].kind}")
    return tuple(found)


def _changed(bench: Bench) -> Iterator[tuple[str, str]]:
    place = bench.workspace
    for change in status.dirty(place.cwd):
        file = place.cwd / change.path
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST:
            yield change.path, file.read_bytes().decode("utf-8", "replace")
