"""`reports/` on disk: pages, `reports.json`, `index.html`, and a `.gitignore` that keeps them out of commits.

It lies in the project's root, never in a worktree, where it would be gone with it. The `.gitignore` is written with
the directory: who keeps reports in git, as GSD does, has a directory already, or removes it. Source: spec auto 5.18.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from milepost.errors import FormatError
from milepost.formats import reports
from milepost.formats.reports import Entry, Index
from milepost.store import atomic, flock, regular

NAME: Final = "reports"
_INDEX: Final = "reports.json"
_PAGE: Final = "index.html"


def read(state: Path) -> Index:
    """Which reports there are. Raises FormatError for an index that nobody can read."""
    path = state / NAME / _INDEX
    try:
        return reports.decode(regular.read(path), str(path))
    except FileNotFoundError:
        return Index()
    except FormatError as error:
        hint = f"Move it away: mv {path} {path}.old. The pages beside it stay."
        raise FormatError(error.path, error.line, error.expected, hint=hint) from None


def missing(state: Path, entry: Entry) -> bool:
    """Whether the entry's page is not there (any more)."""
    return not (state / NAME / Path(entry.filename).name).is_file()


def put(state: Path, entry: Entry, page: str, head: Index, listed: Callable[[Index], str]) -> Path:
    """Write a page, enter it into the index, draw the list anew; where the page is.

    head: what the index says of the project. listed: the index as a page. Raises OSError, and FormatError for an
    index that nobody can read, with the page written.
    """
    directory = state / NAME
    turn = flock.wait_for(state / "runtime" / NAME)
    try:
        _keep_out_of_git(directory, state)
        path = directory / entry.filename
        atomic.replace(path, _bytes(page), within=state)
        index = reports.add(head._replace(entries=read(state).entries), entry)
        atomic.replace(directory / _INDEX, reports.encode(index), within=state)
        atomic.replace(directory / _PAGE, _bytes(listed(index)), within=state)
    finally:
        flock.release(turn)
    return path


def _keep_out_of_git(directory: Path, state: Path) -> None:
    if not directory.exists():
        atomic.replace(directory / ".gitignore", b"*\n", within=state)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
