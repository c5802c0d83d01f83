"""Bring finished milestones to their branch, one at a time, whenever one is seen.

A milestone is due when its files say it is complete and its worktree (or checked-out branch) is still there, or when
a landing was begun and not ended. Everything that changes git is `git.merge`; here the plan is frozen, the check is
run and what happened is journaled. Source: DESIGN rules 6 and 7, spec auto 6.7.
"""

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from anyio import from_thread, to_thread
from msgspec import structs

from milepost.errors import ExitCode, MilepostError
from milepost.formats import roadmap, summary
from milepost.formats.journal import Landed as LandedEvent
from milepost.formats.journal import LandingEnded, LandingStep
from milepost.formats.tree import milestone_dir, milestone_file, read
from milepost.git import bring_in, merge, publish, refs, repo, worktrees
from milepost.git.branches import leave_branch
from milepost.git.run import git
from milepost.model import work
from milepost.model.outcome import Committed, Outcome
from milepost.model.state import State, Status
from milepost.model.units import Unit, UnitKind
from milepost.rules import done, messages, quick, secrets
from milepost.rules.attempts import open_attempts
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.worker import carry, landing_words, merge_check, notebooks, places
from milepost.worker.shift import Ending, Shift


class NotComplete(MilepostError):
    """What is to be merged is not finished."""

    exit_code = ExitCode.BLOCKED


class NotSettled(MilepostError):
    """What is to be merged looks finished, and nobody has verified it."""

    exit_code = ExitCode.BLOCKED


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
        plan = plan_of(milestone, home, shift)
        refused = merge.complete(plan, journal=functools.partial(_note, shift, milestone))
        if refused and (ending := landing_words.ending(milestone, refused, shift)):
            return ending
    return None


async def land(milestone: str, home: Snapshot, shift: Shift) -> Ending | None:
    """Land one milestone. None: it is on its branch; otherwise why not, with what to type next."""
    target = places.target_of(milestone, shift)
    _lend_back(milestone, target, shift)
    plan = plan_of(milestone, home, shift)
    try:
        outcome = await attempt(plan, shift)
    except bring_in.Unresolved as unresolved:
        _write_down(landing_words.unresolved(plan, unresolved, shift), shift)
        raise
    _write_down(landing_words.verdict(plan, outcome, shift), shift)
    ending = landing_words.ending(milestone, outcome, shift)
    if isinstance(outcome, merge.Landed) and not work.is_quick(milestone):
        await to_thread.run_sync(shift.landed, milestone)
    return ending


def without_merge(unit: Unit, outcome: Outcome, bench: Bench, shift: Shift) -> None:
    """A milestone that is worked on in the checkout itself is on its branch as soon as it is complete."""
    done_here = unit.kind is UnitKind.COMPLETE_MILESTONE and isinstance(outcome, Committed)
    if done_here and bench.workspace.isolation == "none":
        shift.landed(unit.milestone)


async def queued(milestone: str, home: Snapshot, shift: Shift) -> LandingEnded:
    """Land one milestone from the merge queue; how it ended, as it was written down.

    After a conflict the merge stands in the worktree, half done, to be resolved there: target and checkout are as
    they were (PR-123, PR-196, FM-84).
    """
    plan = plan_of(milestone, home, shift)
    try:
        _require_slices_done(milestone, home)
        outcome = await attempt(plan, shift)
        settled: tuple[str, ...] = ()
        if isinstance(outcome, merge.Conflicted):
            outcome, settled = _to_be_resolved(outcome, plan)
        ended = landing_words.verdict(plan, outcome, shift)
        if settled:
            ended = structs.replace(ended, settled=settled)
            for one in settled:
                shift.watcher.note(f"resolved {one}")
        left = landing_words.ending(milestone, outcome, shift)
        if isinstance(outcome, merge.Landed) and left is not None:
            shift.watcher.note(f"{left.reason} — {left.hint}")
    except bring_in.Unresolved as unresolved:
        ended = landing_words.unresolved(plan, unresolved, shift)
    except MilepostError as error:
        ended = landing_words.failed(plan, error, shift)
    ended = structs.replace(ended, hint=ended.hint.replace("gsd auto", f"gsd parallel merge {milestone}"))
    _write_down(ended, shift)
    return ended


async def attempt(plan: merge.MergePlan, shift: Shift) -> merge.Outcome:
    """Conclude what a person resolved in the worktree, then merge. Raises Unresolved while a marker is left."""
    milestone = plan.mid
    notebooks.make_room(milestone, shift)
    # Without its `.git` it is half removed: it landed, and what is left of it is cleared away below.
    there = plan.worktree is not None and (plan.worktree / ".git").is_file()
    if plan.worktree is not None and there and bring_in.unfinished(plan.worktree):
        message = f"merge({milestone}): bring {plan.target} in\n"
        bring_in.conclude(plan.worktree, plan.branch, message, state_dir=plan.state_dir, commit_docs=plan.commit_docs)
        shift.watcher.note(f"{milestone}: the resolved merge was committed on {plan.branch}")
    check = merge_check.check(milestone, shift)
    return await to_thread.run_sync(
        functools.partial(
            merge.land,
            plan,
            journal=functools.partial(_note, shift, milestone),
            check=None if check is None else lambda path: from_thread.run(check, path),
            bring_home=functools.partial(_bring_home, milestone, plan, shift),
        )
    )


