"""Where a tool's path argument really leads, and whether that is inside the session's directory.

Symlinks are followed before the check, so what is compared is what would be opened. What is checked here is opened
without following a link at its last step (`files`).
"""

import os
from pathlib import Path
from typing import NamedTuple


class Outside(Exception):
    """A path that leads out of the working directory, or is no path."""


class Place(NamedTuple):
    """A path argument, resolved."""

    path: Path
    """Absolute, no symlink in it."""
    relative: str
    """POSIX, relative to the working directory; `.` for that itself; empty: in `also`, to be read only."""


def contain(raw: str, root: Path, *, also: Path | None = None) -> Place:
    """The place `raw` names, relative to `root` or absolute inside it.

    also: a directory outside of root whose files may be read (outputs kept for the session).
    Raises Outside for anything else, also through symlinks, and for text no path can have.
    """
    if not raw or "\0" in raw or len(raw) > 4096:
        raise Outside("A path is needed, relative to the working directory.")
    try:
        real = os.path.realpath(os.path.join(root, raw))
    except (OSError, ValueError) as error:
        raise Outside(f"{raw}: {error}") from None
    base = os.path.realpath(root)
    if real == base or real.startswith(base + os.sep):
        return Place(Path(real), os.path.relpath(real, base).replace(os.sep, "/"))
    if also is not None and real.startswith(os.path.realpath(also) + os.sep):
        return Place(Path(real), "")
    raise Outside(f"{raw} leads out of the working directory; paths are relative to it.")
