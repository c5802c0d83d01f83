"""Whether git ignores a path."""

from collections.abc import Sequence
from pathlib import Path

from milepost.git.run import fields, git, raw


def ignored(root: Path, path: str) -> bool:
    """Whether `path` (relative to `root`, need not exist) is ignored and not tracked."""
    return git(root, "check-ignore", "-q", "--", path, ok=(0, 1)).code == 0


def ignored_among(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of `paths` (relative to `root`) that are ignored and not tracked."""
    asked = b"".join(raw(path) + b"\0" for path in paths)
    return fields(git(root, "check-ignore", "-z", "--stdin", stdin=asked, ok=(0, 1)).out)
