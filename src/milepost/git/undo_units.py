"""Units of an open milestone taken back out of its branch, in its own worktree; the user's checkout has no part in it.

    revert(M001/S01/T02): take it back out

    GSD-Undone-Commit: 4be1…

What came later stays where it does not stand on what goes. The commits are found by their trailers, newest first; what
was reverted is not found again. Source: spec auto 7 (undo), DESIGN rules 6 and 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from milepost.git import refs
from milepost.git.merge_tree import Conflict
from milepost.git.proof import UNDONE
from milepost.git.reverse import reverse
from milepost.git.run import git, raw
from milepost.git.snapshots import private_index
from milepost.git.tree_commit import commit_tree

UNIT = "GSD-Unit"
_NOBODY = ""
"""In a conflict, planning files stay as they are now; their boxes are set apart from that."""


class Made(NamedTuple):
    """A unit's commit."""

    commit: str
    unit: str
    """`execute-task M001/S01/T02`, as in the trailer."""
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """A branch without some commits. `conflicts`: later work stands on them, and `tree` is of no use."""

    tip: str
    tree: str
    conflicts: tuple[Conflict, ...] = ()


def made(where: Path, base: str, branch: str) -> tuple[Made, ...]:
    """The commits of units on `branch` since `base`, newest first, without those that were taken back out."""
    unit, undone = (f"%(trailers:key={key},valueonly,separator=%x2C)" for key in (UNIT, UNDONE))
    form = f"%H%x1f{unit}%x1f{undone}%x1f%s"
    lines = git(where, "log", f"--format={form}", f"{base}..refs/heads/{branch}").out.splitlines()
    found, gone = [], set[str]()
    for line in lines:
        commit, units, reverted, subject = line.split("\x1f", 3)
        gone.update(part for part in reverted.split(",") if part)
        if units:
            found.append(Made(commit, units.split(",")[0], subject))
    return tuple(one for one in found if one.commit not in gone)


def without(where: Path, tip: str, commits: Sequence[str], *, state_dir: str, generated: Sequence[str]) -> Without:
    """What the branch would be. Changes nothing."""
    found = reverse(where, tip, commits, mid=_NOBODY, state_dir=state_dir, generated=generated)
    return Without(tip=tip, tree=found.tree, conflicts=found.conflicts)


def text_in(where: Path, tree: str, path: str) -> str | None:
    """A file's text in a tree; None when it has none."""
    done = git(where, "cat-file", "blob", f"{tree}:{path}", ok=(0, 128))
    return done.out if done.code == 0 else None


def with_files(where: Path, tree: str, texts: Mapping[str, str | None]) -> str:
    """The tree with these files written, or removed (None)."""
    if not texts:
        return tree
    with private_index(where, like=tree) as index:
        for path, text in texts.items():
            if text is None:
                git(where, "update-index", "--force-remove", "--", path, index=index)
            else:
                blob = git(where, "hash-object", "-w", "--stdin", stdin=raw(text)).line
                git(where, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        return git(where, "write-tree", index=index).line


def commit(where: Path, mid: str, found: Without, tree: str, commits: Sequence[str], *, what: str) -> str:
    """Commit the tree on the branch that is checked out at `where`, which is clean; its files follow.

    The former tip is pinned. what: `M001/S01/T02`. Raises CommitRefused, SigningFailed or GitFailed.
    """
    refs.pin(where, mid, "undo", found.tip)
    reverts = "\n".join(f"This reverts commit {one}." for one in commits)
    message = f"revert({what}): take it back out\n\n{reverts}\n"
    trailers = [f"{UNDONE}: {one}" for one in commits]
    new = commit_tree(
        where, tree, (found.tip,), message, what=f"the commit that takes {what} back out", trailers=trailers
    )
    git(where, "merge", "--ff-only", "--quiet", new)
    return new
