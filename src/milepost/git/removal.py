"""Removing a milestone's worktree and branch, once its work is proved to be elsewhere.

Only ignored files and our own run-time files may go with the directory. Everything else that is not on the target
keeps it. Source: DESIGN rule 7; field-reports #2; spec auto 6.4, 6.10 (#2337, #3044).
"""

import os
from collections.abc import Iterator
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import refs
from milepost.git.listing import find, holder, registered
from milepost.git.proof import Proof
from milepost.git.repo import NestedKind, in_progress, nested
from milepost.git.run import GitFailed, git
from milepost.git.snapshots import snapshot
from milepost.git.status import Change, look
from milepost.rules.staging import is_runtime


class NotRemoved(MilepostError):
    """Something in the worktree, or a commit of its branch, would have been lost; it was kept. `paths` say what."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, message: str, paths: tuple[str, ...] = (), *, hint: str = "") -> None:
        listed = f": {', '.join(paths[:5])}{' …' if len(paths) > 5 else ''}" if paths else ""
        super().__init__(f"{message}{listed}", hint=hint)
        self.paths = paths


def remove(root: Path, path: Path, branch: str, proof: Proof, *, state_dir: str = ".gsd") -> None:
    """Remove the worktree at `path` and then `branch`, for which `proof` was given. Safe to run again.

    Raises NotRemoved when anything would be lost, with nothing removed.
    """
    remove_worktree(root, path, branch, proof, state_dir=state_dir)
    remove_branch(root, branch, proof)


def remove_worktree(root: Path, path: Path, branch: str, proof: Proof, *, state_dir: str) -> None:
    """Remove a worktree that holds nothing of its own; one that is gone already is fine. Raises NotRemoved."""
    tip = refs.branch_tip(root, branch)
    if tip is not None and tip != proof.tip:
        raise NotRemoved(f"{branch} has moved to {tip[:10]} since it was landed at {proof.tip[:10]}")
    known = find(root, path)
    if known is None:
        if path.exists():
            raise NotRemoved(f"{path} is not a worktree that git knows", hint="gsd doctor")
        return
    if known.branch != branch and not known.missing:
        raise NotRemoved(f"{path} is on {known.branch or 'no branch'}, not on {branch}")
    force = () if known.missing else _force(root, path, state_dir)
    if not known.missing:
        _pin_ignored_plan(root, path, branch, state_dir)
    try:
        git(root, "worktree", "remove", *force, str(path))
    except GitFailed as failed:
        raise NotRemoved(f"{path}: {failed}", hint=f"git worktree remove {path}") from failed


def remove_branch(root: Path, branch: str, proof: Proof) -> None:
    """Delete the branch if it is where the proof says and nobody has it checked out. Raises NotRemoved."""
    there = holder(root, branch)
    if there is not None and not there.missing:
        raise NotRemoved(f"{branch} is still checked out at {there.path}")
    try:
        refs.delete(root, f"refs/heads/{branch}", proof.tip)
    except refs.RefMoved as moved:
        raise NotRemoved(f"{branch} was kept: {moved}") from moved


def stale_scratch(root: Path, directory: Path, prefix: str) -> None:
    """Remove detached scratch worktrees of ours, `<directory>/<prefix>…`, that a killed run left."""
    for known in registered(root):
        ours = os.path.realpath(known.path.parent) == os.path.realpath(directory)
        if ours and known.path.name.startswith(prefix) and known.branch is None:
            git(root, "worktree", "remove", "--force", str(known.path), ok=(0, 128))


def _force(root: Path, path: Path, state_dir: str) -> tuple[str, ...]:
    """Prove that nothing of value is left; `--force` where git would object to run-time files or submodules."""
    if operation := in_progress(path):
        raise NotRemoved(f"{path}: a {operation} is half done there")
    changes = look(path, ignored=True).changes
    kept = tuple(change.path for change in changes if not _disposable(root, path, change, state_dir))
    if kept:
        raise NotRemoved(f"{path} has changes that are on no branch", kept, hint=f"git -C {path} status")
    modules = [found.path for found in nested(path) if found.kind is NestedKind.SUBMODULE]
    used = [module for module in modules if (path / module / ".git").exists()]
    unpushed = tuple(module for module in used if not _elsewhere(path / module))
    if unpushed:
        raise NotRemoved(f"{path} has submodule commits that exist only there", unpushed, hint="Push them first.")
    return ("--force",) if used or any(change.index != "!" for change in changes) else ()


def _disposable(root: Path, path: Path, change: Change, state_dir: str) -> bool:
    """Ignored files, run-time files tracked or not, and planning files that the project has the same."""
    if change.index == "!":
        return True
    if not change.path.startswith(f"{state_dir}/"):
        return False
    return not _only_here(root, path, change.path, state_dir)


def _pin_ignored_plan(root: Path, path: Path, branch: str, state_dir: str) -> None:
    """Keep planning files that git ignores and that the project's own copy does not have the same, as a backup."""
    ignored = [change.path for change in look(path, ignored=True).changes if change.index == "!"]
    inside = [entry for entry in ignored if entry == state_dir or entry.startswith(f"{state_dir}/")]
    only_here = [name for entry in inside for name in _files(path, entry) if _only_here(root, path, name, state_dir)]
    if only_here:
        kept = snapshot(path, "planning files that git ignores", also=only_here)
        refs.pin(root, branch.removeprefix("milestone/"), "planning", kept)


def _files(path: Path, entry: str) -> list[str]:
    place = path / entry
    if not place.is_dir() or place.is_symlink():
        return [entry]
    return [str((parent / name).relative_to(path)) for parent, _, names in _walk(place) for name in names]


def _walk(place: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for parent, directories, names in os.walk(place):
        yield Path(parent), directories, names


def _only_here(root: Path, path: Path, name: str, state_dir: str) -> bool:
    if is_runtime(name.removeprefix(f"{state_dir}/")):
        return False
    try:
        return (root / name).read_bytes() != (path / name).read_bytes()
    except OSError:
        return True


def _elsewhere(module: Path) -> bool:
    """Whether a remote has the commit a submodule is at."""
    return bool(git(module, "branch", "--remotes", "--contains", "HEAD", ok=(0, 129)).line)
