"""What a set-up leaves for git to see: nothing, as far as it can be helped.

What a tool fills (`node_modules`, `.venv`) is ignored, in `.git/info/exclude` where the project does not do it. A
lock file that a tool changed is put back: it is the project's, and two milestones that each bring their own would
collide. Whatever else appears is said, since the first unit would commit it.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from milepost.git import repo, status
from milepost.git.exclude import exclude
from milepost.git.ignored import ignored
from milepost.git.run import git
from milepost.rules.recipes import Step
from milepost.store import atomic
from milepost.worker.shift import Shift

_SPECIAL = re.compile(r"[\\*?\[\]]")
_NAMED = 5
"""Paths that are named in a sentence."""


def tracked(worktree: Path, path: str) -> bool:
    """Whether git has files below a directory."""
    return bool(git(worktree, "ls-files", "-z", "--", f":(top,literal){path}").out)


def hide(step: Step, worktree: Path, shift: Shift) -> None:
    """Let git ignore what the step made."""
    made = [path for path in (step.fills, *step.leaves) if path and (worktree / path).exists()]
    seen = [path for path in made if not _hidden(worktree, path) and not tracked(worktree, path)]
    if not seen:
        return
    patterns = [_pattern(path, directory=(worktree / path).is_dir()) for path in seen]
    exclude(repo.inspect(shift.root).common_dir, patterns)
    shift.watcher.note(
        f"{step.name} made {', '.join(seen)}, which .gitignore does not name: added to .git/info/exclude"
    )


def _hidden(worktree: Path, path: str) -> bool:
    # Of a directory that ignores itself from within only the files are ignored.
    probe = f"{path}/milepost-probe" if (worktree / path).is_dir() else path
    return ignored(worktree, path) or ignored(worktree, probe)


def _pattern(path: str, *, directory: bool) -> str:
    literal = _SPECIAL.sub(lambda found: f"\\{found.group()}", path)
    return f"/{literal}{'/' if directory else ''}"


def put_back(step: Step, before: Mapping[str, bytes], worktree: Path, shift: Shift) -> None:
    """Restore files that the step was only to read."""
    changed = [path for path, content in before.items() if _content(worktree / path) != content]
    for path in changed:
        atomic.replace(worktree / path, before[path], within=worktree)
    if changed:
        shift.watcher.note(f"look at this: {step.name} changed {_listed(changed)}; put back as it was")


def visible(worktree: Path) -> frozenset[str]:
    """Every path that git would commit."""
    return frozenset(change.path for change in status.dirty(worktree))


def report(step: Step, before: frozenset[str], worktree: Path, shift: Shift) -> None:
    """Say what the step left that git sees."""
    left = sorted(visible(worktree) - before)
    if left:
        shift.watcher.note(f"look at this: {step.name} left {_listed(left)}, which the first unit would commit")


def _listed(paths: Iterable[str]) -> str:
    named = list(paths)
    return ", ".join(named[:_NAMED]) + (f" and {len(named) - _NAMED} more" if len(named) > _NAMED else "")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
