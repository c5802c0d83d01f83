"""What an agent did to HEAD or to its branch is pinned and undone; what it did to files is kept.

Afterwards HEAD is on the branch, the branch is at the commit where the unit began, and the working tree holds the
agent's work as uncommitted changes, for our own commit. Source: DESIGN rules 3 and 7; issue, acceptance 6.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import refs
from milepost.git.repo import Head, head_of, in_progress
from milepost.git.run import git
from milepost.git.snapshots import snapshot
from milepost.git.take_back import take_back
from milepost.model.work import key_of

__all__ = ["PutRight", "WorkMisplaced", "put_right_branch", "take_back"]

_WRITE_TREE_CONFLICT = 1


class WorkMisplaced(MilepostError):
    """The agent worked on another line of history and its changes do not fit the milestone's branch.

    Everything is pinned under `refs/gsd/backup/`; files and HEAD are as the agent left them.
    """

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRight:
    """What was found and undone."""

    head: Head
    """Where HEAD was."""
    tip: str | None
    """Where the branch was; None when it was gone."""
    operation: str | None
    """A merge, rebase or such that was left half done."""
    pins: tuple[str, ...]
    """Refs that keep what was found."""
    carried: bool
    """Whether changes had to be carried over from another line of history."""

    @property
    def sentence(self) -> str:
        """One line for people."""
        was = f"on {self.head.branch}" if self.head.branch else "detached"
        half = f", with a {self.operation} half done" if self.operation else ""
        return f"HEAD was {was} at {(self.head.commit or 'no commit')[:10]}{half}"


def put_right_branch(where: Path, branch: str, base: str, *, owner: str | None = None) -> PutRight | None:
    """Bring HEAD back to `branch` at `base` with all files kept; None when nothing was wrong.

    owner: the name under `refs/gsd/backup/`, by default the milestone of the branch. Safe to run again after a kill.
    Raises WorkMisplaced when the agent's changes are on another line of history and conflict with the branch.
    """
    found, tip, operation = head_of(where), refs.branch_tip(where, branch), in_progress(where)
    if found.branch == branch and tip == base and operation is None:
        return None
    pins = _pin_all(where, owner or _owner(branch), found, tip, base)
    left = found
    if operation == "rebase":
        # Half of the branch is not in the working tree then; git knows what was there before.
        git(where, "rebase", "--abort", ok=(0, 1, 128))
        found, tip = head_of(where), refs.branch_tip(where, branch)
    carried = found.commit is not None and _elsewhere(where, found, branch, base)
    if carried:
        _carry(where, found, base)
    _quit(where, operation)
    _attach(where, branch, base, tip)
    return PutRight(head=left, tip=tip, operation=operation, pins=pins, carried=carried)


def _pin_all(where: Path, owner: str, found: Head, tip: str | None, base: str) -> tuple[str, ...]:
    labelled = [("agent-files", snapshot(where, "the working tree as the agent left it"))]
    labelled += [("agent-head", found.commit)] if found.commit and found.commit != base else []
    labelled += [("agent-branch", tip)] if tip and tip not in (base, found.commit) else []
    return tuple(refs.pin(where, owner, label, commit) for label, commit in labelled)


def _owner(branch: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", key_of(branch))


def _elsewhere(where: Path, found: Head, branch: str, base: str) -> bool:
    """Whether the working tree stands on history that lacks what the branch already had.

    An amended or rebased commit on our own branch, or a new root, still stands on it, as far as files go; a branch
    that was reset to before `base`, or another branch, does not.
    """
    commit = found.commit or base
    if refs.is_ancestor(where, base, commit) or refs.merge_base(where, base, commit) is None:
        return False
    return found.branch != branch or refs.is_ancestor(where, commit, base)


def _carry(where: Path, found: Head, base: str) -> None:
    """Replace the working tree by `base` plus what the agent changed since it left."""
    start = _left_at(where, found, base)
    if start is None:
        raise _misplaced(where, found)
    files = git(where, "rev-parse", f"{snapshot(where)}^{{tree}}").line
    theirs = git(where, "commit-tree", files, "-p", start, "-m", "agent").line
    ours = git(where, "commit-tree", f"{base}^{{tree}}", "-p", start, "-m", "branch").line
    merged = git(where, "merge-tree", "--write-tree", ours, theirs, ok=(0, _WRITE_TREE_CONFLICT))
    if merged.code:
        raise _misplaced(where, found)
    git(where, "read-tree", "-u", "--reset", files)
    git(where, "read-tree", "-u", "--reset", merged.out.split("\n")[0])


def _left_at(where: Path, found: Head, base: str) -> str | None:
    """The commit that the agent's own commits stand on; None when there is no single one."""
    commit = found.commit or base
    others = ("--not", base, f"--exclude={found.branch}", "--branches", "--remotes", "--tags")
    own = git(where, "rev-list", "--boundary", commit, *others).out.split()
    borders = {line[1:] for line in own if line.startswith("-")}
    if not own:
        return commit
    return borders.pop() if len(borders) == 1 else None


def _quit(where: Path, operation: str | None) -> None:
    """Forget the half-done operation, keeping files; a bisect only holds HEAD, which is moved anyway."""
    if operation == "bisect":
        log = Path(git(where, "rev-parse", "--path-format=absolute", "--git-path", "BISECT_LOG").line)
        log.unlink(missing_ok=True)
    elif operation is not None:
        git(where, operation, "--quit", ok=(0, 1, 128))
        if in_progress(where) == "rebase":
            git(where, "am", "--quit", ok=(0, 1, 128))


def _attach(where: Path, branch: str, base: str, tip: str | None) -> None:
    git(where, "symbolic-ref", "-m", "gsd: back on the branch", "HEAD", f"refs/heads/{branch}")
    refs.compare_and_swap(
        where, f"refs/heads/{branch}", base, tip or refs.ABSENT, why="gsd: back to where the unit began"
    )
    git(where, "read-tree", "--reset", base)
    git(where, "update-index", "--refresh", ok=(0, 1))


def _misplaced(where: Path, found: Head) -> WorkMisplaced:
    was = f"branch {found.branch}" if found.branch else f"detached {(found.commit or '')[:10]}"
    return WorkMisplaced(
        f"{where}: the agent worked on {was}, and its changes do not fit the milestone's branch",
        hint="git for-each-ref refs/gsd/backup shows what was kept; put the worktree right, then: gsd auto",
    )
