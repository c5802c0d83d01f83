"""`.worktreeinclude`: ignored files that a new worktree needs a copy of, such as `.env`.

    .env
    config/*.local.json
    !config/production.local.json

The syntax is that of `.gitignore`. Only files that git ignores are copied, never over an existing one, and never to
outside the worktree. A file appears whole or not at all, so that a copy that was killed is finished by the next.
A link stays a link; one that leads out of the project by a relative path is made absolute. Source: issue "Working in
git"; field-reports group G.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from milepost.git.run import fields, git, raw

NAME = ".worktreeinclude"
_NAMED = 5
"""Paths that are named in a sentence."""


def copy_included(
    root: Path, worktree: Path, *, state_dir: str = ".gsd", on_problem: Callable[[str], None] | None = None
) -> tuple[str, ...]:
    """Copy what the root's `.worktreeinclude` lists; the paths that were copied.

    on_problem: told in a sentence of listed paths that could not be copied; the others are.
    """
    if not (root / NAME).is_file():
        return ()
    job = _Copying(root, worktree, state_dir)
    copied, problems = [], []
    for path in _listed(root):
        if path == state_dir or path.startswith(f"{state_dir}/"):
            continue
        try:
            if job.copy(path):
                copied.append(path)
        except OSError as error:
            problems.append(f"{path} ({error.strerror or error})")
    if problems and on_problem:
        more = f" and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        on_problem(f"{NAME}: not copied: {', '.join(problems[:_NAMED])}{more}")
    return tuple(copied)


def _listed(root: Path) -> tuple[str, ...]:
    """Files that both the list and the repository's ignore rules name; repositories inside this one end with `/`."""
    matching = git(root, "ls-files", "-z", "--others", "--ignored", f"--exclude-from={root / NAME}").out
    asked = b"".join(raw(path) + b"\0" for path in fields(matching))
    return fields(git(root, "check-ignore", "-z", "--stdin", stdin=asked, ok=(0, 1)).out) if asked else ()


class _Copying:
    """Copies into one worktree."""

    def __init__(self, root: Path, worktree: Path, state_dir: str) -> None:
        self._root = root
        self._worktree = worktree
        self._real_root = os.path.realpath(root)
        self._real = os.path.realpath(worktree)
        self._directories: dict[str, bool] = {}
        """Whether a directory is there and inside the worktree."""
        # Half a file must not lie where git would see it, and has to be on the same file system.
        self._half = worktree / state_dir / "runtime" / "include.tmp"

    def copy(self, path: str) -> bool:
        """Whether the file was copied; not when it would be written over another, or outside. Raises OSError."""
        source, target = self._root / path, self._worktree / path
        if path.endswith("/"):
            raise OSError("a repository of its own")
        if os.path.lexists(target) or not self._ready(os.path.dirname(path)):
            return False
        if source.is_symlink():
            os.symlink(self._leading(source), target)
        else:
            self._whole(source, target)
        return True

    def _ready(self, directory: str) -> bool:
        """Make a directory of the worktree; False when it leads out of it."""
        known = self._directories.get(directory)
        if known is None:
            target = self._worktree / directory
            known = self._inside(target)
            if known:
                target.mkdir(parents=True, exist_ok=True)
            self._directories[directory] = known
        return known

    def _inside(self, directory: Path) -> bool:
        return os.path.commonpath([self._real, os.path.realpath(directory)]) == self._real

    def _leading(self, link: Path) -> str:
        """Where a copy of the link has to lead: to its own counterpart inside, to the same place outside."""
        to = os.readlink(link)
        there = os.path.normpath(os.path.join(os.path.realpath(link.parent), to))
        inside = os.path.commonpath([self._real_root, there]) == self._real_root
        return to if os.path.isabs(to) or inside else there

    def _whole(self, source: Path, target: Path) -> None:
        self._half.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(source, self._half, follow_symlinks=False)
            self._half.replace(target)
        finally:
            self._half.unlink(missing_ok=True)
