"""`.worktreeinclude`: ignored files that a new worktree needs a copy of, such as `.env`.

    .env
    config/*.local.json

The syntax is that of `.gitignore`. Only files that git ignores are copied, never over an existing one, and never to
outside the worktree. Source: issue "Working in git"; field-reports group G.
"""

import os
import shutil
from pathlib import Path

from milepost.git.run import fields, git, raw

NAME = ".worktreeinclude"


def copy_included(root: Path, worktree: Path, *, state_dir: str = ".gsd") -> tuple[str, ...]:
    """Copy what the root's `.worktreeinclude` lists; the paths that were copied."""
    if not (root / NAME).is_file():
        return ()
    copied = [path for path in _listed(root) if not path.startswith(f"{state_dir}/") and _copy(root, worktree, path)]
    return tuple(copied)


def _listed(root: Path) -> tuple[str, ...]:
    """Files that both the list and the repository's ignore rules name."""
    matching = git(root, "ls-files", "-z", "--others", "--ignored", f"--exclude-from={root / NAME}").out
    paths = [path for path in fields(matching) if not path.endswith("/")]
    asked = b"".join(raw(path) + b"\0" for path in paths)
    return fields(git(root, "check-ignore", "-z", "--stdin", stdin=asked, ok=(0, 1)).out) if paths else ()


def _copy(root: Path, worktree: Path, path: str) -> bool:
    target = worktree / path
    if os.path.lexists(target) or not _inside(worktree, target.parent):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(root / path, target, follow_symlinks=False)
    return True


def _inside(worktree: Path, directory: Path) -> bool:
    real = os.path.realpath(worktree)
    return os.path.commonpath([real, os.path.realpath(directory)]) == real
