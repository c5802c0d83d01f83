"""Pushing, believed only when the remote says so. Source: gsd-pi#2153 (189 commits that were never pushed)."""

from pathlib import Path

from milepost.git.refs import is_ancestor, resolve
from milepost.git.run import HOOK_TIMEOUT_S, GitFailed, git

_OFFLINE_S = 60.0


def push(root: Path, remote: str, branch: str, commit: str) -> str:
    """Push `commit` to the remote's `branch`; empty when the remote has it afterwards, else what went wrong.

    Never forces. Running it again when the remote is there already is fine.
    """
    try:
        there = fetch_tip(root, remote, branch)
        if there is not None and resolve(root, there) and is_ancestor(root, commit, there):
            return ""
        git(root, "push", "--quiet", remote, f"{commit}:refs/heads/{branch}", timeout_s=HOOK_TIMEOUT_S)
        there = fetch_tip(root, remote, branch)
    except GitFailed as failed:
        return _why(failed)
    return "" if there == commit else f"{remote} has {branch} at {(there or 'nothing')[:10]} after the push"


def fetch_tip(root: Path, remote: str, branch: str) -> str | None:
    """Where the remote's branch is; None when it has none. Raises GitFailed when it does not answer."""
    line = git(root, "ls-remote", remote, f"refs/heads/{branch}", timeout_s=_OFFLINE_S).line
    return line.split("\t")[0] or None


def _why(failed: GitFailed) -> str:
    lines = [line.strip() for line in failed.stderr.splitlines() if "rejected" in line or "error:" in line]
    return f"{failed}" + (f" ({lines[0]})" if lines and lines[0] not in str(failed) else "")
