"""A merge with conflicts, laid out in a worktree for a person: markers, stages, MERGE_HEAD, as git leaves its own.

    note → files → stages → markers → merge → done

What fits is brought first, while the files in conflict stay as the branch has them; then the index says that they
are in conflict, so that nothing can be committed; only then markers come, and last what makes it a merge to git.
Killed in between, the next call goes on; a file that somebody has edited meanwhile is left alone.
Source: parallel PR-196, DV-16, FM-84, FM-85.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from milepost.git import checkout, torn
from milepost.git.announce import announced, untold
from milepost.git.bringing import Note, Place, clear, current, merge_heads, record_merge, restage, set_note
from milepost.git.merge_plan import Journal
from milepost.git.merge_tree import Conflict, entry_at
from milepost.git.run import GitFailed, git, raw
from milepost.git.snapshots import private_index
from milepost.git.status import look

_MODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A merge as it is laid out. Kept as a commit, whose tree is what stands in the worktree."""

    commit: str
    tip: str
    onto: str
    ground: str
    """A commit on `tip` with all that fits, and the files in conflict as `tip` has them."""
    stages: Mapping[str, tuple[tuple[str, str, int], ...]]
    """By path in conflict: mode, object and stage of each version."""
    message: str

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in conflict."""
        return tuple(self.stages)


def compose(at: Place, onto: str, tree: str, conflicts: Sequence[Conflict], message: str) -> Left:
    """What is to be laid out, as objects that no ref knows.

    tree: with markers in the files in conflict. conflicts: `target` is the branch's own side, as git sees it.
    """
    stages = {conflict.path: _stages(conflict) for conflict in conflicts}
    ground = git(at.worktree, "commit-tree", _ground(at, tree, stages), "-p", at.tip, "-m", "ground").line
    said = json.dumps({"stages": stages, "message": message})
    parents = ("-p", ground, "-p", onto)
    commit = git(at.worktree, "commit-tree", tree, *parents, "-F", "-", stdin=said.encode("ascii")).line
    return Left(commit=commit, tip=at.tip, onto=onto, ground=ground, stages=stages, message=message)


def read(at: Place, kind: Note) -> Left | None:
    """What is laid out, or was being laid out, on the branch's tip; None when there is none, or it is done with."""
    commit = current(at, kind)
    if commit is None:
        return None
    ground, onto = git(at.worktree, "rev-parse", f"{commit}^1", f"{commit}^2").out.split()
    said = json.loads(git(at.worktree, "log", "-1", "--format=%B", commit).out)
    stages = {path: tuple((m, b, s) for m, b, s in found) for path, found in said["stages"].items()}
    return Left(commit=commit, tip=at.tip, onto=onto, ground=ground, stages=stages, message=said["message"])


def lay_out(at: Place, left: Left, *, resumed: bool = False, journal: Journal = untold) -> None:
    """Put the merge into the worktree; safe to run again after a kill.

    resumed: an earlier run began it, and somebody may have edited files since. Raises GitFailed when something
    stands in the way; nothing in conflict was written then.
    """
    with announced(journal, "note", commit=left.commit):
        set_note(at, Note.LEAVING, left.commit)
    if merge_heads(at.worktree) != (left.onto,):
        if not _in_conflict(at.worktree):
            with announced(journal, "files"):
                _bring_what_fits(at, left, resumed=resumed)
            with announced(journal, "stages"):
                restage(at.worktree, left.stages)
        with announced(journal, "markers"):
            _write_markers(at, left, resumed=resumed)
        with announced(journal, "merge"):
            record_merge(at.worktree, left.onto, left.message)
    with announced(journal, "done"):
        set_note(at, Note.LEFT, left.commit)
        clear(at, Note.LEAVING)


def _bring_what_fits(at: Place, left: Left, *, resumed: bool) -> None:
    if resumed:
        torn.advance(at.worktree, left.tip, left.ground)
        return
    try:
        checkout.advance(at.worktree, left.tip, left.ground)
    except GitFailed:
        clear(at, Note.LEAVING)
        raise


def _stages(conflict: Conflict) -> tuple[tuple[str, str, int], ...]:
    versions = ((1, conflict.base), (2, conflict.target), (3, conflict.milestone))
    return tuple((entry.mode, entry.blob, stage) for stage, entry in versions if entry is not None)


def _ground(at: Place, tree: str, paths: Mapping[str, object]) -> str:
    nothing = "0" * len(tree)
    lines = b""
    for path in paths:
        had = entry_at(at.worktree, at.tip, path)
        lines += raw(f"{had.mode} {had.blob}\t{path}\0" if had else f"0 {nothing}\t{path}\0")
    with private_index(at.worktree, like=tree) as index:
        git(at.worktree, "update-index", "-z", "--index-info", stdin=lines, index=index)
        return git(at.worktree, "write-tree", index=index).line


def _in_conflict(worktree: Path) -> bool:
    return any(change.unmerged for change in look(worktree, untracked=False).changes)


def _write_markers(at: Place, left: Left, *, resumed: bool) -> None:
    """Write the files in conflict, apart from those that somebody has begun to edit."""
    ours = [path for path in left.paths if not resumed or _is_ours(at, left, path)]
    entries = {path: entry_at(at.worktree, left.commit, path) for path in ours}
    plain = [path for path, entry in entries.items() if entry is not None and entry.mode != _MODULE]
    with private_index(at.worktree, like=left.commit) as index:
        listed = b"".join(raw(path) + b"\0" for path in plain)
        git(at.worktree, "checkout-index", "-f", "-z", "--stdin", stdin=listed, index=index)
    for path in (path for path, entry in entries.items() if entry is None):
        if (at.worktree / path).is_symlink() or (at.worktree / path).is_file():
            (at.worktree / path).unlink()


def _is_ours(at: Place, left: Left, path: str) -> bool:
    """Whether the file is as the branch has it, or not there, or was being written when a run was killed."""
    there = at.worktree / path
    if not os.path.lexists(there) or there.is_symlink():
        return True
    return torn.is_version(at.worktree, left.tip, path) or torn.torn(at.worktree, left.commit, path)
