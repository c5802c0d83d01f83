"""What a killed run was at in a milestone's worktree is finished before anything else is done there.

Source: DESIGN "Every step can run twice"; parallel FM-84.
"""

from pathlib import Path

from milepost.git import clean_merge, left_merge
from milepost.git.abandon import take_away
from milepost.git.announce import untold
from milepost.git.bringing import NotClean, Note, Place, clear, current, merge_heads, note, place
from milepost.git.checkout import in_the_way
from milepost.git.merge_plan import Journal
from milepost.git.repo import head_of, in_progress
from milepost.git.run import GitFailed

_HALF = (Note.CLEAN, Note.LEAVING, Note.ABANDONING)


def unfinished(worktree: Path) -> bool:
    """Whether a merge into the worktree's branch is half done: one for a person to resolve, or a killed run's.

    Changes nothing. `conclude` or `abandon` end it.
    """
    if in_progress(worktree) == "merge":
        return True
    if head_of(worktree).branch is None:
        return False
    at = place(worktree)
    return any(current(at, kind) for kind in _HALF)


def resume(at: Place, *, journal: Journal = untold) -> Place:
    """Finish what an earlier run began; the worktree as it stands then. Raises NotClean when a file is in the way."""
    if current(at, Note.ABANDONING):
        take_away(at, journal=journal)
    clear(at, Note.ABANDONING)
    if commit := note(at, Note.CLEAN):
        if current(at, Note.CLEAN):
            clean_merge.go_on(at, commit, journal=journal)
        clear(at, Note.CLEAN)
        at = place(at.worktree, at.branch)
    if note(at, Note.LEAVING):
        _lay_out(at, journal)
    return at


def _lay_out(at: Place, journal: Journal) -> None:
    left = left_merge.read(at, Note.LEAVING)
    if left is None or merge_heads(at.worktree) not in ((), (left.onto,)):
        clear(at, Note.LEFT, Note.LEAVING)
        return
    try:
        left_merge.lay_out(at, left, resumed=True, journal=journal)
    except GitFailed as failed:
        raise NotClean(at.worktree, in_the_way(failed)) from failed
