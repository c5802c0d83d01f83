"""Credentials in what a unit would commit: those of this machine stop it, what looks like one is pointed out.

Source: DESIGN (security), field-reports #44.
"""

from collections.abc import Iterator, Sequence

from milepost.git.status import Change
from milepost.rules import secrets
from milepost.unit.bench import Bench

_LARGEST = 1_000_000
"""Bytes of a file that is looked through; credentials stand in small files."""


def leaks(changes: Sequence[Change], bench: Bench) -> tuple[str, ...]:
    """Changed files that hold a key or token of this machine's environment, as things the unit owes.

    changes: everything the unit would commit. Files that only look like it are told to the watcher.
    """
    found = []
    for path, text in _texts(changes, bench):
        if any(value in text for value in bench.secrets):
            found.append(f"{path}: holds a credential of this machine; take it out")
        elif suspicious := secrets.find(text):
            bench.watcher.note(f"look at this: {path}:{suspicious[0].line} looks like it holds a {suspicious[0].kind}")
    return tuple(found)


def _texts(changes: Sequence[Change], bench: Bench) -> Iterator[tuple[str, str]]:
    for change in changes:
        file = bench.workspace.cwd / change.path
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST:
            yield change.path, file.read_bytes().decode("utf-8", "replace")
