"""Whether a milestone's work is on its target now: the only thing that allows deleting its worktree or branch.

A landing is found by its trailers, `GSD-Milestone` and `GSD-Tip`, not by names or by git's idea of `merged`. One
slice that landed on its own has `GSD-Slice: M001/S01` instead of the first, a quick task `GSD-Quick`.
Source: spec auto 6.7, 8.5 rule 4; field-reports #1, #29.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import refs
from milepost.git.merge_tree import Differing, differences
from milepost.git.run import git
from milepost.model.work import is_quick

MILESTONE = "GSD-Milestone"
QUICK = "GSD-Quick"
"""In place of the first for a quick task."""
SLICE = "GSD-Slice"
BRANCH = "GSD-Branch"
TIP = "GSD-Tip"
UNDO = "GSD-Undo"
"""Carries the milestone that a commit takes back out."""
UNDONE = "GSD-Undone-Commit"
"""Carries a commit that it takes back; one line for each."""

_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")


class NotLanded(MilepostError):
    """The work is not proved to be on the target, so nothing of it may be deleted."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """A commit on the target that brought a milestone."""

    commit: str
    before: str
    """The target's commit it was made on."""
    tip: str
    """What the milestone's branch was."""
    slice: str = ""
    """The slice that landed on its own; empty for the milestone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A commit on the target that took a milestone back out."""

    commit: str
    before: str
    """The target's commit it was made on."""
    undone: tuple[str, ...]
    """The landings that it takes back, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Made only by `landed`: `tip` is in `target` by `commit`, and was not undone."""

    target: str
    tip: str
    commit: str


def landings(where: Path, mid: str, target: str, *, since: str | None = None) -> tuple[Landing, ...]:
    """The commits on `target` (after `since`) that landed this milestone, newest first."""
    return tuple(landing for landing in history(where, mid, target, since=since) if not landing.slice)


def history(where: Path, mid: str, target: str, *, since: str | None = None) -> tuple[Landing, ...]:
    """The commits on `target` (after `since`) that landed this milestone or slices of it, newest first."""
    # What is between two commits never changes, and one landing asks for it several times.
    ask = _history if since and _ID.match(since) and _ID.match(target) else _history.__wrapped__
    return ask(where, mid, target, since)


@lru_cache(maxsize=64)
def _history(where: Path, mid: str, target: str, since: str | None) -> tuple[Landing, ...]:
    trailers = "%x00".join(f"%(trailers:key={key},valueonly,separator=%x2C)" for key in (TIP, _key(mid), SLICE))
    asked = ("--fixed-strings", f"--grep={whole(mid)}", f"--grep={SLICE}: {mid}/")
    span = f"{since}..{target}" if since else target
    found = []
    for line in git(where, "log", f"--format=%H%x00%P%x00{trailers}", *asked, span, "--").out.splitlines():
        commit, parents, tip, milestone, piece = line.split("\0")
        whose, _, slice_id = piece.partition("/")
        if mid in (milestone, whose) and tip and parents:
            found.append(Landing(commit=commit, before=parents.split(" ")[0], tip=tip, slice=slice_id))
    return tuple(found)


def whole(mid: str) -> str:
    """The trailer that says that all of it landed: `GSD-Milestone: M001`, `GSD-Quick: quick-1-fix-the-typo`."""
    return f"{_key(mid)}: {mid}"


def _key(mid: str) -> str:
    return QUICK if is_quick(mid) else MILESTONE


def undos(where: Path, mid: str, target: str, *, since: str | None = None) -> tuple[Undo, ...]:
    """The commits on `target` (after `since`) that took this milestone back out, newest first."""
    trailers = "%x00".join(f"%(trailers:key={key},valueonly,separator=%x2C)" for key in (UNDONE, UNDO))
    form = f"--format=%H%x00%P%x00{trailers}"
    span = f"{since}..{target}" if since else target
    found = []
    for line in git(where, "log", form, "--fixed-strings", f"--grep={UNDO}: {mid}", span, "--").out.splitlines():
        commit, parents, undone, milestone = line.split("\0")
        if milestone == mid and undone and parents:
            found.append(Undo(commit=commit, before=parents.split(" ")[0], undone=tuple(undone.split(","))))
    return tuple(found)


