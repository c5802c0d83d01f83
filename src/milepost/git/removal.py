"""Removing a milestone's worktree and branch, once its work is proved to be elsewhere.

Only ignored files and our own run-time files may go with the directory. Everything else that is not on the target
keeps it. Source: DESIGN rule 7; field-reports #2; spec auto 6.4, 6.10 (#2337, #3044).
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import refs
from milepost.git.listing import Registered, find, holder, registered
from milepost.git.proof import Proof
from milepost.git.repo import NestedKind, in_progress, nested
from milepost.git.run import HOOK_TIMEOUT_S, GitFailed, fields, git, raw
from milepost.git.snapshots import snapshot
from milepost.git.status import Change, look
from milepost.model.work import key_of
from milepost.rules.staging import is_runtime, looks_secret

_MADE = frozenset(
    {
        *(
            "node_modules",
            ".venv",
            "venv",
            "__pycache__",
            ".pytest_cache",
            ".mypy_cache",
            ".ruff_cache",
            ".tox",
            ".nox",
        ),
        *("target", "dist", "build", "out", ".next", ".cache", ".gradle", ".idea", "coverage", "htmlcov", ".eggs"),
    }
)
"""Directories whose content tools make again."""
_LARGEST_KEPT = 1_000_000
"""Bytes of an ignored file that is still kept in a backup."""
_MOST_KEPT = 200
"""Ignored files beyond which they are taken for output."""


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
    known, note = find(root, path), note_of(branch)
    begun = refs.resolve(root, note) == proof.tip
    if known is None and path.exists():
        raise NotRemoved(f"{path} is not a worktree that git knows", hint="gsd doctor")
    if known is not None and not known.missing:
        if begun and not (path / ".git").is_file():
            _remove_rest(root, path, proof.tip)
        else:
            _remove_whole(root, known, branch, proof.tip, begun=begun, state_dir=state_dir)
    if known is not None and find(root, path) is not None:
        git(root, "worktree", "remove", str(path))
    if left := refs.resolve(root, note):
        refs.delete(root, note, left)


def note_of(branch: str) -> str:
    """The ref that says that a branch's worktree is being removed: what is missing there is no work of anybody."""
    return f"refs/gsd/removing/{key_of(branch)}"


def being_removed(root: Path, branch: str) -> bool:
    """Whether an earlier run began to remove the worktree of this branch as it stands, and was killed in it."""
    noted = refs.resolve(root, note_of(branch))
    return noted is not None and refs.branch_tip(root, branch) in (None, noted)


def _remove_whole(root: Path, known: Registered, branch: str, tip: str, *, begun: bool, state_dir: str) -> None:
    path, note = known.path, note_of(branch)
    if known.branch != branch:
        raise NotRemoved(f"{path} is on {known.branch or 'no branch'}, not on {branch}")
    force = _force(root, path, state_dir, begun=begun)
    keep_ignored(root, path, branch, state_dir)
    git(root, "update-ref", note, tip)
    try:
        git(root, "worktree", "remove", *force, str(path), timeout_s=HOOK_TIMEOUT_S)
    except GitFailed as failed:
        if (path / ".git").is_file() and not any(_missing(change) for change in look(path).changes):
            refs.delete(root, note, tip)
        raise NotRemoved(f"{path}: {failed}", hint=f"git worktree remove {path}") from failed


def _missing(change: Change) -> bool:
    return (change.index, change.worktree) == (".", "D")


def _remove_rest(root: Path, path: Path, tip: str) -> None:
    """What is left of a worktree whose `.git` went first: files of the tip, and ignored ones. Raises NotRemoved."""
    known = set(fields(git(root, "ls-tree", "-r", "-z", "--name-only", tip).out))
    left = [str((parent / name).relative_to(path)) for parent, _, names in _walk(path) for name in names]
    unknown = [name for name in left if name not in known]
    asked = b"".join(raw(name) + b"\0" for name in unknown)
    ignored = set(fields(git(root, "check-ignore", "-z", "--stdin", stdin=asked, ok=(0, 1)).out)) if unknown else set()
    kept = tuple(name for name in unknown if name not in ignored)
    if kept:
        raise NotRemoved(f"{path} is half removed, and has files that are on no branch", kept)
    shutil.rmtree(path)


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


def _force(root: Path, path: Path, state_dir: str, *, begun: bool) -> tuple[str, ...]:
    """Prove that nothing of value is left; `--force` where git would object to run-time files or submodules."""
    if operation := in_progress(path):
        raise NotRemoved(f"{path}: a {operation} is half done there")
    changes = look(path, ignored=True).changes
    gone = {change.path for change in changes if begun and _missing(change)}
    unsafe = (change.path for change in changes if not _disposable(root, path, change, state_dir))
    kept = tuple(name for name in unsafe if name not in gone)
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


def keep_ignored(root: Path, path: Path, branch: str, state_dir: str) -> None:
    """Pin what git ignores in a worktree and somebody may miss: planning files, and small files written by hand."""
    _pin_ignored_plan(root, path, branch, state_dir)
    _pin_other_ignored(root, path, branch, state_dir)


def _pin_ignored_plan(root: Path, path: Path, branch: str, state_dir: str) -> None:
    """Keep planning files that git ignores and that the project's own copy does not have the same, as a backup."""
    ignored = [change.path for change in look(path, ignored=True).changes if change.index == "!"]
    inside = [entry for entry in ignored if entry == state_dir or entry.startswith(f"{state_dir}/")]
    only_here = [name for entry in inside for name in _files(path, entry) if _only_here(root, path, name, state_dir)]
    if only_here:
        kept = snapshot(path, "planning files that git ignores", also=only_here)
        refs.pin(root, key_of(branch), "planning", kept)


def _pin_other_ignored(root: Path, path: Path, branch: str, state_dir: str) -> None:
    """Keep small ignored files that somebody may have written there by hand; build output and caches are left."""
    ignored = [change.path for change in look(path, ignored=True).changes if change.index == "!"]
    outside = [entry for entry in ignored if not entry.startswith(f"{state_dir}/") and entry != state_dir]
    names = [name for entry in outside if not _made(entry) for name in _files(path, entry) if not _made(name)]
    kept = [name for name in names if (path / name).is_file() and (path / name).lstat().st_size <= _LARGEST_KEPT]
    if kept and len(kept) <= _MOST_KEPT:
        refs.pin(root, key_of(branch), "ignored", snapshot(path, "ignored files", also=kept))


def _made(name: str) -> bool:
    """Whether a path is something that tools make and make again."""
    return looks_secret(name) or any(
        part in _MADE or part.endswith((".pyc", ".o", ".class")) for part in name.split("/")
    )


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
