"""Whether git ignores a path."""

from pathlib import Path

from milepost.git.run import git


def ignored(root: Path, path: str) -> bool:
    """Whether `path` (relative to `root`, need not exist) is ignored and not tracked."""
    return git(root, "check-ignore", "-q", "--", path, ok=(0, 1)).code == 0
