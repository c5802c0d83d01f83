"""A milestone's own checkout: `<root>/<state>/worktrees/<MID>` on branch `milestone/<MID>`.

Made, reused, proved before and after each unit. Nothing here removes a directory that git does not have registered
as ours. Source: spec auto 6.4, 6.7, 8.5; field-reports #5, #28; DESIGN rule 5.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import include, left_lock, refs
from milepost.git.isolation import IsolationBroken, points_back, prove_checkout, prove_place, same
from milepost.git.listing import Registered, find, holder
from milepost.git.repo import HeadKind, Repo, head_of
from milepost.git.run import HOOK_TIMEOUT_S, GitFailed, git
from milepost.git.status import dirty
from milepost.model.work import branch_of, require_key

__all__ = [
    "BranchBusy", "BranchDiverged", "IsolationBroken", "PathTaken", "Worktree", "WorktreeUnusable", "branch_name",
    "copy_included", "ensure", "exists", "prove", "prove_place", "reconcile", "worktree_path",
]  # fmt: skip

INITIALIZING = "initializing"
"""Git's own lock reason for a worktree whose `worktree add` has not finished."""


class WorktreeUnusable(MilepostError):
    """The milestone's worktree cannot be made or used as it is; nothing was changed or removed."""

    exit_code = ExitCode.BLOCKED


class BranchBusy(WorktreeUnusable):
    """The milestone's branch is checked out somewhere else."""


class PathTaken(WorktreeUnusable):
    """Something that is not this repository's worktree stands where the worktree should be."""


class BranchDiverged(WorktreeUnusable):
    """The worktree's HEAD and the milestone's branch both have commits the other lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worktree:
    """A milestone's checkout."""

    path: Path
    branch: str
    base: str
    """Where the branch left the line it was started from."""
    created: bool
    common_dir: Path
    """The repository it belongs to."""
    note: str = ""
    """What was put right on the way, for the log; empty when nothing was."""


def branch_name(mid: str) -> str:
    """`milestone/<MID>`, or that of a quick task."""
    return branch_of(mid)


def worktree_path(root: Path, mid: str, *, state_dir: str = ".gsd") -> Path:
    """Where the milestone's worktree stands; raises BadId for an id that is not one."""
    return root / state_dir / "worktrees" / require_key(mid)


def ensure(repo: Repo, mid: str, start: str, *, state_dir: str = ".gsd") -> Worktree:
    """The milestone's worktree, reused when it is sound, else made from `start` or from the existing branch.

    start: branch or commit that a new branch begins at. A HEAD that is detached ahead of the branch moves the branch
    forward (gsd-2#1846); a registration whose directory is gone is replaced; an interrupted creation is finished.
    Raises BranchBusy, PathTaken, BranchDiverged or WorktreeUnusable.
    """
    branch, path = branch_name(mid), worktree_path(repo.root, mid, state_dir=state_dir)
    known = find(repo.root, path)
    if known is None and (path / ".git").is_file():
        known = _repaired(repo, path)
    if known is not None and known.missing:
        _forget(repo, known)
        known = None
    created, note = known is None, ""
    if known is None:
        _create(repo, path, branch, start)
    else:
        note = _reuse(repo, known, branch)
    worktree = Worktree(
        path=path,
        branch=branch,
        base=_base(repo, branch, start),
        created=created,
        common_dir=repo.common_dir,
        note=note,
    )
    prove(worktree)
    return worktree


def exists(repo: Repo, mid: str, *, state_dir: str = ".gsd") -> bool:
    """Whether git has a worktree of the milestone registered and its directory is there."""
    known = find(repo.root, worktree_path(repo.root, mid, state_dir=state_dir))
    return known is not None and not known.missing


def copy_included(repo: Repo, worktree: Worktree, *, state_dir: str = ".gsd") -> tuple[str, ...]:
    """Copy the ignored files that `.worktreeinclude` names into a new worktree; the paths that were copied."""
    return include.copy_included(repo.root, worktree.path, state_dir=state_dir)


def reconcile(repo: Repo, path: Path, branch: str) -> str:
    """Put a worktree whose HEAD is detached back on its branch; what was done, empty for nothing.

    Raises WorktreeUnusable, BranchDiverged or BranchBusy, with nothing changed.
    """
    known = find(repo.root, path)
    if known is None:
        raise WorktreeUnusable(f"{path} is not a worktree of {repo.root}", hint="gsd doctor")
    return _reuse(repo, known, branch)


def prove(worktree: Worktree) -> None:
    """Prove that the directory is this repository's worktree on this branch; raises IsolationBroken.

    One git call: top level, git directory, shared directory and symbolic HEAD; and the registration points back.
    """
    path = worktree.path
    if not path.is_dir() or not (path / ".git").is_file():
        there = "something else" if path.is_dir() else "missing"
        raise IsolationBroken(path, "worktree", "a linked worktree", there)
    git_dir, common, _ = prove_checkout(path, worktree.branch)
    same(path, "repository", str(worktree.common_dir), common)
    same(path, "registration", os.path.realpath(path / ".git"), points_back(Path(git_dir)))


def _base(repo: Repo, branch: str, start: str) -> str:
    tip = git(repo.root, "rev-parse", "--verify", f"refs/heads/{branch}").line
    began = refs.resolve(repo.root, start)
    return (refs.merge_base(repo.root, tip, began) if began else None) or tip


