"""A milestone's worktree and branch given up, with everything in them kept under `refs/gsd/backup/<MID>/`.

Source: spec auto 2.25 (discard); DESIGN rule 7.
"""

from pathlib import Path
from typing import NamedTuple

from milepost.git import refs
from milepost.git.listing import find, holder
from milepost.git.removal import NotRemoved, keep_ignored
from milepost.git.repo import in_progress, nested
from milepost.git.run import HOOK_TIMEOUT_S, git
from milepost.git.snapshots import snapshot
from milepost.git.status import dirty
from milepost.model.work import key_of

BRANCH, WORK = "discarded", "discarded-work"
"""Labels of the pins: the branch, and what was not committed in the worktree."""


class Kept(NamedTuple):
    """Where it is. tip: the branch's last commit, empty when there was no branch; work: a ref, empty for none."""

    tip: str
    work: str


def discard(root: Path, path: Path, branch: str, *, state_dir: str) -> Kept:
    """Remove the worktree at `path` and `branch`, as far as they are there; may run twice.

    Raises NotRemoved, with nothing removed, where something in it could not be kept.
    """
    mid = key_of(branch)
    tip = refs.branch_tip(root, branch) or ""
    known, work = find(root, path), ""
    if known is not None and not known.missing:
        work = _keep_work(path, mid, branch, root, state_dir)
    if tip:
        refs.pin(root, mid, BRANCH, tip)
    if known is not None:
        git(root, "worktree", "remove", "--force", str(path), ok=(0, 128), timeout_s=HOOK_TIMEOUT_S)
        git(root, "worktree", "prune")
    there = holder(root, branch)
    if there is not None:
        raise NotRemoved(f"{branch} is checked out at {there.path}", hint="git switch to another branch there")
    if tip:
        refs.delete(root, f"refs/heads/{branch}", tip)
    return Kept(tip, work)


def _keep_work(path: Path, mid: str, branch: str, root: Path, state_dir: str) -> str:
    if operation := in_progress(path):
        raise NotRemoved(f"{path}: a {operation} is half done there", hint=f"git -C {path} {operation} --abort")
    if inner := nested(path, deep=True):
        raise NotRemoved(f"{path} has repositories in it", tuple(each.path for each in inner))
    keep_ignored(root, path, branch, state_dir)
    return refs.pin(root, mid, WORK, snapshot(path, "work that was discarded")) if dirty(path) else ""


def bring_back(root: Path, branch: str, tip: str) -> bool:
    """Make the branch again where it was; whether that was possible: its commit is there and the name is free."""
    if refs.branch_tip(root, branch) is not None or refs.resolve(root, tip) is None:
        return False
    refs.compare_and_swap(root, f"refs/heads/{branch}", tip, refs.ABSENT, why="gsd: discard undone")
    return True
