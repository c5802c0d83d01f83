"""The end of a merge: push, prove, and remove what is proved to be on the target. Safe to run again.

Source: DESIGN rule 7; gsd-pi#2153 (a push that never was).
"""

from milepost.git import proof, removal, slices
from milepost.git.land_commit import LandCommit
from milepost.git.land_run import Run
from milepost.git.merge_plan import Landed
from milepost.git.push import push


def finish(run: Run, landing: proof.Landing, made: LandCommit | None) -> Landed:
    """Push, and remove what is proved to be on the target. `made` is None when an earlier run landed it."""
    plan = run.plan
    push_error = pushed(run, landing.commit)
    return Landed(
        commit=landing.commit,
        target=plan.target,
        tip=landing.tip,
        before=landing.before,
        already=made is None,
        only_planning=made is not None and made.only_planning,
        slices=made.parts if made else (),
        resolved=made.resolved if made else (),
        pushed=plan.push_to is not None and not push_error,
        push_error=push_error,
        kept=_clean(run, landing.tip),
        backups=tuple(run.pins),
    )


def pushed(run: Run, commit: str) -> str:
    """Push the target when the plan says so; what went wrong, empty for success or when nothing is to be pushed."""
    plan = run.plan
    if plan.push_to is None:
        return ""
    with run.step("push", commit=commit, remote=plan.push_to) as facts:
        facts["error"] = push(plan.root, plan.push_to, plan.target, commit)
    return facts["error"]


def _clean(run: Run, tip: str) -> tuple[str, ...]:
    """Remove worktree and branch; why they were kept."""
    plan = run.plan
    try:
        proved = proof.landed(plan.root, plan.mid, plan.target, tip)
        if plan.worktree is not None:
            with run.step("remove-worktree", path=str(plan.worktree)):
                if run.bring_home is not None and plan.worktree.exists():
                    run.bring_home()
                removal.remove_worktree(plan.root, plan.worktree, plan.branch, proved, state_dir=plan.state_dir)
        with run.step("remove-branch", branch=plan.branch):
            removal.remove_branch(plan.root, plan.branch, proved)
            slices.forget(plan.root, plan.mid)
    except (removal.NotRemoved, proof.NotLanded) as kept:
        return (str(kept),)
    return ()
