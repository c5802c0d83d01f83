"""Isolation mode `branch`: the milestone's branch in the user's own checkout.

Tracked files must be clean on the way in and out, so that switching moves nothing of the user's.
Source: spec auto 6.1 (#4389).
"""

from pathlib import Path

from milepost.git import refs
from milepost.git.listing import holder
from milepost.git.repo import NotReady, head_of, in_progress
from milepost.git.run import GitFailed, git
from milepost.git.status import look
from milepost.git.worktrees import BranchBusy, branch_name
from milepost.model.work import require_key


class CheckoutDirty(NotReady):
    """Tracked files differ from HEAD, so no branch is switched; `paths` are they."""

    def __init__(self, where: Path, branch: str, paths: tuple[str, ...]) -> None:
        listed = ", ".join(paths[:5]) + (" …" if len(paths) > 5 else "")
        super().__init__(
            f"{where} has changes, so it stays off {branch}: {listed}", hint="Commit them, then run again."
        )
        self.paths = paths


def enter_branch(root: Path, mid: str, start: str) -> str:
    """Check out the branch of a key in the user's checkout, made at `start` when it does not exist; its name.

    Raises CheckoutDirty, BranchBusy, or NotReady when something is half done or an untracked file is in the way.
    """
    branch = branch_name(require_key(mid))
    if head_of(root).branch == branch:
        return branch
    there = holder(root, branch)
    if there is not None:
        raise BranchBusy(f"{branch} is checked out at {there.path}", hint=f"git worktree remove {there.path}")
    if refs.branch_tip(root, branch) is None:
        _switch(root, branch, "--no-track", "--create", branch, git(root, "rev-parse", "--verify", start).line)
    else:
        _switch(root, branch, branch)
    return branch


def leave_branch(root: Path, target: str) -> None:
    """Check out `target` in the user's checkout again; the same conditions and errors as `enter_branch`."""
    if head_of(root).branch != target:
        _switch(root, target, target)


def _switch(root: Path, branch: str, *args: str) -> None:
    if operation := in_progress(root):
        raise NotReady(f"{root}: a {operation} is half done here", hint="Finish or abort it, then run again.")
    changed = tuple(change.path for change in look(root, untracked=False).changes)
    if changed:
        raise CheckoutDirty(root, branch, changed)
    try:
        git(root, "switch", "--quiet", "--no-overwrite-ignore", *args)
    except GitFailed as failed:
        raise NotReady(f"{root} could not switch to {branch}: {failed.stderr.strip()}", hint="gsd doctor") from failed