def _create(repo: Repo, path: Path, branch: str, start: str) -> None:
    if os.path.lexists(path) and not (path.is_dir() and not path.is_symlink() and not any(path.iterdir())):
        raise PathTaken(
            f"{path} exists and is not a worktree of this repository",
            hint=f"Look at what is in it and move it away: mv {path} {path}.old",
        )
    _require_free(repo, branch)
    commit = refs.resolve(repo.root, start)
    tip = refs.branch_tip(repo.root, branch)
    if tip is not None and commit is not None and refs.merge_base(repo.root, tip, commit) is None:
        raise WorktreeUnusable(
            f"{branch} exists and has no history in common with {start.removeprefix('refs/heads/')}",
            hint=f"Give it another name: git branch -m {branch} <name>",
        )
    if tip is None and commit is None:
        raise WorktreeUnusable(f"{start!r} is not a commit to start {branch} from", hint="git branch --list")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if tip is None and commit is not None:
            # Not with `worktree add -b`, which cannot be tried again: its branch is there, and its worktree is not.
            refs.compare_and_swap(repo.root, f"refs/heads/{branch}", commit, refs.ABSENT, why=f"gsd: begin {branch}")
        git(repo.root, "worktree", "add", "--quiet", str(path), branch, timeout_s=HOOK_TIMEOUT_S)
    except GitFailed as failed:
        made = find(repo.root, path)
        # A post-checkout hook that fails makes the command fail, with the worktree made and filled.
        if made is None or made.branch != branch or made.locked is not None:
            raise WorktreeUnusable(f"{path}: {failed}", hint=failed.hint or "gsd doctor") from failed


def _require_free(repo: Repo, branch: str) -> None:
    there = holder(repo.root, branch)
    if there is not None:
        way_out = "git worktree prune" if there.missing else f"git -C {there.path} switch <another branch>"
        raise BranchBusy(f"{branch} is checked out at {there.path}", hint=way_out)


def _repaired(repo: Repo, path: Path) -> Registered | None:
    """A directory whose registration is lost or points elsewhere, after git tried to mend it."""
    git(repo.root, "worktree", "repair", str(path), ok=(0, 1, 128))
    known = find(repo.root, path)
    if known is None:
        raise PathTaken(
            f"{path} looks like a worktree, but this repository does not have it registered",
            hint=f"Keep what is in it, then move it away: mv {path} {path}.old",
        )
    return known


def _forget(repo: Repo, gone: Registered) -> None:
    if gone.locked not in (None, INITIALIZING):
        raise WorktreeUnusable(
            f"{gone.path} is registered and locked ({gone.locked or 'no reason given'}), and its directory is missing",
            hint=f"git worktree unlock {gone.path}",
        )
    if gone.locked is not None:
        git(repo.root, "worktree", "unlock", str(gone.path))
    git(repo.root, "worktree", "remove", str(gone.path))


def _reuse(repo: Repo, known: Registered, branch: str) -> str:
    """Bring a registered worktree to a usable state; what was done, empty for nothing."""
    if not (known.path / ".git").is_file():
        raise PathTaken(f"{known.path} is registered as a worktree but has no .git file", hint="gsd doctor")
    done = _finish_creation(repo, known)
    found = head_of(known.path)
    if found.branch == branch and found.kind is HeadKind.BRANCH:
        return done
    if found.kind is not HeadKind.DETACHED or found.commit is None:
        raise WorktreeUnusable(
            f"{known.path} is on {found.branch or 'no branch'}, not on {branch}",
            hint=f"git -C {known.path} switch {branch}",
        )
    return _attach(repo, known.path, branch, found.commit)


def _attach(repo: Repo, path: Path, branch: str, commit: str) -> str:
    """Put a detached HEAD back on its branch without touching a file."""
    _require_free(repo, branch)
    tip = refs.branch_tip(repo.root, branch)
    behind = tip is not None and tip != commit and refs.is_ancestor(repo.root, commit, tip)
    if behind and not dirty(path):
        git(path, "switch", "--quiet", branch)
        return f"HEAD was detached behind {branch}; it is on the branch again"
    if tip is not None and not refs.is_ancestor(repo.root, tip, commit):
        raise BranchDiverged(
            f"{path}: HEAD is detached at {commit[:10]}, and {branch} is at {tip[:10]}; both have work the other lacks",
            hint=f"git -C {path} log --oneline --left-right HEAD...{branch}, then put HEAD on {branch}",
        )
    refs.compare_and_swap(repo.root, f"refs/heads/{branch}", commit, tip or refs.ABSENT, why="gsd: forward to HEAD")
    git(path, "symbolic-ref", "-m", "gsd: back on the branch", "HEAD", f"refs/heads/{branch}")
    return f"HEAD was detached ahead of {branch}; the branch was moved forward to {commit[:10]}"


def _finish_creation(repo: Repo, known: Registered) -> str:
    """Complete a `worktree add` that was killed: nobody has worked there yet, so its files are git's own."""
    git_dir = Path(git(known.path, "rev-parse", "--absolute-git-dir").line)
    left_lock.sweep(git_dir)
    if known.locked != INITIALIZING and (git_dir / "index").exists():
        return ""
    (git_dir / "index.lock").unlink(missing_ok=True)
    git(known.path, "reset", "--quiet", "--hard", "HEAD")
    if known.locked == INITIALIZING:
        git(repo.root, "worktree", "unlock", str(known.path))
    return "its creation had been interrupted and was finished"
