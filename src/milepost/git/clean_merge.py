"""A merge that fits, brought to a milestone's branch and worktree.

    note → files → branch → done

Files first: killed in between, what was brought only looks like uncommitted work. The other way round the worktree
would look as if somebody had taken out what the target brought, and the next commit would do it.
Source: DESIGN rule 6; field-reports 5 ("Branch from before a squash").
"""

from milepost.git import checkout, refs, torn
from milepost.git.announce import announced, untold
from milepost.git.bringing import NotClean, Note, Place, clear, set_note
from milepost.git.checkout import in_the_way
from milepost.git.merge_plan import Journal
from milepost.git.run import GitFailed


def move(at: Place, commit: str, *, journal: Journal = untold) -> None:
    """Bring worktree and branch from the tip to `commit`, whose first parent it is.

    Raises NotClean or RefMoved with everything as it was.
    """
    if blocked := checkout.blockers(at.worktree, at.tip, commit):
        raise NotClean(at.worktree, blocked)
    with announced(journal, "note", commit=commit):
        set_note(at, Note.CLEAN, commit)
    try:
        _go(at, commit, journal)
    except NotClean:
        clear(at, Note.CLEAN)
        raise


def go_on(at: Place, commit: str, *, journal: Journal = untold) -> None:
    """The same for a run that was killed in it. Raises NotClean when somebody changed files meanwhile."""
    _go(at, commit, journal)


def _go(at: Place, commit: str, journal: Journal) -> None:
    with announced(journal, "files", commit=commit):
        try:
            torn.advance(at.worktree, at.tip, commit)
        except GitFailed as failed:
            raise NotClean(at.worktree, in_the_way(failed)) from failed
    try:
        with announced(journal, "branch", commit=commit):
            refs.compare_and_swap(
                at.worktree, f"refs/heads/{at.branch}", commit, at.tip, why="gsd: bring the target in"
            )
    except refs.RefMoved:
        checkout.advance(at.worktree, commit, at.tip)
        clear(at, Note.CLEAN)
        raise
    with announced(journal, "done"):
        clear(at, Note.CLEAN)
