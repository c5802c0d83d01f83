"""Planning files committed from a checkout in which somebody may be working.

The commit is made through a private index, so that what the user has staged, changed or left untracked stays as it
is. The user's index follows for the committed paths before the branch moves: killed in between, the files are only
staged, and the next call finishes. Source: issue "Working in git"; field-reports 5 (gsd-2#2184 bug 4).
"""

from collections.abc import Iterable
from pathlib import Path

from milepost.git.refs import RefMoved, compare_and_swap
from milepost.git.repo import DetachedHead, HeadKind, head_of
from milepost.git.run import git, raw
from milepost.git.sign import signing
from milepost.git.snapshots import private_index

_TRIES = 5


def commit_planning(root: Path, paths: Iterable[str], message: str) -> str | None:
    """Commit these files, as they are on disk, on the branch that is checked out; None when nothing differs.

    paths: relative to `root`; a missing file is a deletion. No hook runs, because hooks look at the user's index.
    Raises DetachedHead, or RefMoved when the branch keeps moving under us.
    """
    wanted = tuple(dict.fromkeys(paths))
    for _ in range(_TRIES):
        found = head_of(root)
        if found.kind is not HeadKind.BRANCH or not found.commit:
            raise DetachedHead(f"{root}: planning files can only be committed on a branch", hint="git switch <branch>")
        tree = _tree_with(root, found.commit, wanted)
        if tree == git(root, "rev-parse", f"{found.commit}^{{tree}}").line:
            return None
        _follow(root, found.commit, tree)
        commit = git(root, "commit-tree", *signing(root), tree, "-p", found.commit, "-F", "-", stdin=raw(message)).line
        try:
            compare_and_swap(root, f"refs/heads/{found.branch}", commit, found.commit, why="gsd: planning files")
        except RefMoved:
            continue
        return commit
    raise RefMoved(f"{root}: the branch moved {_TRIES} times while planning files were committed")


def _tree_with(root: Path, commit: str, paths: tuple[str, ...]) -> str:
    with private_index(root, like=commit) as index:
        listed = b"".join(raw(path) + b"\0" for path in paths)
        git(root, "update-index", "--add", "--remove", "-z", "--stdin", stdin=listed, index=index)
        return git(root, "write-tree", index=index).line


def _follow(root: Path, old: str, tree: str) -> None:
    """Stage the new entries in the user's index where that still has the old ones."""
    lines = git(root, "diff-tree", "-r", "-z", "--no-renames", old, tree).out.split("\0")
    changes = dict(zip(lines[1::2], lines[::2], strict=False))
    staged = _entries(root, tuple(changes))
    wanted = b""
    for path, change in changes.items():
        before_mode, after_mode, before, after, _ = change.removeprefix(":").split(" ")
        if staged.get(path, ("000000", "")) == (before_mode, "" if before_mode == "000000" else before):
            wanted += raw(f"{after_mode} {after}\t{path}\0")
    if wanted:
        git(root, "update-index", "-z", "--index-info", stdin=wanted)
        git(root, "update-index", "--refresh", ok=(0, 1))


def _entries(root: Path, paths: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Mode and blob of what is staged, by path."""
    out = git(root, "ls-files", "--stage", "-z").out.split("\0")
    found = {}
    among = set(paths)
    for line in out:
        facts, _, path = line.partition("\t")
        if path in among:
            mode, blob, _ = facts.split(" ")
            found[path] = (mode, blob)
    return found
