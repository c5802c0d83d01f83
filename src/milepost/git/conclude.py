"""A merge that a person resolved in a milestone's worktree becomes a commit, unless a marker is left anywhere.

Hooks run and signing is respected, as for any commit of a person's work.
Source: parallel PR-124, PR-196, DV-16, FM-84, FM-97.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import refs
from milepost.git.announce import announced, untold
from milepost.git.bringing import Note, Place, clear, forget_merge, merge_heads, place, restage
from milepost.git.commits import commit_index
from milepost.git.entries import enter
from milepost.git.left_merge import Left, read
from milepost.git.merge_plan import Journal
from milepost.git.merge_tree import entry_at
from milepost.git.places_left import places_left
from milepost.git.resume_merge import resume
from milepost.git.run import fields, git
from milepost.git.status import Change, look
from milepost.rules.staging import excluded


class Unresolved(MilepostError):
    """The merge in a milestone's worktree is not resolved; nothing was committed.

    `places`: `path:line` of each marker that is left; line 1 for a file that nobody has decided on.
    """

    exit_code = ExitCode.BLOCKED

    def __init__(self, worktree: Path, places: tuple[str, ...], mid: str) -> None:
        shown = ", ".join(places[:8]) + (" …" if len(places) > 8 else "")
        super().__init__(
            f"{worktree}: {len(places)} place{'s' * (len(places) != 1)} in conflict left: {shown}",
            hint=f"Edit them, or git add what is to stay as it is, then: gsd parallel merge {mid}",
        )
        self.places = places


class NothingToConclude(MilepostError):
    """No merge is half done in the worktree."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merge:
    at: Place
    onto: str
    left: Left | None
    reason: Callable[[str], str | None]
    """Why a path may not be committed."""

    @property
    def conflicting(self) -> frozenset[str]:
        """Files that we left in conflict; a person's decision on them counts, whatever they are."""
        return frozenset(self.left.paths if self.left else ())


def unresolved(worktree: Path, *, state_dir: str = ".gsd", commit_docs: bool = True) -> tuple[str, ...]:
    """What still stands against committing the merge that is half done, as `path:line`; changes nothing."""
    at = place(worktree)
    heads = merge_heads(worktree)
    return _places(_merge(at, heads[0], state_dir, commit_docs)) if heads else ()


def conclude(
    worktree: Path,
    branch: str,
    message: str,
    *,
    state_dir: str = ".gsd",
    commit_docs: bool = True,
    journal: Journal = untold,
) -> str:
    """Commit the merge that is half done in the worktree, resolved; the branch's new tip.

    What a person changed besides is taken too, apart from what no commit of this milestone takes. Safe to run again.
    Raises Unresolved, NothingToConclude, WrongBranch, CommitRefused or SigningFailed with nothing committed.
    """
    at = place(worktree, branch)
    now = resume(at, journal=journal)
    heads = tuple(head for head in merge_heads(worktree) if not refs.is_ancestor(worktree, head, now.tip))
    if not heads:
        forget_merge(worktree)
        return _concluded(at, now)
    merge = _merge(now, heads[0], state_dir, commit_docs)
    if places := _places(merge):
        raise Unresolved(worktree, places, now.mid)
    with announced(journal, "stage"):
        _stage(merge)
    with announced(journal, "commit"):
        commit = commit_index(worktree, message)
    clear(now, Note.LEFT)
    return commit


def _concluded(before: Place, now: Place) -> str:
    """The tip, when it is the merge that was wanted: an earlier run, or a person, has committed it."""
    merged = len(git(now.worktree, "rev-list", "--parents", "-n", "1", now.tip).out.split()) > 2
    if now.tip == before.tip and not merged:
        raise NothingToConclude(f"{now.worktree}: no merge is half done here", hint="gsd parallel status")
    clear(now, Note.LEFT)
    return now.tip


def _merge(at: Place, onto: str, state_dir: str, commit_docs: bool) -> _Merge:
    left = read(at, Note.LEFT)

    def reason(path: str) -> str | None:
        return excluded(path, milestone=at.mid, commit_docs=commit_docs, state_dir=state_dir)

    return _Merge(at=at, onto=onto, left=left if left and left.onto == onto else None, reason=reason)


def _places(merge: _Merge) -> tuple[str, ...]:
    changes = look(merge.at.worktree).changes
    brought = _as_on(merge, merge.onto)
    own = {c.path for c in changes if _worked_on(c) or (c.staged and c.path not in brought)}
    unmerged = {change.path for change in changes if change.unmerged}
    taken = {path for path in own if merge.reason(path) is None}
    wanted = sorted(taken | merge.conflicting)
    return places_left(merge.at, merge.onto, merge.left, wanted, unmerged)


def _worked_on(change: Change) -> bool:
    return change.untracked or change.worktree != "." or change.unmerged


def _as_on(merge: _Merge, commit: str) -> set[str]:
    """Staged paths that are as `commit` has them, among those that differ from the branch."""
    asked = ("diff-index", "--cached", "--name-only", "--no-renames", "-z")
    on_branch = set(fields(git(merge.at.worktree, *asked, merge.at.tip).out))
    return on_branch - set(fields(git(merge.at.worktree, *asked, commit).out))


def _stage(merge: _Merge) -> None:
    """Enter what a person did; what may not be committed goes in as the merge itself has it."""
    changes = look(merge.at.worktree).changes
    held = [c for c in changes if merge.reason(c.path) is not None and c.path not in merge.conflicting]
    names = {change.path for change in held}
    own = [c.path for c in changes if _worked_on(c) and c.path not in names and not (c.nested and c.untracked)]
    enter(merge.at.worktree, own)
    brought = _as_on(merge, merge.left.commit if merge.left else merge.onto)
    strayed = [c.path for c in held if c.unmerged or (c.staged and c.path not in brought)]
    settled = {path: entry_at(merge.at.worktree, _source(merge), path) for path in strayed}
    restage(merge.at.worktree, {path: ((e.mode, e.blob, 0),) if e else () for path, e in settled.items()})


def _source(merge: _Merge) -> str:
    return merge.left.commit if merge.left else merge.onto
