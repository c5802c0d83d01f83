"""The whole state of a checkout as a commit that no branch knows, made beside the user's index.

Source: DESIGN rule 7; field-reports #6 (snapshots through a temporary index).
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from milepost.git.entries import enter
from milepost.git.repo import git_dir
from milepost.git.run import git, raw
from milepost.git.status import Change, look


@contextmanager
def private_index(where: Path, *, like: str | None = None) -> Iterator[Path]:
    """An index file of our own: a copy of the checkout's, or one read from the tree `like`. Gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gsd-index-") as directory:
        index = Path(directory) / "index"
        if like is not None:
            git(where, "read-tree", like, index=index)
        else:
            real = git_dir(where) / "index"
            if real.exists():
                shutil.copy2(real, index)
        yield index


def tree_with(where: Path, changes: Iterable[Change]) -> str:
    """The tree that a commit of these changes would have; nothing in the checkout or its index moves."""
    with private_index(where) as index:
        enter(where, (change.path for change in changes if not change.nested), index=index)
        return git(where, "write-tree", index=index).line


def snapshot(where: Path, message: str = "snapshot", *, also: Iterable[str] = ()) -> str:
    """A commit of everything in the checkout that git does not ignore, untracked files included.

    Its parent is HEAD. Nothing in the checkout or its index changes, and no ref: pin it to keep it.
    Repositories inside the checkout are left out. also: ignored files to take as well.
    """
    status = look(where)
    paths = [change.path for change in status.changes if not change.nested]
    with private_index(where) as index:
        enter(where, (*paths, *also), index=index)
        tree = git(where, "write-tree", index=index).line
    parents = ("-p", status.commit) if status.commit else ()
    return git(where, "commit-tree", tree, *parents, "-F", "-", stdin=raw(message)).line
