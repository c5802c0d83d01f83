"""Bring finished milestones to their branch, one at a time, whenever one is seen.

A milestone is due when its files say it is complete and its worktree (or checked-out branch) is still there, or when
a landing was begun and not ended. Everything that changes git is `git.merge`; here the plan is frozen, the check is
run and what happened is journaled. Source: DESIGN rules 6 and 7, spec auto 6.7.
"""

import functools
from collections.abc import Mapping

from anyio import from_thread, to_thread

from milepost.errors import ExitCode
from milepost.formats import roadmap
from milepost.formats.journal import Landed as LandedEvent
from milepost.formats.journal import LandingStep
from milepost.formats.tree import milestone_file, read
from milepost.git import merge, publish, refs, repo, worktrees
from milepost.git.branches import leave_branch
from milepost.model.state import State, Status
from milepost.rules import messages
from milepost.store.snapshot import Snapshot
from milepost.worker import carry, merge_check, places
from milepost.worker.shift import Ending, Shift


def due(state: State, home: Snapshot, shift: Shift) -> str | None:
    """The first milestone in queue order that is to be landed now; None when there is none."""
    isolation = shift.preferences.git.isolation
    standing = repo.head_of(shift.root).branch if isolation == "branch" else None
    begun = _begun(shift)
    for entry in state.registry:
        if entry.status is not Status.COMPLETE:
            continue
        if entry.id in home.homes or standing == worktrees.branch_name(entry.id) or entry.id in begun:
            return entry.id
    return None


def _begun(shift: Shift) -> set[str]:
    """Milestones whose landing an earlier process did not end."""
    open_: set[str] = set()
    for event in shift.journal("project").everything():
        match event:
            case LandingStep(milestone=milestone):
                open_.add(milestone)
            case LandedEvent(milestone=milestone):
                open_.discard(milestone)
            case _:
                pass
    return {m for m in open_ if refs.branch_tip(shift.root, worktrees.branch_name(m)) is not None}


def complete_published(shift: Shift) -> Ending | None:
    """Let checkouts follow what a killed run had published, before anything is read from them."""
    for milestone in publish.noted(shift.root) if shift.lock is None else ():
        home = Snapshot(str(shift.root), shift.state_dir)
        plan = _plan(milestone, places.target_of(milestone, shift), home, shift)
        refused = merge.complete(plan, journal=functools.partial(_note, shift, milestone))
        if refused and (ending := _ended(milestone, refused, shift)):
            return ending
    return None


async def land(milestone: str, home: Snapshot, shift: Shift) -> Ending | None:
    """Land one milestone. None: it is on its branch; otherwise why not, with what to type next."""
    target = places.target_of(milestone, shift)
    _lend_back(milestone, target, shift)
    plan = _plan(milestone, target, home, shift)
    check = merge_check.check(milestone, shift)
    outcome = await to_thread.run_sync(
        functools.partial(
            merge.land,
            plan,
            journal=functools.partial(_note, shift, milestone),
            check=None if check is None else lambda path: from_thread.run(check, path),
            bring_home=functools.partial(_bring_home, milestone, plan, shift),
        )
    )
    return _ended(milestone, outcome, shift)


def _lend_back(milestone: str, target: str, shift: Shift) -> None:
    """In mode `branch` the user lent the checkout; it goes back before the merge, so that the merge can move it."""
    branch = worktrees.branch_name(milestone)
    if shift.preferences.git.isolation == "branch" and repo.head_of(shift.root).branch == branch:
        leave_branch(shift.root, target)


def _plan(milestone: str, target: str, home: Snapshot, shift: Shift) -> merge.MergePlan:
    branch = worktrees.branch_name(milestone)
    worktree = worktrees.worktree_path(shift.root, milestone, state_dir=shift.state_dir)
    settings = shift.preferences.git
    text = read(home, milestone_file(home, milestone, "ROADMAP"))
    found = roadmap.parse(text)
    return merge.MergePlan(
        root=shift.root,
        mid=milestone,
        branch=branch,
        target=target,
        message=messages.milestone_commit(milestone, found.title, found.slices, branch),
        worktree=worktree if worktree.exists() else None,
        strategy=settings.merge_strategy,
        state_dir=shift.state_dir,
        commit_docs=settings.commit_docs,
        push_to=settings.remote if settings.auto_push else None,
    )


def _bring_home(milestone: str, plan: merge.MergePlan, shift: Shift) -> None:
    if plan.worktree is not None:
        carry.bring_back(milestone, plan.worktree, shift)


def _note(shift: Shift, milestone: str, step: str, facts: Mapping[str, str]) -> None:
    detail = " ".join(f"{key}={value}" for key, value in facts.items())
    event = LandingStep(at_ms=shift.now_ms(), run=shift.run, milestone=milestone, step=step, detail=detail)
    shift.journal(milestone).append(event)


def _ended(milestone: str, outcome: merge.Outcome, shift: Shift) -> Ending | None:
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
