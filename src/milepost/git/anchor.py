"""The `.git` file that ties a worktree to its repository, put back before git is run there.

It lies where a session may write. Without it git climbs to the checkout around the worktree, which is the user's;
with another one, git takes its configuration, filters and hooks from wherever it points.
Source: DESIGN rules 3 and 5.
"""

import os
from pathlib import Path

from milepost.git import pointers
from milepost.git.isolation import IsolationBroken
from milepost.git.run import git, raw

_LONGEST = 16_384
"""Bytes of a `.git` file that is read."""


def hold(root: Path, where: Path, shelf: Path) -> bool:
    """Tie the worktree at `where` to the repository of `root` again; whether it had to be done.

    What stood in the file's place is moved into `shelf`. Raises IsolationBroken for a directory that the repository
    does not have registered. Reads files only, unless `root` is itself linked.
    """
    if not where.is_dir():
        return False
    admin = _registration(root, where)
    if admin is None:
        raise IsolationBroken(where, "its registration as a worktree", f"one in {root}", "")
    dot = where / ".git"
    if _points_to(dot, admin):
        return False
    if os.path.lexists(dot):
        shelf.mkdir(parents=True, exist_ok=True)
        dot.rename(shelf / f"git-{len(list(shelf.iterdir()))}")
    with dot.open("xb") as file:
        file.write(raw(f"gitdir: {admin}\n"))
    return True


def _registration(root: Path, where: Path) -> Path | None:
    """The repository's directory for this worktree."""
    wanted = os.path.realpath(where)
    for known in sorted((_common(root) / "worktrees").glob("*/gitdir")):
        checkout = pointers.checkout_of(known.parent)
        if checkout is not None and os.path.realpath(checkout) == wanted:
            return Path(os.path.realpath(known.parent))
    return None


def _common(root: Path) -> Path:
    try:
        directory = pointers.git_dir(root)
    except pointers.Unplain:
        directory = None
    if directory is not None and not (directory / "commondir").exists():
        return directory
    return Path(git(root, "rev-parse", "--path-format=absolute", "--git-common-dir").line)


def _points_to(dot: Path, admin: Path) -> bool:
    if dot.is_symlink() or not dot.is_file() or dot.stat().st_size > _LONGEST:
        return False
    try:
        said = dot.read_bytes().decode("utf-8", "surrogateescape").rstrip("\n")
    except OSError:
        return False
    return said.startswith("gitdir: ") and os.path.realpath(dot.parent / said.removeprefix("gitdir: ")) == str(admin)
