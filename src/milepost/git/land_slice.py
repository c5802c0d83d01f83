"""One slice's work on the target, while the milestone goes on in its worktree (`merge_strategy: per-slice`).

    pin → merge → check → pin → publish → checkout → push → link

The commit `feat(M001/S01): …` carries `GSD-Slice`, never `GSD-Milestone`: the milestone has not landed. Neither its
branch nor its worktree is touched, for a worker is at work there; the link (`git.slices`) is what the branch takes up
later, at a boundary. Killed anywhere, `land_slice` run again goes on from what git has.
Source: parallel PR-064, DV-03; DESIGN rules 6 and 7, "Parallel".
"""

from collections.abc import Callable
from pathlib import Path

from milepost.git import proof, refs, slices
from milepost.git.land_commit import LandCommit, make
from milepost.git.land_finish import pushed
from milepost.git.land_run import Run
from milepost.git.land_steps import TRIES, Moved, complete_published, mergeable, pin, published, stopped
from milepost.git.merge_plan import (
    CheckFailed,
    CheckResult,
    Conflicted,
    Journal,
    MergePlan,
    NothingToLand,
    Refused,
    SliceLanding,
    SliceOutcome,
)

__all__ = [
    "CheckFailed", "CheckResult", "Conflicted", "Journal", "MergePlan", "NothingToLand", "Refused", "SliceLanding",
    "SliceOutcome", "land_slice",
]  # fmt: skip


def land_slice(
    plan: MergePlan,
    slice_id: str,
    commit: str,
    *,
    journal: Journal,
    check: Callable[[Path], CheckResult] | None = None,
) -> SliceOutcome:
    """Bring the state of one slice to the target. Safe to run again after a kill at any point, and after it landed.

    plan: the milestone's, with the slice's own subject and body as `message`. commit: what the branch was when the
    slice was done. check: as for `merge.land`. Expected endings are values; raises as `merge.land` does.
    """
    run = Run(plan=plan, journal=journal, check=check, slice=slice_id)
    try:
        if refused := complete_published(run):
            return refused
        if landing := _landed_before(run, commit):
            return _finish(run, landing, None)
        if refused := _not_of_branch(run, commit):
            return refused
        pin(run, f"{slice_id}-tip", commit)
        return _merge(run, commit)
    except proof.NotLanded as undone:
        return Refused(reason=str(undone), hint=undone.hint)


def _landed_before(run: Run, commit: str) -> proof.Landing | None:
    """The landing of this state of the branch or of a later one. Raises NotLanded when it was undone since."""
    plan = run.plan
    now = refs.branch_tip(plan.root, plan.target)
    known = refs.resolve(plan.root, commit) is not None
    if now is None or not known:
        return None
    for landing in proof.history(plan.root, plan.mid, now, since=refs.merge_base(plan.root, commit, now)):
        same = landing.tip == commit
        if same or (refs.resolve(plan.root, landing.tip) and refs.is_ancestor(plan.root, commit, landing.tip)):
            proof.require_not_undone(plan.root, plan.mid, landing, now)
            return landing
    return None


def _not_of_branch(run: Run, commit: str) -> Refused | None:
    plan = run.plan
    tip = refs.branch_tip(plan.root, plan.branch)
    if tip is None:
        return Refused(reason=f"there is no branch {plan.branch} to merge {run.name} from", hint="gsd status")
    if refs.resolve(plan.root, commit) is None or not refs.is_ancestor(plan.root, commit, tip):
        return Refused(
            reason=f"{run.name} was done at {commit[:10]}, which is not on {plan.branch} any more",
            hint="It is merged with the next slice, or with the milestone.",
        )
    return None


def _merge(run: Run, commit: str) -> SliceOutcome:
    for _ in range(TRIES):
        outcome = _try_to_merge(run, commit)
        if outcome is not None:
            return outcome
    return Refused(reason=f"{run.plan.target} moved {TRIES} times while it was merged into", hint="gsd parallel start")


def _try_to_merge(run: Run, commit: str) -> SliceOutcome | None:
    """One attempt on the target as it is now; None when the target moved meanwhile."""
    plan = run.plan
    onto = refs.branch_tip(plan.root, plan.target)
    if onto is None:
        return Refused(reason=f"there is no branch {plan.target} to merge into", hint="gsd doctor")
    if refs.is_ancestor(plan.root, commit, onto):
        return NothingToLand(reason=f"{plan.target} already contains {run.name} at {commit[:10]}")
    slices.require_kept(plan.root, plan.mid, onto, commit)
    if refused := mergeable(plan, onto, commit):
        return refused
    with run.step("merge", onto=onto, tip=commit):
        made = make(plan, onto, commit, slice_id=run.slice)
    if not isinstance(made, LandCommit):
        return made
    if ended := stopped(run, made):
        return ended
    pin(run, f"{run.slice}-target", onto)
    failed = published(run, made)
    if failed is not None:
        return None if isinstance(failed, Moved) else failed
    return _finish(run, proof.Landing(commit=made.commit, before=onto, tip=commit, slice=run.slice), made)


def _finish(run: Run, landing: proof.Landing, made: LandCommit | None) -> SliceLanding:
    """Push, and pin the link. `made` is None when an earlier run landed it."""
    plan = run.plan
    push_error = pushed(run, landing.commit)
    return SliceLanding(
        slice=run.slice,
        commit=landing.commit,
        target=plan.target,
        tip=landing.tip,
        before=landing.before,
        link=_link(run, landing),
        already=made is None,
        only_planning=made is not None and made.only_planning,
        resolved=made.resolved if made else (),
        pushed=plan.push_to is not None and not push_error,
        push_error=push_error,
        backups=tuple(run.pins),
    )


def _link(run: Run, landing: proof.Landing) -> str:
    """The link of what landed, which may be a later slice than the one that was asked for."""
    if not landing.slice:
        return ""
    with run.step("link", commit=landing.commit) as facts:
        facts["link"] = slices.link(run.plan.root, run.plan.mid, landing)
    return facts["link"]
