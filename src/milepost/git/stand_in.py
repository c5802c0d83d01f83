"""What a milestone's branch is really merged with, when its own earlier landings hide what git would compare with.

    main   o──────S──────U      S: the milestone, squashed; U: taken back out
            \\
    branch   a──b──c──d         S brought a, b and c, and git does not know

A squash leaves no trace in git's ancestry, so that what landed before would be merged once more. A landing by a merge
commit leaves one that outlives its undoing, so that what was taken out would be taken out of the branch too. In both
cases the target's files are given to a commit with the right parent, and that is merged. Slices that landed on their
own count as landings here.
Source: DESIGN "Parallel"; field-reports 5 ("Branch from before a squash"); parallel PR-064.
"""

from collections.abc import Mapping
from pathlib import Path

from milepost.git import proof, refs
from milepost.git.run import git


def stand_in(root: Path, mid: str, onto: str, tip: str, *, env: Mapping[str, str] | None = None) -> str:
    """The commit to merge `tip` with: `onto`, or one that no ref knows with the same files and other parents.

    env: as for `git`, when nothing may be left in the repository (`git.aside`).
    """
    since = refs.merge_base(root, tip, onto)
    landed = _landed_tip(root, mid, onto, tip, since)
    base = landed or _before_undone(root, mid, onto, tip, since)
    if base is None or base == since:
        return onto
    # What the branch knows of the target by other ways stays known; of what was undone nothing may.
    parents = ("-p", base, "-p", onto) if landed else ("-p", base)
    return git(root, "commit-tree", f"{onto}^{{tree}}", *parents, "-m", "target", env=env).line


def _landed_tip(root: Path, mid: str, onto: str, tip: str, since: str | None) -> str | None:
    """The part of the branch that the target has by its newest landing that still holds."""
    for landing in proof.history(root, mid, onto, since=since):
        known = refs.resolve(root, landing.tip) is not None
        if known and refs.is_ancestor(root, landing.tip, tip) and not _undone(root, mid, landing, onto):
            return landing.tip
    return None


def _before_undone(root: Path, mid: str, onto: str, tip: str, since: str | None) -> str | None:
    """What the branch and the target had in common before the oldest landing that does not hold any more."""
    gone = [
        landing.before for landing in proof.history(root, mid, onto, since=since) if _undone(root, mid, landing, onto)
    ]
    for undo in proof.undos(root, mid, onto, since=since):
        if proof.holds(root, undo.commit, onto):
            gone += [before for commit in undo.undone if (before := refs.resolve(root, f"{commit}^1"))]
    base: str | None = None
    for before in gone:
        found = refs.merge_base(root, before, tip)
        if found is not None and (base is None or refs.is_ancestor(root, found, base)):
            base = found
    return base


def _undone(root: Path, mid: str, landing: proof.Landing, onto: str) -> bool:
    try:
        proof.require_not_undone(root, mid, landing, onto)
    except proof.NotLanded:
        return True
    return False
