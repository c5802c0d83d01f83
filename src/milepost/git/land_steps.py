"""What the landing of a milestone and that of one slice have in common, step by step.

    pin → check → publish → checkout

Source: DESIGN rules 6 and 7, "Parallel".
"""

from milepost.git import proof, publish, refs
from milepost.git.checkout import Blocked
from milepost.git.hold import IndexBusy
from milepost.git.land_commit import LandCommit
from milepost.git.land_run import Run
from milepost.git.merge_plan import CheckFailed, MergePlan, Refused
from milepost.git.scratch import scratch

TRIES = 5
"""How often a target that moves meanwhile is merged into anew."""


class Moved:
    """The target moved meanwhile; nothing was published."""


def complete_published(run: Run) -> Refused | None:
    """Let checkouts follow a landing that an earlier run published."""
    plan = run.plan
    commit = refs.resolve(plan.root, publish.note_of(plan.mid))
    now = refs.branch_tip(plan.root, plan.target)
    if commit is None or now is None:
        return None
    before = refs.resolve(plan.root, f"{commit}^1")
    if before is not None and refs.is_ancestor(plan.root, commit, now):
        landing = proof.Landing(commit=commit, before=before, tip="")
        proof.require_not_undone(plan.root, plan.mid, landing, now)
        try:
            with run.step("checkout", commit=commit), publish.holding(plan.root, plan.target) as holds:
                blocked = publish.catch_up(holds, before, commit)
        except IndexBusy as busy:
            return Refused(reason=f"{busy}; it is behind {plan.target}", hint=busy.hint)
        if blocked:
            return Refused(
                reason=f"{plan.target} was moved to {commit[:10]} for {plan.mid}, but the checkout is still behind",
                paths=blocked,
                hint="Save your changes to these files elsewhere, put them back with git restore, then: gsd auto",
            )
    publish.forget_note(plan.root, plan.mid, commit)
    return None


def pin(run: Run, label: str, commit: str) -> None:
    """Keep a commit under a backup ref before anything moves."""
    with run.step("pin", label=label, commit=commit) as facts:
        facts["ref"] = refs.pin(run.plan.root, run.plan.mid, label, commit)
        run.pins.append(facts["ref"])


def mergeable(plan: MergePlan, onto: str, tip: str) -> Refused | None:
    """Why the two have nothing to do with each other; None when they have."""
    if refs.merge_base(plan.root, tip, onto) is not None:
        return None
    return Refused(
        reason=f"{plan.target} has no history in common with {plan.branch}; it was put elsewhere meanwhile",
        hint=f"git reflog {plan.target} shows where it was; put it back, then: gsd auto",
    )


def stopped(run: Run, made: LandCommit) -> CheckFailed | Refused | None:
    """What is in the way of publishing: changes of the user's, or the pre-merge check on the merged tree."""
    return _obstacle(run, made) or _checked(run, made)


def published(run: Run, made: LandCommit) -> Moved | Refused | None:
    """Move the target and let its checkouts follow; None when both are done."""
    try:
        return _published(run, made)
    except (IndexBusy, publish.Behind) as stopped_by:
        return Refused(reason=str(stopped_by), hint=stopped_by.hint or "gsd auto")


def _published(run: Run, made: LandCommit) -> Moved | Refused | None:
    plan = run.plan
    with publish.holding(plan.root, plan.target) as holds:
        if refs.branch_tip(plan.root, plan.target) != made.onto:
            return Moved()
        found = publish.still_in_the_way(plan.root, holds, plan.target, made.onto, made.commit)
        if refused := _refused(run, found):
            return refused
        try:
            with run.step("publish", commit=made.commit, onto=made.onto):
                publish.publish(plan.root, plan.mid, plan.target, made.commit, made.onto)
        except refs.RefMoved:
            return Moved()
        with run.step("checkout", commit=made.commit):
            blocked = publish.follow(holds, made.onto, made.commit)
        if blocked:
            return _taken_back(run, made, blocked)
    publish.forget_note(plan.root, plan.mid, made.commit)
    return None


def _obstacle(run: Run, made: LandCommit) -> Refused | None:
    """What of the user's is in the way."""
    plan = run.plan
    return _refused(run, publish.obstacles(plan.root, plan.target, made.onto, made.commit))


def _refused(run: Run, blocked: tuple[Blocked, ...]) -> Refused | None:
    plan = run.plan
    if not blocked:
        return None
    if not any(one.path for one in blocked):
        return Refused(reason=f"{plan.target} cannot be moved now", paths=blocked, hint="Finish that, then: gsd auto")
    return Refused(
        reason=f"your checkout of {plan.target} has changes in files that {run.name} changes too",
        paths=blocked,
        hint="Commit them or move them away, then: gsd auto",
    )


def _checked(run: Run, made: LandCommit) -> CheckFailed | Refused | None:
    plan = run.plan
    if run.check is None:
        return None
    with (
        run.step("check", commit=made.commit) as facts,
        scratch(plan.root, made.commit, name=plan.mid, state_dir=plan.state_dir) as place,
    ):
        result = run.check(place)
        facts["passed"] = str(result.passed)
    if not result.passed:
        return CheckFailed(detail=result.detail, inconclusive=result.passed is None)
    # The check may have taken long, and the user may have worked on.
    return _obstacle(run, made)


def _taken_back(run: Run, made: LandCommit, blocked: tuple[Blocked, ...]) -> Refused:
    """A checkout could not follow: the target goes back to where it was, unless somebody has built on it already."""
    plan = run.plan
    reason = f"your checkout of {plan.target} was changed while {run.name} was merged"
    try:
        publish.take_back(plan.root, plan.mid, plan.target, made.commit, made.onto)
    except refs.RefMoved:
        return Refused(reason=f"{reason}; {plan.target} has it, the checkout is behind", paths=blocked, hint="gsd auto")
    return Refused(reason=f"{reason}; nothing was moved", paths=blocked, hint="Commit or move them, then: gsd auto")