def undone_by(where: Path, commit: str, now: str) -> str | None:
    """The commit that took `commit` back out of the target at `now`, if it still holds; None when nothing did.

    It says so itself: by our trailer, or as `git revert` words it.
    """
    asked = ("--fixed-strings", f"--grep={UNDONE}: {commit}", f"--grep=This reverts commit {commit}")
    found = git(where, "log", "--format=%H", *asked, f"{commit}..{now}", "--").out.splitlines()
    return next((taken for taken in found if holds(where, taken, now)), None)


def holds(where: Path, undo: str, now: str) -> bool:
    """Whether what a commit took out is still out at `now`: it was not reverted, in words or file by file."""
    before = refs.resolve(where, f"{undo}^1")
    restored = before is not None and _restored(where, before, undo, now)
    return not restored and undone_by(where, undo, now) is None


def landed(where: Path, mid: str, target: str, tip: str) -> Proof:
    """Prove that `target` (a branch) contains what `tip` brought. Raises NotLanded."""
    now = refs.branch_tip(where, target)
    if now is None:
        raise NotLanded(f"there is no branch {target} that could contain {mid}", hint="gsd doctor")
    for landing in landings(where, mid, now, since=refs.merge_base(where, tip, now)):
        if landing.tip == tip:
            require_not_undone(where, mid, landing, now)
            return Proof(target=target, tip=tip, commit=landing.commit)
    if refs.is_ancestor(where, tip, now):
        _require_not_reverted(where, mid, tip, now)
        return Proof(target=target, tip=tip, commit=tip)
    raise NotLanded(f"{target} does not contain {mid} at {tip[:10]}", hint="gsd auto merges it")


def require_not_undone(where: Path, mid: str, landing: Landing, now: str) -> None:
    """Raise NotLanded when the landing was taken back out, or every file that it changed is again what it was."""
    if undo := undone_by(where, landing.commit, now):
        raise NotLanded(
            f"{mid} was landed as {landing.commit[:10]}, and is not on the target any more: {undo[:10]} took it back",
            hint=f"To have it back: git revert {undo[:10]}; it is also kept under {refs.BACKUPS}/{mid}/",
        )
    if _restored(where, landing.before, landing.commit, now):
        raise NotLanded(
            f"{mid} was landed as {landing.commit[:10]}, and is not on the target any more: it was reverted there",
            hint=f"To have it back, revert the revert; it is kept on its branch and under {refs.BACKUPS}/{mid}/",
        )


def _restored(where: Path, before: str, commit: str, now: str) -> bool:
    """Whether every file that `commit` changed is at `now` what it was `before` it."""
    brought = {change.path: change for change in differences(where, before, commit)}
    since = {change.path: change for change in differences(where, commit, now)}
    return bool(brought) and all(_undone(change, since.get(path)) for path, change in brought.items())


def _undone(brought: Differing, later: Differing | None) -> bool:
    return later is not None and later.new == brought.old


def _require_not_reverted(where: Path, mid: str, tip: str, now: str) -> None:
    """For a branch that was merged by other means: no commit since says that it reverts one of it."""
    texts = git(where, "log", "--format=%B", "--grep=This reverts commit", f"{tip}..{now}", "--").out
    for commit in _REVERTS.findall(texts):
        known = refs.resolve(where, commit)
        if known and (refs.is_ancestor(where, known, tip) or _merged(where, known, tip)):
            raise NotLanded(
                f"{mid} was merged and then reverted ({commit[:10]}); it is not on the target any more",
                hint="To have it back, revert the revert.",
            )


def _merged(where: Path, commit: str, tip: str) -> bool:
    """Whether `commit` is the merge that brought `tip`."""
    parents = git(where, "rev-list", "--parents", "-n", "1", commit).out.split()[1:]
    return len(parents) > 1 and any(refs.is_ancestor(where, tip, parent) for parent in parents[1:])
