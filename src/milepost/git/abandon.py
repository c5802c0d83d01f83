"""A merge in a milestone's worktree given up: the worktree is as its branch again, and what a person did is kept.

    pin → note → files → merge → done

Source: DESIGN rule 7; parallel FM-85.
"""

from milepost.git import refs
from milepost.git.announce import announced, untold
from milepost.git.bringing import Note, Place, clear, current, forget_merge, merge_heads, restage, set_note
from milepost.git.merge_plan import Journal
from milepost.git.merge_tree import differences, entry_at
from milepost.git.snapshots import snapshot
from milepost.git.status import Change, look
from milepost.git.take_back import take_back
from milepost.rules.staging import is_runtime

LABEL = "abandoned"
"""Of the pins under `refs/gsd/backup/<MID>/`."""
_STATE_DIRS = (".gsd", ".sf")
_HALF = (Note.CLEAN, Note.LEAVING, Note.ABANDONING)


def take_away(at: Place, *, journal: Journal = untold) -> str | None:
    """Put the worktree back to its branch; the ref that keeps what stood there, None when no merge was half done.

    Run-time files and new files that the merge did not bring stay where they are. Safe to run again after a kill.
    """
    if not merge_heads(at.worktree) and not any(current(at, kind) for kind in _HALF):
        clear(at, *Note)
        return None
    _free_modules(at)
    with announced(journal, "pin"):
        kept = _pin(at)
    with announced(journal, "note"):
        set_note(at, Note.ABANDONING, at.tip)
    with announced(journal, "files"):
        _put_back(at)
    with announced(journal, "merge"):
        forget_merge(at.worktree)
    with announced(journal, "done"):
        clear(at, Note.CLEAN, Note.LEFT, Note.LEAVING, Note.ABANDONING)
    return kept


def _pin(at: Place) -> str:
    made = snapshot(at.worktree, f"a merge into {at.branch}, given up")
    pinned = [backup.ref for backup in refs.backups(at.worktree, at.mid) if backup.label == LABEL]
    if pinned and not differences(at.worktree, made, at.tip):
        return pinned[-1]
    return refs.pin(at.worktree, at.mid, LABEL, made)


def _free_modules(at: Place) -> None:
    """A submodule in conflict has no version that a snapshot could hold; the branch's own is taken."""
    changes = look(at.worktree, untracked=False).changes
    unmerged = (change.path for change in changes if change.unmerged and change.nested)
    found = {path: entry_at(at.worktree, at.tip, path) for path in unmerged}
    restage(at.worktree, {path: ((had.mode, had.blob, 0),) if had else () for path, had in found.items()})


def _put_back(at: Place) -> None:
    changes = look(at.worktree).changes
    wanted = [change.path for change in changes if not change.untracked and not _runs(change)]
    untracked = {change.path for change in changes if change.untracked}
    for commit in filter(None, (current(at, kind) for kind in (Note.CLEAN, Note.LEAVING, Note.LEFT))):
        brought = [moved.path for moved in differences(at.worktree, at.tip, commit) if moved.old is None]
        wanted += [path for path in brought if path in untracked]
    modules = [path for path in wanted if _is_new_module(at, path)]
    restage(at.worktree, dict.fromkeys(modules, ()))
    take_back(at.worktree, (path for path in wanted if path not in modules))


def _runs(change: Change) -> bool:
    """Whether it is a run-time file, which no merge of ours touches."""
    state_dir, _, inside = change.path.partition("/")
    return state_dir in _STATE_DIRS and is_runtime(inside) and not change.unmerged


def _is_new_module(at: Place, path: str) -> bool:
    """A submodule that the merge brought; what was checked out of it stays, as git leaves it."""
    there = at.worktree / path
    return there.is_dir() and not there.is_symlink() and entry_at(at.worktree, at.tip, path) is None
