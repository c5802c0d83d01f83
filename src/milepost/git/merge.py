"""A milestone's merge into its target, as one transaction that never works in the user's checkout.

    commit → pin → merge → check → publish → checkout → push → remove-worktree → remove-branch

Nothing of the user's changes before `publish`. Killed anywhere, `land` run again goes on from what git has: what is
committed, pinned, published or removed already is found and not done twice.
Source: DESIGN rules 6 and 7, "Parallel"; spec auto 6.7; field-reports #1, #6.
"""

from collections.abc import Callable
from pathlib import Path

from milepost.git import proof, publish, refs, removal
from milepost.git.checkout import Blocked
from milepost.git.commits import commit_unit
from milepost.git.land_commit import LandCommit, make
from milepost.git.land_finish import finish
from milepost.git.land_run import Run
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
from milepost.git.repo import inspect
from milepost.git.scratch import scratch
from milepost.git.worktrees import reconcile
from milepost.rules.staging import excluded

__all__ = [
    "CheckFailed", "CheckResult", "Conflicted", "Journal", "Landed", "MergePlan", "NothingToLand", "Outcome",
    "Refused", "complete", "land",
]  # fmt: skip

_TRIES = 5


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
        if refused := _complete_published(run):
            return refused
        tip = _commit_rest(run)
        landing = _landed_before(run, tip)
        if landing is not None:
            return finish(run, landing, None)
        if tip is None:
            return Refused(reason=f"there is no branch {plan.branch} to merge", hint="gsd status")
        _pin(run, "tip", tip)
        return _merge(run, tip)
    except proof.NotLanded as undone:
        return Refused(reason=str(undone), hint=undone.hint)


def complete(plan: MergePlan, *, journal: Journal) -> Refused | None:
    """Let checkouts follow a landing that an earlier run published and was killed in; None: nothing is left of it.

    Until then a checkout of the target shows the project as it was before, and nobody may derive from it.
    """
    try:
        return _complete_published(Run(plan=plan, journal=journal, check=None, bring_home=None))
    except proof.NotLanded as undone:
        return Refused(reason=str(undone), hint=undone.hint)


def _complete_published(run: Run) -> Refused | None:
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
        with run.step("checkout", commit=commit):
            blocked = publish.follow(plan.root, plan.target, before, commit)
        if blocked:
            return Refused(
                reason=f"{plan.target} has {plan.mid} ({commit[:10]}), but the checkout is still at the state before",
                paths=blocked,
                hint="Save your changes to these files elsewhere, put them back with git restore, then: gsd auto",
            )
    publish.forget_note(plan.root, plan.mid, commit)
    return None


def _commit_rest(run: Run) -> str | None:
    """Commit what the worktree still has; the branch's tip, None when there is no branch."""
    plan = run.plan
    # What is missing from a half-removed worktree must not become a commit.
    removing = removal.being_removed(plan.root, plan.branch)
    if plan.worktree is not None and plan.worktree.exists() and not removing:
        with run.step("commit", branch=plan.branch) as facts:
            reconcile(inspect(plan.root), plan.worktree, plan.branch)
            message = plan.leftover_message or f"chore({plan.mid}): auto-commit before milestone merge\n"
            made = commit_unit(plan.worktree, branch=plan.branch, message=message, excluded=_exclusion(plan))
            facts["commit"] = made or ""
    return refs.branch_tip(plan.root, plan.branch)


def _exclusion(plan: MergePlan) -> Callable[[str], str | None]:
    def reason(path: str) -> str | None:
        return excluded(path, milestone=plan.mid, commit_docs=plan.commit_docs, state_dir=plan.state_dir)

    return reason


def _pin(run: Run, label: str, commit: str) -> None:
    with run.step("pin", label=label, commit=commit) as facts:
        facts["ref"] = refs.pin(run.plan.root, run.plan.mid, label, commit)
        run.pins.append(facts["ref"])


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
    for _ in range(_TRIES):
        outcome = _try_to_merge(run, tip)
        if outcome is not None:
            return outcome
    return Refused(reason=f"{run.plan.target} moved {_TRIES} times while it was merged into", hint="gsd auto")


def _try_to_merge(run: Run, tip: str) -> Outcome | None:
    """One attempt on the target as it is now; None when the target moved meanwhile."""
    plan = run.plan
    onto = refs.branch_tip(plan.root, plan.target)
    if onto is None:
        return Refused(reason=f"there is no branch {plan.target} to merge into", hint="gsd doctor")
    if refs.is_ancestor(plan.root, tip, onto):
        proof.landed(plan.root, plan.mid, plan.target, tip)
        return NothingToLand(reason=f"{plan.target} already contains {plan.branch} at {tip[:10]}")
    if refs.merge_base(plan.root, tip, onto) is None:
        return Refused(
            reason=f"{plan.target} has no history in common with {plan.branch}; it was put elsewhere meanwhile",
            hint=f"git reflog {plan.target} shows where it was; put it back, then: gsd auto",
        )
    with run.step("merge", onto=onto, tip=tip):
        made = make(plan, onto, tip)
    if not isinstance(made, LandCommit):
        return made
    if stopped := _obstacle(plan, made) or _checked(run, made):
        return stopped
    _pin(run, "target", onto)
    return _publish(run, made)


def _obstacle(plan: MergePlan, made: LandCommit) -> Refused | None:
    """What of the user's is in the way."""
    blocked = publish.obstacles(plan.root, plan.target, made.onto, made.commit)
    if not blocked:
        return None
    return Refused(
        reason=f"your checkout of {plan.target} has changes in files that {plan.mid} changes too",
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
    return _obstacle(plan, made)


def _publish(run: Run, made: LandCommit) -> Outcome | None:
    plan = run.plan
    try:
        with run.step("publish", commit=made.commit, onto=made.onto):
            publish.publish(plan.root, plan.mid, plan.target, made.commit, made.onto)
    except refs.RefMoved:
        return None
    with run.step("checkout", commit=made.commit):
        blocked = publish.follow(plan.root, plan.target, made.onto, made.commit)
    if blocked:
        return _taken_back(plan, made, blocked)
    publish.forget_note(plan.root, plan.mid, made.commit)
    return finish(run, proof.Landing(commit=made.commit, before=made.onto, tip=made.tip), made)


def _taken_back(plan: MergePlan, made: LandCommit, blocked: tuple[Blocked, ...]) -> Refused:
    """A checkout could not follow: the target goes back to where it was, unless somebody has built on it already."""
    reason = f"your checkout of {plan.target} was changed while {plan.mid} was merged"
    try:
        publish.take_back(plan.root, plan.mid, plan.target, made.commit, made.onto)
    except refs.RefMoved:
        return Refused(reason=f"{reason}; {plan.target} has it, the checkout is behind", paths=blocked, hint="gsd auto")
    return Refused(reason=f"{reason}; nothing was moved", paths=blocked, hint="Commit or move them, then: gsd auto")
