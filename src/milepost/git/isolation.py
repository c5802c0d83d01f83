"""Proof that a directory is the checkout it should be. Source: DESIGN rule 5; field-reports #5."""

import os
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import pointers
from milepost.git.run import GitFailed, git


class IsolationBroken(MilepostError):
    """A worktree is not what it should be: `what` was expected to be `expected` and is `found`."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, where: Path, what: str, expected: str, found: str) -> None:
        super().__init__(
            f"{where}: {what} is {found or 'nothing'}, expected {expected}; no work may start here", hint="gsd doctor"
        )
        self.what = what
        self.expected = expected
        self.found = found


def prove_place(where: Path, branch: str, *, isolation: str) -> str:
    """Prove that `where` is the top of a checkout on `branch`, and with isolation `worktree` a linked one.

    The commit that is checked out, of the same look. One git call. Raises IsolationBroken. Source: DESIGN rule 5.
    """
    git_dir, common, commit = prove_checkout(where, branch)
    if isolation == "worktree":
        same(where, "worktree", "a linked worktree", "a linked worktree" if git_dir != common else "a main checkout")
        same(where, "registration", os.path.realpath(where / ".git"), points_back(Path(git_dir)))
    return commit


def prove_checkout(path: Path, branch: str) -> tuple[str, str, str]:
    """Git directory, shared directory and commit of a checkout whose top level and branch are proved."""
    paths = ("--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir")
    asked = (*paths, "HEAD", "--symbolic-full-name", "HEAD")
    try:
        top, git_dir, common, commit, ref = git(path, "rev-parse", *asked).out.splitlines()
    except (GitFailed, ValueError) as failed:
        raise IsolationBroken(path, "checkout", f"one on {branch}", f"unreadable ({failed})") from failed
    same(path, "top level", os.path.realpath(path), os.path.realpath(top))
    same(path, "HEAD", f"refs/heads/{branch}", ref)
    return os.path.realpath(git_dir), os.path.realpath(common), commit


def same(where: Path, what: str, expected: str, found: str) -> None:
    if expected != found:
        raise IsolationBroken(where, what, expected, found)


def points_back(git_dir: Path) -> str:
    checkout = pointers.checkout_of(git_dir)
    return os.path.realpath(checkout / ".git") if checkout is not None else ""
