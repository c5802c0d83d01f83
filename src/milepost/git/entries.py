"""An index brought up to what stands on disk, path by path.

By plumbing, because `git add` refuses tracked files below an ignored directory and outside a sparse checkout, and so
that what is committed is entered in the same way as what was checked. Source: spec auto 6.5; DESIGN "Verification".
"""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from milepost.git.run import git, raw


def enter(
    where: Path, paths: Iterable[str], *, index: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Enter these paths, as they are now, into the checkout's index or into `index`. env: as for `git`.

    A path that is gone, lies behind a symbolic link, or holds something that git has no kind for, leaves the index.
    """
    wanted = tuple(dict.fromkeys(paths))
    gone = [path for path in wanted if not _stands(where, path)]
    there = [path for path in wanted if path not in set(gone)]
    if gone:
        git(where, "update-index", "--force-remove", "-z", "--stdin", stdin=_listed(gone), index=index, env=env)
    if there:
        how = ("--add", "--remove", "--replace")
        git(where, "update-index", *how, "-z", "--stdin", stdin=_listed(there), index=index, env=env)


def _stands(where: Path, path: str) -> bool:
    directory, name = os.path.split(os.path.join(os.path.realpath(where), path))
    try:
        kind = os.lstat(os.path.join(directory, name)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    known = stat.S_ISREG(kind) or stat.S_ISLNK(kind) or (stat.S_ISDIR(kind) and _is_module(directory, name))
    return known and os.path.realpath(directory) == directory


def _is_module(directory: str, name: str) -> bool:
    """Whether a directory can be a submodule, filled or not; any other has taken the place of a file."""
    inside = os.listdir(os.path.join(directory, name))
    return not inside or ".git" in inside


def _listed(paths: Iterable[str]) -> bytes:
    return b"".join(raw(path) + b"\0" for path in paths)
