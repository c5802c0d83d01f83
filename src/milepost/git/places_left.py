"""Where a merge in a worktree is still in conflict. Source: parallel DV-16, FM-84."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from milepost.git import refs
from milepost.git.bringing import Place
from milepost.git.left_merge import Left
from milepost.git.markers import USUAL_SIZE, leftover
from milepost.git.merge_tree import entry_at
from milepost.git.run import git, raw
from milepost.git.torn import is_version


def places_left(
    at: Place, onto: str, left: Left | None, paths: Sequence[str], unmerged: Iterable[str]
) -> tuple[str, ...]:
    """`path:line` for each marker in these files, and for each that is as the merge left it.

    paths: what a commit would take. unmerged: paths that the index says are in conflict; adding one to the index
    takes it as it is.
    """
    waiting = frozenset(unmerged)
    sizes = _sizes(at.worktree, paths)
    found: list[str] = []
    for path in paths:
        lines = _markers(at, onto, left, path, sizes.get(path, USUAL_SIZE))
        found += [f"{path}:{line}" for line in lines]
        if not lines and path in waiting and _as_left(at, onto, left, path):
            found.append(f"{path}:1")
    return tuple(found)


def _markers(at: Place, onto: str, left: Left | None, path: str, size: int) -> tuple[int, ...]:
    text = _text(at.worktree / path)
    if text is None or not leftover(text, size=size):
        return ()
    base, one, other = _versions(at, onto, left, path)
    return leftover(text, base=base, one=one, other=other, size=size)


def _versions(at: Place, onto: str, left: Left | None, path: str) -> tuple[bytes, bytes, bytes]:
    """What was merged at a path."""
    if left is not None and path in left.stages:
        blobs = {stage: blob for mode, blob, stage in left.stages[path] if mode.startswith("100")}
        base, one, other = (blobs.get(stage) for stage in (1, 2, 3))
    else:
        common = refs.merge_base(at.worktree, at.tip, onto)
        base, one, other = (_blob(at.worktree, commit, path) for commit in (common, at.tip, onto))
    return _bytes(at.worktree, base), _bytes(at.worktree, one), _bytes(at.worktree, other)


def _blob(worktree: Path, commit: str | None, path: str) -> str | None:
    entry = entry_at(worktree, commit, path) if commit else None
    return entry.blob if entry and entry.mode.startswith("100") else None


def _bytes(worktree: Path, blob: str | None) -> bytes:
    return raw(git(worktree, "cat-file", "blob", blob).out) if blob else b""


def _as_left(at: Place, onto: str, left: Left | None, path: str) -> bool:
    """Whether nobody has decided on a file in conflict. One that was deleted is decided on."""
    there = at.worktree / path
    if there.is_dir() and not there.is_symlink():
        return True
    if left is not None and path in left.stages:
        return _is(at.worktree, left.commit, path)
    return _is(at.worktree, at.tip, path) or _is(at.worktree, onto, path)


def _is(worktree: Path, commit: str, path: str) -> bool:
    there, had = worktree / path, entry_at(worktree, commit, path)
    if there.is_symlink():
        target = raw(str(there.readlink()))
        return had is not None and git(worktree, "hash-object", "--stdin", stdin=target).line == had.blob
    return is_version(worktree, commit, path)


def _sizes(worktree: Path, paths: Sequence[str]) -> Mapping[str, int]:
    """How long the project wants markers to be, for paths where it says so."""
    asked = b"".join(raw(path) + b"\0" for path in paths)
    said = git(worktree, "check-attr", "-z", "--stdin", "conflict-marker-size", stdin=asked).out.split("\0")
    return {path: int(size) for path, _, size in zip(said[::3], said[1::3], said[2::3], strict=False) if size.isdigit()}


def _text(path: Path) -> bytes | None:
    """The bytes of a plain file; None for anything else."""
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None
