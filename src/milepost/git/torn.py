"""Files on disk whose writing was cut off when git was killed, with the machine or its group.

Source: DESIGN "Every step can run twice".
"""

from pathlib import Path

from milepost.git import checkout
from milepost.git.checkout import in_the_way
from milepost.git.merge_tree import entry_at
from milepost.git.run import GitFailed, git, raw


def advance(worktree: Path, old: str, new: str, *, index: Path | None = None) -> None:
    """`checkout.advance` where an earlier one may have been killed in the middle of a file. Raises GitFailed."""
    while True:
        try:
            checkout.advance(worktree, old, new, index=index)
            return
        except GitFailed as failed:
            named = [blocked.path for blocked in in_the_way(failed) if blocked.path]
            cut = [path for path in named if torn(worktree, new, path)]
            if not cut:
                raise
        for path in cut:
            (worktree / path).unlink()


def is_version(worktree: Path, commit: str, path: str) -> bool:
    """Whether a plain file on disk is what `commit` has there, with the line ends and filters of the checkout."""
    there, had = worktree / path, entry_at(worktree, commit, path)
    if had is None or there.is_symlink() or not there.is_file():
        return False
    data = there.read_bytes()
    if git(worktree, "hash-object", f"--path={path}", "--stdin", stdin=data).line == had.blob:
        return True
    return _shown(worktree, commit, path) == data


def torn(worktree: Path, commit: str, path: str) -> bool:
    """Whether a file on disk is only the beginning of what `commit` has there: its writing was cut off."""
    there = worktree / path
    if there.is_symlink() or not there.is_file():
        return False
    have, whole = there.read_bytes(), _shown(worktree, commit, path)
    return whole is not None and len(have) < len(whole) and whole.startswith(have)


def _shown(worktree: Path, commit: str, path: str) -> bytes | None:
    shown = git(worktree, "cat-file", "--filters", f"{commit}:{path}", ok=(0, 128))
    return raw(shown.out) if shown.code == 0 else None
