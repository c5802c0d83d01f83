"""Units of a milestone taken back out of the branch that has their commits, wherever that is checked out.

    revert(M001/S01/T02): take it back out

    GSD-Undone-Commit: 4be1…

What came later stays where it does not stand on what goes. The commits are found by their trailers, newest first; what
was reverted is not found again. In a checkout that is the user's too, only files of those commits are touched, and none
that has a change of theirs. Source: spec auto 7 (undo), DESIGN rules 6 and 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from milepost.errors import ExitCode, MilepostError
from milepost.git import checkout, refs
from milepost.git.checkout import Blocked
from milepost.git.merge_tree import Conflict
from milepost.git.proof import UNDONE
from milepost.git.reverse import reverse
from milepost.git.run import GitFailed, git, raw
from milepost.git.snapshots import private_index
from milepost.git.tree_commit import commit_tree

UNIT = "GSD-Unit"
_NOBODY = ""
"""In a conflict, planning files stay as they are now; their boxes are set apart from that."""


class InTheWay(MilepostError):
    """A file was changed while it was to be taken back; nothing was moved."""

    exit_code = ExitCode.BLOCKED


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
    """The commits of units on `branch` since `base`, newest first, without those that were taken back out.

    base: a commit; empty for the whole history, where people's commits lie between those of units.
    """
    unit, undone = (f"%(trailers:key={key},valueonly,separator=%x2C)" for key in (UNIT, UNDONE))
    form = f"%H%x1f{unit}%x1f{undone}%x1f%s"
    since = f"{base}..refs/heads/{branch}" if base else f"refs/heads/{branch}"
    chosen = [f"--grep=^{key}: " for key in (UNIT, UNDONE)]
    lines = git(where, "log", "--topo-order", *chosen, f"--format={form}", since, "--").out.splitlines()
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


def in_the_way(where: Path, found: Without, tree: str) -> tuple[Blocked, ...]:
    """What of the user's lies where the checkout would change from the branch's tip to `tree`. Changes nothing."""
    with private_index(where) as index:
        return checkout.blockers(where, found.tip, tree, index=index)


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
    """Commit the tree on the branch that is checked out at `where`, with nothing in the way; its files follow.

    The former tip is pinned. what: `M001/S01/T02`. Raises InTheWay, CommitRefused or SigningFailed.
    """
    refs.pin(where, mid, "undo", found.tip)
    reverts = "\n".join(f"This reverts commit {one}." for one in commits)
    message = f"revert({what}): take it back out\n\n{reverts}\n"
    trailers = [f"{UNDONE}: {one}" for one in commits]
    new = commit_tree(
        where, tree, (found.tip,), message, what=f"the commit that takes {what} back out", trailers=trailers
    )
    try:
        # Left to themselves, git puts local changes aside here where the user likes that, and overwrites ignored files.
        git(where, "-c", "merge.autoStash=false", "merge", "--ff-only", "--no-overwrite-ignore", "--quiet", new)
    except GitFailed as failed:
        paths = ", ".join(str(blocked) for blocked in checkout.in_the_way(failed))
        raise InTheWay(f"{what} stays: {paths}", hint="Commit it or move it away, and undo again.") from failed
    return new
