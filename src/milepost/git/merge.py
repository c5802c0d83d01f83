"""A milestone's merge into its target, as one transaction that never works in the user's checkout.

    commit → pin → merge → check → publish → checkout → push → remove-worktree → remove-branch

Nothing of the user's changes before `publish`. Killed anywhere, `land` run again goes on from what git has: what is
committed, pinned, published or removed already is found and not done twice. What slices of it landed before on their
own (`git.land_slice`) is not merged again; the milestone's commit then brings the rest, be it nothing.
Source: DESIGN rules 6 and 7, "Parallel"; spec auto 6.7; field-reports #1, #6.
"""

from collections.abc import Callable
from pathlib import Path

from milepost.git import proof, refs, removal, slices
from milepost.git.commits import ConflictsLeft, commit_unit
from milepost.git.land_commit import LandCommit, make
from milepost.git.land_finish import finish
from milepost.git.land_run import Run
from milepost.git.land_steps import TRIES, Moved, complete_published, mergeable, pin, published, stopped
from milepost.git.merge_plan import (
    CheckFailed,
    CheckResult,
    Conflicted,
    Journal,
    Landed,
    MergePlan,
    NothingToLand,
    Outcome,
    Refused,
)
from milepost.git.repo import in_progress, inspect
from milepost.git.status import look
from milepost.git.worktrees import reconcile
from milepost.rules.staging import excluded

__all__ = [
    "CheckFailed", "CheckResult", "Conflicted", "Journal", "Landed", "MergePlan", "NothingToLand", "Outcome",
    "Refused", "complete", "land",
]  # fmt: skip


def land(
    plan: MergePlan,
    *,
    journal: Journal,
    check: Callable[[Path], CheckResult] | None = None,
    bring_home: Callable[[], None] | None = None,
) -> Outcome:
    """Merge the milestone into its target, and clean up after proof. Safe to run again after a kill at any point.

    check: the pre-merge check, given a scratch checkout of the merged tree. bring_home: called before the worktree
    is removed. Expected endings are values; surprises are git's typed errors, CommitRefused and SigningFailed.
    """
    run = Run(plan=plan, journal=journal, check=check, bring_home=bring_home)
    try:
        if refused := complete_published(run):
            return refused
        tip = _commit_rest(run)
        landing = _landed_before(run, tip)
        if landing is not None:
            return finish(run, landing, None)
        if tip is None:
            return Refused(reason=f"there is no branch {plan.branch} to merge", hint="gsd status")
        pin(run, "tip", tip)
        return _merge(run, tip)
    except proof.NotLanded as undone:
        return Refused(reason=str(undone), hint=undone.hint)


def complete(plan: MergePlan, *, journal: Journal) -> Refused | None:
    """Let checkouts follow a landing that an earlier run published and was killed in; None: nothing is left of it.

    Until then a checkout of the target shows the project as it was before, and nobody may derive from it.
    """
    try:
        return complete_published(Run(plan=plan, journal=journal, check=None, bring_home=None))
    except proof.NotLanded as undone:
        return Refused(reason=str(undone), hint=undone.hint)


def _commit_rest(run: Run) -> str | None:
    """Commit what the worktree still has; the branch's tip, None when there is no branch."""
    plan = run.plan
    # What is missing from a half-removed worktree must not become a commit.
    removing = removal.being_removed(plan.root, plan.branch)
    if plan.worktree is not None and plan.worktree.exists() and not removing:
        with run.step("commit", branch=plan.branch) as facts:
            reconcile(inspect(plan.root), plan.worktree, plan.branch)
            _require_nothing_half_done(plan)
            message = plan.leftover_message or f"chore({plan.mid}): auto-commit before milestone merge\n"
            made = commit_unit(plan.worktree, branch=plan.branch, message=message, excluded=_exclusion(plan))
            facts["commit"] = made or ""
    return refs.branch_tip(plan.root, plan.branch)


def _require_nothing_half_done(plan: MergePlan) -> None:
    """A commit would conclude a merge, with whatever markers were added to the index. Files in conflict are named."""
    if plan.worktree is None or in_progress(plan.worktree) is None:
        return
    if not any(change.unmerged for change in look(plan.worktree, untracked=False).changes):
        raise ConflictsLeft(
            f"{plan.worktree}: a {in_progress(plan.worktree)} is half done here", hint=f"gsd parallel merge {plan.mid}"
        )


def _exclusion(plan: MergePlan) -> Callable[[str], str | None]:
    def reason(path: str) -> str | None:
        return excluded(path, milestone=plan.mid, commit_docs=plan.commit_docs, state_dir=plan.state_dir)

    return reason


def _landed_before(run: Run, tip: str | None) -> proof.Landing | None:
    """The landing of exactly this tip, or of a branch that is gone. Raises NotLanded when it was undone since."""
    plan = run.plan
    now = refs.branch_tip(plan.root, plan.target)
    if now is None:
        return None
    since = refs.merge_base(plan.root, tip, now) if tip else None
    found = proof.landings(plan.root, plan.mid, now, since=since)
    same = next((landing for landing in found if tip in (None, landing.tip)), None)
    if same is not None:
        proof.require_not_undone(plan.root, plan.mid, same, now)
    return same


def _merge(run: Run, tip: str) -> Outcome:
    for _ in range(TRIES):
        outcome = _try_to_merge(run, tip)
        if outcome is not None:
            return outcome
    return Refused(reason=f"{run.plan.target} moved {TRIES} times while it was merged into", hint="gsd auto")


def _try_to_merge(run: Run, tip: str) -> Outcome | None:
    """One attempt on the target as it is now; None when the target moved meanwhile."""
    plan = run.plan
    onto = refs.branch_tip(plan.root, plan.target)
    if onto is None:
        return Refused(reason=f"there is no branch {plan.target} to merge into", hint="gsd doctor")
    parts = slices.require_kept(plan.root, plan.mid, onto, tip)
    if not parts and refs.is_ancestor(plan.root, tip, onto):
        proof.landed(plan.root, plan.mid, plan.target, tip)
        return NothingToLand(reason=f"{plan.target} already contains {plan.branch} at {tip[:10]}")
    if refused := mergeable(plan, onto, tip):
        return refused
    with run.step("merge", onto=onto, tip=tip):
        made = make(plan, onto, tip, parts=tuple(sorted(part.slice for part in parts)))
    if not isinstance(made, LandCommit):
        return made
    if ended := stopped(run, made):
        return ended
    pin(run, "target", onto)
    failed = published(run, made)
    if failed is not None:
        return None if isinstance(failed, Moved) else failed
    return finish(run, proof.Landing(commit=made.commit, before=onto, tip=tip), made)
