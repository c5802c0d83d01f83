"""A target brought into a milestone's branch, in the milestone's worktree; the user's checkout has no part in it.

    begin(…)                 merge; what does not fit is said, or with leave=True left in the worktree
    unfinished(worktree)     whether a person, or a killed run, is in the middle of one
    conclude(…)              commit what a person resolved; refused while a marker is left
    abandon(worktree)        put the worktree back, and keep what was done in it

Planning files and built files are settled by the policy of a landing, so that only code is a person's business.
Source: DESIGN "Parallel"; parallel PR-122 to PR-124, PR-196, DV-16, FM-84 to FM-86, FM-98, FM-99.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import checkout, clean_merge, left_merge, refs
from milepost.git.abandon import take_away
from milepost.git.announce import untold
from milepost.git.bringing import NotClean, Note, Place, clear, forget_merge, merge_heads, note, place
from milepost.git.checkout import Blocked, in_the_way
from milepost.git.commits import WrongBranch, staging
from milepost.git.conclude import NothingToConclude, Unresolved, conclude, unresolved
from milepost.git.labels import named
from milepost.git.merge_plan import Journal
from milepost.git.merge_tree import Combined, Conflict, combine
from milepost.git.repo import in_progress
from milepost.git.resolve import Policy, Resolved, landing_policy, settle_by, unsettled
from milepost.git.resume_merge import resume, unfinished
from milepost.git.run import GitFailed, git
from milepost.git.stand_in import stand_in
from milepost.git.status import look
from milepost.git.tree_commit import commit_tree
from milepost.rules.staging import excluded

__all__ = [
    "Clean", "NoCommonHistory", "NotClean", "NothingToConclude", "Unfit", "Unresolved", "WrongBranch", "abandon",
    "begin", "conclude", "unfinished", "unresolved",
]  # fmt: skip

_STYLES = ("merge", "diff3", "zdiff3")


class NoCommonHistory(MilepostError):
    """Target and milestone branch share no commit; nothing was merged."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """The branch has the target."""

    commit: str | None
    """The merge, which is the branch's tip now; None when the branch had it already."""
    resolved: tuple[Resolved, ...] = ()
    """What policy settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Both sides changed the same code."""

    conflicts: tuple[Conflict, ...]
    left: bool = False
    """The merge stands in the worktree, for a person to resolve; otherwise nothing was changed."""
    resolved: tuple[Resolved, ...] = ()
    """What policy settles beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bringing:
    root: Path
    at: Place
    onto: str
    partner: str
    """What is merged in place of `onto`, with the same files."""
    mid: str
    policy: Policy
    target: str
    message: str
    journal: Journal

    @property
    def names(self) -> Mapping[str, str]:
        """What people call the commits that git is given."""
        return {self.at.tip: self.at.branch, self.partner: self.target}


def begin(
    root: Path,
    worktree: Path,
    branch: str,
    onto: str,
    *,
    mid: str,
    state_dir: str = ".gsd",
    generated: Sequence[str] = (),
    target: str = "",
    message: str = "",
    commit_docs: bool = True,
    leave: bool = False,
    journal: Journal = untold,
) -> Clean | Unfit:
    """Merge the commit `onto` into the milestone's branch. Safe to run again after a kill at any point.

    target: what people call `onto`, by default the branch that is there. message: of the merge commit. leave: put a
    merge that does not fit into the worktree, with markers and MERGE_HEAD. Raises NotClean, WrongBranch,
    NoCommonHistory, CommitRefused, SigningFailed or RefMoved, with nothing changed.
    """
    at = resume(place(worktree, branch), journal=journal)
    _require_no_other(at, onto)
    if refs.is_ancestor(worktree, onto, at.tip):
        return Clean(commit=None)
    called = target or _called(root, onto)
    standing = bool(merge_heads(worktree))
    if not standing:
        _require_clean(at, mid, commit_docs=commit_docs, state_dir=state_dir)
    if refs.merge_base(root, at.tip, onto) is None:
        raise NoCommonHistory(f"{called} has no history in common with {branch}", hint=f"git log --oneline {called}")
    bringing = _Bringing(
        root=root, at=at, onto=onto, partner=stand_in(root, mid, onto, at.tip), mid=mid,
        policy=landing_policy(mid=mid, state_dir=state_dir, generated=generated), target=called,
        message=message or f"merge({mid}): bring {called} in\n", journal=journal,
    )  # fmt: skip
    combined = _combined(bringing, "merge")
    files = unsettled(combined, bringing.policy)
    if not files and not standing:
        return _bring(bringing, combined)
    return _unfit(bringing, combined, files, leave=leave and not standing, standing=standing)


def abandon(worktree: Path, *, journal: Journal = untold) -> str | None:
    """Put the worktree back to its branch; the ref that keeps what was done there, None when no merge was half done.

    Files that the merge did not bring stay where they are. Safe to run again. Raises WrongBranch on a detached HEAD.
    """
    return take_away(place(worktree), journal=journal)


def _called(root: Path, onto: str) -> str:
    names = git(root, "for-each-ref", "--format=%(refname:short)", f"--points-at={onto}", "refs/heads").out.splitlines()
    return next((name for name in names if refs.may_integrate(name)), onto[:10])


def _require_no_other(at: Place, onto: str) -> None:
    """Nothing else may be half done here; a merge that was committed, but is still on record, is forgotten."""
    heads = merge_heads(at.worktree)
    if heads and all(refs.is_ancestor(at.worktree, head, at.tip) for head in heads):
        forget_merge(at.worktree)
        heads = ()
    if heads == (onto,):
        return
    if operation := in_progress(at.worktree):
        reason = f"a {operation} is half done here"
        raise NotClean(at.worktree, (Blocked(path="", reason=reason),), hint=f"gsd parallel merge {at.mid}")
    if note(at, Note.LEFT):
        clear(at, Note.LEFT)


def _require_clean(at: Place, mid: str, *, commit_docs: bool, state_dir: str) -> None:
    """Whatever a commit of this milestone would take must be committed first; the rest may stay."""
    chosen = staging(
        look(at.worktree), lambda path: excluded(path, milestone=mid, commit_docs=commit_docs, state_dir=state_dir)
    )
    found = [
        Blocked(path=c.path, reason="in conflict" if c.unmerged else "untracked" if c.untracked else "changed")
        for c in chosen.taken
    ]
    if found:
        raise NotClean(at.worktree, tuple(found), hint=f"Commit them in {at.worktree}, or move them away.")


def _combined(bringing: _Bringing, style: str) -> Combined:
    """The merge as it looks from the branch, with the sides named as everywhere."""
    found = combine(bringing.root, bringing.at.tip, bringing.partner, style=style)
    return replace(found, conflicts=tuple(map(_mirrored, found.conflicts)), milestone=bringing.at.tip)


def _mirrored(conflict: Conflict) -> Conflict:
    return replace(
        conflict,
        target=conflict.milestone, milestone=conflict.target,
        target_lines=conflict.milestone_lines, milestone_lines=conflict.target_lines,
    )  # fmt: skip


def _bring(bringing: _Bringing, combined: Combined) -> Clean:
    at = bringing.at
    settled = settle_by(bringing.root, combined, bringing.policy, keep=at.tip)
    what = f"the merge of {bringing.target} into {at.branch}"
    commit = commit_tree(at.worktree, settled.tree, (at.tip, bringing.onto), bringing.message, what=what)
    clean_merge.move(at, commit, journal=bringing.journal)
    return Clean(commit=commit, resolved=settled.resolved)


def _unfit(
    bringing: _Bringing, combined: Combined, files: tuple[Conflict, ...], *, leave: bool, standing: bool
) -> Unfit:
    styled = _combined(bringing, _style(bringing.at.worktree)) if leave else combined
    settled = settle_by(bringing.root, styled, bringing.policy, keep=bringing.at.tip)
    tree, shown = named(bringing.root, settled.tree, files, bringing.names)
    if leave:
        _leave(bringing, tree, shown)
    return Unfit(conflicts=shown, left=leave or standing, resolved=settled.resolved)


def _leave(bringing: _Bringing, tree: str, files: tuple[Conflict, ...]) -> None:
    at = bringing.at
    listed = "".join(f"#\t{conflict.path}\n" for conflict in files)
    message = f"{bringing.message.rstrip()}\n\n# Conflicts:\n{listed}"
    left = left_merge.compose(at, bringing.onto, tree, tuple(map(_mirrored, files)), message)
    if blocked := checkout.blockers(at.worktree, at.tip, left.commit):
        raise NotClean(at.worktree, blocked)
    try:
        left_merge.lay_out(at, left, journal=bringing.journal)
    except GitFailed as failed:
        raise NotClean(at.worktree, in_the_way(failed)) from failed


def _style(worktree: Path) -> str:
    wanted = git(worktree, "config", "--get", "merge.conflictStyle", ok=(0, 1)).line
    return wanted if wanted in _STYLES else "merge"
