"""A project's `.env` on disk: which names have a value, and one line put into it. Only its owner can read the file.

Source: spec auto 2.13.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from milepost.formats import dotenv
from milepost.formats.tree import Tree, milestone_ids
from milepost.rules import hidden, needed, staging
from milepost.store import atomic, regular

NAME: Final = ".env"
_MODE: Final = 0o600
_LARGEST: Final = 1_000_000


def lines(directory: Path) -> Mapping[str, str]:
    """Variable → its line, for those that have a value; none when there is no file. Raises OSError."""
    return dotenv.lines(_read(directory / NAME))


def secret_values(directory: Path, named: Collection[str] = ()) -> tuple[str, ...]:
    """Values of the directory's `.env` files that no record may hold. named: variables that manifests ask for.

    Of all of them (`.env.local` too); what cannot be read has none.
    """
    texts = {name: _text(directory / name) for name in _files(directory)}
    examples = {value for name, text in texts.items() if not staging.looks_secret(name) for value in _values(text)}
    found = (hidden.hidden(dotenv.values(text), named=named, examples=examples) for text in texts.values())
    return tuple(dict.fromkeys(value for values in found for value in values))


def named(tree: Tree) -> frozenset[str]:
    """The variables that milestones ask for."""
    return frozenset(secret.name for mid in milestone_ids(tree) for secret in needed.of(tree, mid))


def _files(directory: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(directory) if name == NAME or name.startswith(f"{NAME}."))
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return regular.read(path, most=_LARGEST).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _values(text: str) -> Iterable[str]:
    return dotenv.values(text).values()


def put(directory: Path, name: str, line: str) -> None:
    """Write the variable's line into the directory's `.env`. Raises OSError, LeadsOut."""
    path = directory / NAME
    # Before the value is in it: the file keeps the mode that it has.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _MODE))
    path.chmod(_MODE)
    text = dotenv.with_line(_read(path), name, line)
    atomic.replace(path, text.encode("utf-8", "surrogateescape"), within=directory)


def _read(path: Path) -> str:
    try:
        return regular.read(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
