"""Objects that are needed for a moment only: written beside the repository, which keeps none of them.

    with aside(root) as env:
        git(root, "merge-tree", …, env=env)

Git reads the repository's own objects through an alternate. Source: gitrepository-layout(5), git(1).
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from milepost.git.repo import git_dir
from milepost.git.run import raw

_DIRECTORY = "GIT_OBJECT_DIRECTORY"


@contextmanager
def aside(where: Path, *, beyond: Mapping[str, str] | None = None) -> Iterator[Mapping[str, str]]:
    """Variables for `git`, with which new objects go into a directory that is gone after the block.

    where: a checkout of the repository. beyond: of an outer block, whose objects are to be seen here too.
    """
    known = beyond[_DIRECTORY] if beyond else str(shared_dir(where) / "objects")
    with tempfile.TemporaryDirectory(prefix="gsd-objects-") as directory:
        place = Path(directory)
        (place / "info").mkdir()
        (place / "info" / "alternates").write_bytes(raw(_quoted(known)) + b"\n")
        yield {_DIRECTORY: directory}


def shared_dir(where: Path) -> Path:
    """The git directory that all checkouts of the repository share."""
    own = git_dir(where)
    try:
        shared = (own / "commondir").read_text("utf-8", "surrogateescape").rstrip("\n")
    except FileNotFoundError:
        shared = ""
    return (own / shared).resolve()


def _quoted(path: str) -> str:
    """The path as the file wants it; a line end in it would begin another."""
    if "\n" not in path:
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
