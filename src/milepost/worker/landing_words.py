"""How a merge ended, in the journal's words and in people's. Source: DESIGN rule 10, parallel PR-123 to PR-125."""

from msgspec import structs

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import Landed as LandedEvent
from milepost.formats.journal import LandingEnded
from milepost.git import bring_in, merge, refs
from milepost.model.words import counted
from milepost.worker.shift import Ending, Shift


def verdict(plan: merge.MergePlan, outcome: merge.Outcome, shift: Shift) -> LandingEnded:
    """How a merge ended, for the journal."""
    ended = blank(plan, shift)
    match outcome:
        case merge.Landed():
            settled = tuple(str(one) for one in outcome.resolved)
            ended = structs.replace(
                ended, outcome="landed", target_tip=outcome.commit, tip=outcome.tip, settled=settled
            )
            if outcome.kept:
                ended = structs.replace(ended, outcome="kept", reason="; ".join(outcome.kept), hint="gsd doctor")
            return ended
        case merge.NothingToLand(reason=reason):
            return structs.replace(ended, outcome="nothing", reason=reason, hint="gsd doctor")
        case merge.Conflicted(files=files, hint=hint):
            reason = f"conflicts with {plan.target} in {counted(len(files), 'file')}"
            named, lines = tuple(f.path for f in files), tuple(map(str, files))
            return structs.replace(ended, outcome="conflict", reason=reason, hint=hint, files=named, details=lines)
        case merge.Refused(reason=reason, paths=paths, hint=hint):
            named, lines = tuple(p.path for p in paths if p.path), tuple(map(str, paths))
            return structs.replace(ended, outcome="refused", reason=reason, hint=hint, files=named, details=lines)
        case merge.CheckFailed(detail=detail, inconclusive=inconclusive):
            what = "inconclusive" if inconclusive else "check-failed"
            reason = f"the check before merging {'could not be judged' if inconclusive else 'failed'}: {detail}"
            return structs.replace(ended, outcome=what, reason=reason, hint="Mend it, then try again.")


def unresolved(plan: merge.MergePlan, left: bring_in.Unresolved, shift: Shift) -> LandingEnded:
    """A merge that a person has begun to resolve and not finished."""
    return structs.replace(
        blank(plan, shift),
        outcome="unresolved",
        reason=f"{counted(len(left.places), 'place')} in {_where(plan)} not resolved yet",
        hint=left.hint,
        files=tuple(dict.fromkeys(place.rpartition(":")[0] or place for place in left.places)),
        details=left.places,
    )


def failed(plan: merge.MergePlan, error: MilepostError, shift: Shift) -> LandingEnded:
    """A merge that git, a hook or the worktree's state prevented."""
    return structs.replace(blank(plan, shift), outcome="refused", reason=str(error), hint=error.hint)


def _where(plan: merge.MergePlan) -> str:
    return str(plan.worktree.relative_to(plan.root)) if plan.worktree else plan.branch


def blank(plan: merge.MergePlan, shift: Shift) -> LandingEnded:
    """The record of a merge whose outcome is not filled in yet."""
    return LandingEnded(
        at_ms=shift.now_ms(),
        run=shift.run,
        milestone=plan.mid,
        outcome="",
        target=plan.target,
        target_tip=refs.branch_tip(plan.root, plan.target) or "",
        tip=refs.branch_tip(plan.root, plan.branch) or "",
    )


def ending(milestone: str, outcome: merge.Outcome, shift: Shift) -> Ending | None:
    """What the end of a merge means for a run; None: it is on its branch. A landing is journaled and said."""
    match outcome:
        case merge.Landed():
            return _landed(milestone, outcome, shift)
        case merge.NothingToLand(reason=reason):
            return Ending(ExitCode.BLOCKED, f"{milestone} has nothing to merge: {reason}", "gsd doctor")
        case merge.Conflicted(files=files, target=target, hint=hint):
            names = "; ".join(str(file) for file in files)
            return Ending(ExitCode.BLOCKED, f"{milestone} conflicts with {target}: {names}", hint)
        case merge.Refused(reason=reason, paths=paths, hint=hint):
            listed = f": {', '.join(str(path) for path in paths)}" if paths else ""
            return Ending(ExitCode.BLOCKED, f"{milestone} was not merged: {reason}{listed}", hint)
        case merge.CheckFailed(detail=detail, inconclusive=inconclusive):
            word = "could not be judged" if inconclusive else "failed"
            return Ending(
                ExitCode.PAUSED, f"the check before merging {milestone} {word}: {detail}", "Mend it, then gsd auto."
            )


def _landed(milestone: str, outcome: merge.Landed, shift: Shift) -> Ending | None:
    shift.journal(milestone).append(
        LandedEvent(
            at_ms=shift.now_ms(),
            run=shift.run,
            milestone=milestone,
            target=outcome.target,
            commit=outcome.commit,
            tip=outcome.tip,
            pushed=outcome.pushed,
            push_error=outcome.push_error,
        )
    )
    (shift.state / "runtime" / "places" / f"{milestone}.ready").unlink(missing_ok=True)
    say = shift.watcher.note
    say(f"{milestone} is on {outcome.target} as {outcome.commit[:10]}{' and pushed' if outcome.pushed else ''}")
    for settled in outcome.resolved:
        say(f"resolved {settled}")
    if outcome.only_planning:
        say(f"{milestone} changed nothing but planning files")
    if outcome.push_error:
        say(f"NOT pushed: {outcome.push_error}")
    if outcome.kept:
        reasons = "; ".join(outcome.kept)
        return Ending(ExitCode.BLOCKED, f"{milestone} is merged, but something was kept: {reasons}", "gsd doctor")
    return None
