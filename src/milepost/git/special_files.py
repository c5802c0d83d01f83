"""Pipes, sockets and devices where git reads its rules: it would wait for their other end, call after call."""

import os
import stat
from pathlib import Path

_READ = (".gitignore", ".gitattributes", ".gitmodules", ".mailmap")
"""At the top of a checkout; a call that meets one further down ends at its time limit."""


def remove(where: Path) -> tuple[str, ...]:
    """Take them out of the checkout at `where`; their names. There is nothing in them that could be kept."""
    found = tuple(name for name in _READ if _special(where / name))
    for name in found:
        (where / name).unlink(missing_ok=True)
    return found


def _special(path: Path) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode))