def _to_be_resolved(outcome: merge.Conflicted, plan: merge.MergePlan) -> tuple[merge.Outcome, tuple[str, ...]]:
    """The same with the merge left in the worktree, and what policy settled there beside the conflicts."""
    onto = refs.branch_tip(plan.root, plan.target)
    if plan.worktree is None or onto is None:
        return outcome, ()
    found = bring_in.begin(
        plan.root,
        plan.worktree,
        plan.branch,
        onto,
        mid=plan.mid,
        state_dir=plan.state_dir,
        generated=plan.generated,
        target=plan.target,
        commit_docs=plan.commit_docs,
        leave=True,
    )
    if isinstance(found, bring_in.Clean):
        return outcome, ()
    where = plan.worktree.relative_to(plan.root)
    hint = f"The merge stands half done in {where}/: resolve it there, then gsd parallel merge {plan.mid}"
    settled = tuple(str(one) for one in found.resolved if one.conflicted)
    return replace(outcome, files=found.conflicts, hint=hint), settled


def _write_down(ended: LandingEnded, shift: Shift) -> None:
    shift.journal(ended.milestone).append(ended)


def latest(milestone: str, shift: Shift) -> LandedEvent | None:
    """The milestone's latest landing."""
    landings = [e for e in shift.journal(milestone).own() if isinstance(e, LandedEvent)]
    return landings[-1] if landings else None


def require_complete(milestone: str, home: Snapshot) -> None:
    """Raise NotComplete for a milestone whose files do not say that it is finished."""
    if milestone_dir(home, milestone) is None:
        raise NotComplete(f"there is no milestone {milestone}", hint="gsd status")
    if not done.settled(Unit(UnitKind.COMPLETE_MILESTONE, milestone), home):
        raise NotComplete(f"{milestone} is not complete", hint="gsd parallel status")


def _require_slices_done(milestone: str, home: Snapshot) -> None:
    """A summary alone does not make a milestone: anybody may have written it (gsd-2#1991)."""
    path = milestone_file(home, milestone, "ROADMAP")
    left = [part.id for part in roadmap.slices(read(home, path)) if not part.done]
    if path and left:
        says = f"{', '.join(left)} in its roadmap {'is' if len(left) == 1 else 'are'} not done"
        hint = f"Tick in {home.where(path)} what is done, or remove the summary, then gsd parallel start."
        raise NotComplete(f"{milestone} has a summary, and {says}", hint=hint)


def require_settled(milestone: str, shift: Shift) -> None:
    """Raise NotSettled while an attempt is open: what a worker that died left was neither put right nor proved."""
    worktree = worktrees.worktree_path(shift.root, milestone, state_dir=shift.state_dir)
    if (worktree / ".git").is_file() and open_attempts(shift.journal(milestone).own()):
        raise NotSettled(
            f"the last worker of {milestone} was cut off, and what it left is not verified yet",
            hint="gsd parallel start settles that, and goes on.",
        )


def _lend_back(milestone: str, target: str, shift: Shift) -> None:
    """In mode `branch` the user lent the checkout; it goes back before the merge, so that the merge can move it."""
    branch = worktrees.branch_name(milestone)
    if shift.preferences.git.isolation == "branch" and repo.head_of(shift.root).branch == branch:
        leave_branch(shift.root, target)


def plan_of(milestone: str, home: Snapshot, shift: Shift) -> merge.MergePlan:
    """What a merge of the milestone is asked to do, decided now and frozen."""
    target = places.target_of(milestone, shift)
    branch = worktrees.branch_name(milestone)
    worktree = worktrees.worktree_path(shift.root, milestone, state_dir=shift.state_dir)
    settings = shift.preferences.git
    return merge.MergePlan(
        root=shift.root,
        mid=milestone,
        branch=branch,
        target=target,
        message=secrets.redact(_message(milestone, branch, worktree, home, shift), shift.secrets),
        worktree=worktree if worktree.exists() else None,
        strategy=settings.merge_strategy,
        state_dir=shift.state_dir,
        commit_docs=settings.commit_docs,
        push_to=settings.remote if settings.auto_push else None,
        generated=shift.preferences.parallel.generated_files,
    )


def _message(milestone: str, branch: str, worktree: Path, home: Snapshot, shift: Shift) -> str:
    if work.is_quick(milestone):
        wish = quick.wish(shift.journal(milestone).own(), milestone)
        told = _summary_line(milestone, branch, worktree, shift)
        return messages.quick_commit(milestone, wish, told, branch, shift.preferences.git.commit_type or "")
    found = roadmap.parse(read(home, milestone_file(home, milestone, "ROADMAP")))
    return messages.milestone_commit(milestone, found.title, found.slices, branch)


def _summary_line(key: str, branch: str, worktree: Path, shift: Shift) -> str:
    """What a quick task's summary says in a sentence: from its worktree, or as it was committed on its branch."""
    path = f"{shift.state_dir}/{work.document(key, 'SUMMARY.md')}"
    text = Snapshot(str(worktree), shift.state_dir, homes={}).text(work.document(key, "SUMMARY.md"))
    if text is None:
        text = git(shift.root, "cat-file", "blob", f"refs/heads/{branch}:{path}", ok=(0, 128)).out
    return summary.parse(text).one_liner


def _bring_home(milestone: str, plan: merge.MergePlan, shift: Shift) -> None:
    if plan.worktree is not None:
        carry.bring_back(milestone, plan.worktree, shift)


def _note(shift: Shift, milestone: str, step: str, facts: Mapping[str, str]) -> None:
    detail = " ".join(f"{key}={value}" for key, value in facts.items())
    event = LandingStep(at_ms=shift.now_ms(), run=shift.run, milestone=milestone, step=step, detail=detail)
    shift.journal(milestone).append(event)
