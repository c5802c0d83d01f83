"""A project's `.env` on disk: which names have a value, and one line put into it. Only its owner can read the file.

Source: spec auto 2.13.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from milepost.formats import dotenv
from milepost.store import atomic, regular

NAME: Final = ".env"
_MODE: Final = 0o600


def lines(directory: Path) -> Mapping[str, str]:
    """Variable → its line, for those that have a value; none when there is no file. Raises OSError."""
    return dotenv.lines(_read(directory / NAME))


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
