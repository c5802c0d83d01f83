"""A landed milestone taken back out of its target, without a checkout.

    complete → merge → pin → publish → checkout → push

    revert(M002): take Feed store back out

    This reverts commit 4be1…

    GSD-Undo: M002
    GSD-Undone-Commit: 4be1…

What came later stays: the landing is reversed and merged, it is not removed from the history. Nothing of the user's
changes before `publish`, and what `git.merge.land` knows about checkouts and kills holds here as well.
Source: DESIGN rules 6 and 7 (`gsd undo milestone M002`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from milepost.git import merge, proof, publish, refs
from milepost.git.announce import announced, untold
from milepost.git.checkout import Blocked
from milepost.git.hold import IndexBusy
from milepost.git.land_steps import Moved
from milepost.git.merge_plan import Journal, MergePlan, Refused
from milepost.git.merge_tree import Conflict
from milepost.git.push import push
from milepost.git.reverse import Reversed, reverse
from milepost.git.run import git
from milepost.git.tree_commit import commit_tree

__all__ = ["Conflicted", "Refused", "Undone", "landed_commits", "undo"]

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The target does not have the milestone any more."""

    commit: str
    """The commit that takes it out."""
    target: str
    before: str
    """What the target was; kept under `refs/gsd/backup/<MID>/`."""
    landed: tuple[str, ...]
    """The commits that were taken out, newest first."""
    settled: tuple[str, ...] = ()
    """Files that others changed since, and what was done with them, for people."""
    already: bool = False
    """An earlier run had done it, and this one finished what was left."""
    pushed: bool = False
    push_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicted:
    """Later work stands on the milestone's. Nothing was touched."""

    files: tuple[Conflict, ...]
    """`milestone` is the version without the milestone."""
    details: tuple[str, ...]
    """The same in words, with lines of the target's version."""
    target: str
    hint: str


Outcome: TypeAlias = Undone | Conflicted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Undoing:
    root: Path
    mid: str
    target: str
    title: str
    state_dir: str
    generated: tuple[str, ...]
    push_to: str | None
    journal: Journal


def landed_commits(root: Path, mid: str, target: str) -> tuple[str, ...]:
    """The commits by which a milestone, or slices of it, are on the target now, newest first."""
    now = refs.branch_tip(root, target)
    found = proof.history(root, mid, now) if now else ()
    return tuple(landing.commit for landing in found if now and _is_there(root, mid, landing, now))


def undo(
    root: Path,
    mid: str,
    target: str,
    landed: str | Sequence[str],
    *,
    title: str = "",
    state_dir: str = ".gsd",
    generated: Sequence[str] = (),
    push_to: str | None = None,
    journal: Journal = untold,
) -> Outcome:
    """Take what these commits brought out of `target`. Safe to run again after a kill at any point.

    landed: the milestone's landing, or several with those of its slices. title: the milestone's. generated: patterns
    of built files, which stay as the target has them when they conflict. push_to: the remote to push to. Raises
    CommitRefused when the commit-msg hook refuses, SigningFailed when signing would ask somebody.
    """
    undoing = _Undoing(
        root=root, mid=mid, target=target, title=title, state_dir=state_dir, generated=tuple(generated),
        push_to=push_to, journal=journal,
    )  # fmt: skip
    commits = tuple(dict.fromkeys([landed] if isinstance(landed, str) else landed))
    if refused := _complete(undoing):
        return refused
    for _ in range(_TRIES):
        outcome = _try(undoing, commits)
        if outcome is not None:
            return outcome
    return Refused(reason=f"{target} moved {_TRIES} times meanwhile", hint=_again(undoing))


def _is_there(root: Path, mid: str, landing: proof.Landing, now: str) -> bool:
    try:
        proof.require_not_undone(root, mid, landing, now)
    except proof.NotLanded:
        return False
    return True


def _complete(undoing: _Undoing) -> Refused | None:
    """Let checkouts follow what an earlier run published, a landing or an undoing."""
    plan = MergePlan(
        root=undoing.root, mid=undoing.mid, branch=f"milestone/{undoing.mid}", target=undoing.target, message="",
        worktree=None, state_dir=undoing.state_dir,
    )  # fmt: skip
    return merge.complete(plan, journal=undoing.journal)


def _try(undoing: _Undoing, commits: tuple[str, ...]) -> Outcome | None:
    """One attempt on the target as it is now; None when the target moved meanwhile."""
    root, target = undoing.root, undoing.target
    now = refs.branch_tip(root, target)
    if now is None:
        return Refused(reason=f"there is no branch {target}", hint="gsd doctor")
    missing = [commit for commit in commits if not _contains(root, commit, now)]
    if missing or not commits:
        names = ", ".join(commit[:10] for commit in missing) or undoing.mid
        return Refused(reason=f"{target} does not have {names}, so there is nothing to take out", hint="gsd status")
    takers = {commit: proof.undone_by(root, commit, now) for commit in commits}
    wanted = _newest_first(root, [commit for commit, taker in takers.items() if taker is None])
    if not wanted:
        return _done_before(undoing, tuple(taker for taker in takers.values() if taker), commits)
    with announced(undoing.journal, "merge", onto=now):
        found = reverse(root, now, wanted, mid=undoing.mid, state_dir=undoing.state_dir, generated=undoing.generated)
    if found.conflicts:
        return _conflicted(undoing, found, wanted)
    if found.tree == git(root, "rev-parse", f"{now}^{{tree}}").line:
        return Refused(reason=f"{target} has nothing of {undoing.mid} any more", hint="gsd status")
    return _publish(undoing, now, wanted, found)


def _contains(root: Path, commit: str, now: str) -> bool:
    return refs.resolve(root, f"{commit}^1") is not None and refs.is_ancestor(root, commit, now)


def _newest_first(root: Path, commits: list[str]) -> tuple[str, ...]:
    """A commit before those that it contains."""
    if len(commits) < 2:
        return tuple(commits)
    contained = {one: sum(refs.is_ancestor(root, other, one) for other in commits) for one in commits}
    return tuple(sorted(commits, key=lambda one: -contained[one]))


def _done_before(undoing: _Undoing, takers: tuple[str, ...], commits: tuple[str, ...]) -> Undone:
    taker = takers[0]
    before = refs.resolve(undoing.root, f"{taker}^1") or ""
    error = _pushed(undoing, taker)
    return Undone(
        commit=taker, target=undoing.target, before=before, landed=commits, already=True,
        pushed=undoing.push_to is not None and not error, push_error=error,
    )  # fmt: skip


def _conflicted(undoing: _Undoing, found: Reversed, wanted: tuple[str, ...]) -> Conflicted:
    parents = git(undoing.root, "rev-list", "--parents", "-n", "1", wanted[0]).out.split()[1:]
    mainline = "-m 1 " if len(parents) > 1 else ""
    return Conflicted(
        files=found.conflicts,
        details=found.details,
        target=undoing.target,
        hint=f"By hand, on {undoing.target}: git revert {mainline}{' '.join(commit[:10] for commit in wanted)}",
    )


def _publish(undoing: _Undoing, now: str, wanted: tuple[str, ...], found: Reversed) -> Outcome | None:
    root, mid, target = undoing.root, undoing.mid, undoing.target
    commit = _commit(undoing, now, wanted, found.tree)
    if blocked := publish.obstacles(root, target, now, commit):
        return _in_the_way(undoing, blocked)
    with announced(undoing.journal, "pin", commit=now):
        refs.pin(root, mid, "target", now)
    try:
        ended = _move(undoing, commit, now)
    except (IndexBusy, publish.Behind) as stopped:
        return Refused(reason=str(stopped), hint=stopped.hint or _again(undoing))
    if isinstance(ended, Moved):
        return None
    if ended is not None:
        return ended
    publish.forget_note(root, mid, commit)
    error = _pushed(undoing, commit)
    return Undone(
        commit=commit, target=target, before=now, landed=wanted, settled=found.settled,
        pushed=undoing.push_to is not None and not error, push_error=error,
    )  # fmt: skip


def _move(undoing: _Undoing, commit: str, now: str) -> Moved | Refused | None:
    """Move the target and let its checkouts follow; None when both are done."""
    root, mid, target = undoing.root, undoing.mid, undoing.target
    with publish.holding(root, target) as holds:
        if refs.branch_tip(root, target) != now:
            return Moved()
        if blocked := publish.still_in_the_way(root, holds, target, now, commit):
            return _in_the_way(undoing, blocked)
        try:
            with announced(undoing.journal, "publish", commit=commit, onto=now):
                publish.publish(root, mid, target, commit, now, why=f"gsd: undo {mid}")
        except refs.RefMoved:
            return Moved()
        with announced(undoing.journal, "checkout", commit=commit):
            behind = publish.follow(holds, now, commit)
        if behind:
            return _taken_back(undoing, commit, now, behind)
    return None


def _in_the_way(undoing: _Undoing, blocked: tuple[Blocked, ...]) -> Refused:
    return Refused(
        reason=f"your checkout of {undoing.target} has changes in files that taking {undoing.mid} out changes too",
        paths=blocked,
        hint=f"Commit them or move them away, then: {_again(undoing)}",
    )


def _commit(undoing: _Undoing, now: str, wanted: tuple[str, ...], tree: str) -> str:
    reverts = "\n".join(f"This reverts commit {commit}." for commit in wanted)
    message = f"revert({undoing.mid}): take {undoing.title or 'it'} back out\n\n{reverts}\n"
    trailers = (f"{proof.UNDO}: {undoing.mid}", *(f"{proof.UNDONE}: {commit}" for commit in wanted))
    what = f"the commit that takes {undoing.mid} back out"
    return commit_tree(undoing.root, tree, (now,), message, what=what, trailers=trailers)


def _taken_back(undoing: _Undoing, commit: str, now: str, blocked: tuple[Blocked, ...]) -> Refused:
    """A checkout could not follow: the target goes back to where it was, unless somebody has built on it already."""
    reason = f"your checkout of {undoing.target} was changed while {undoing.mid} was taken out"
    try:
        publish.take_back(undoing.root, undoing.mid, undoing.target, commit, now)
    except refs.RefMoved:
        return Refused(reason=f"{reason}; it is out, the checkout is behind", paths=blocked, hint=_again(undoing))
    return Refused(reason=f"{reason}; nothing was moved", paths=blocked, hint=_again(undoing))


def _pushed(undoing: _Undoing, commit: str) -> str:
    if undoing.push_to is None:
        return ""
    with announced(undoing.journal, "push", commit=commit, remote=undoing.push_to):
        return push(undoing.root, undoing.push_to, undoing.target, commit)


def _again(undoing: _Undoing) -> str:
    return f"gsd undo milestone {undoing.mid}"
