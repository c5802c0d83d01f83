"""Bring one finished slice to its branch while the milestone goes on (`merge_strategy: per-slice`).

Branch and worktree belong to the worker and are not touched, so its lease is not needed; what is written down goes
to the merge queue's own journal. Source: parallel PR-064, DV-03, section 7.
"""

import functools
from collections.abc import Mapping
from dataclasses import replace

from anyio import from_thread, to_thread
from msgspec import structs

from milepost.errors import ExitCode, MilepostError
from milepost.formats import roadmap
from milepost.formats.journal import LandingEnded, LandingStep, SliceLanded, SliceReady
from milepost.formats.tree import milestone_file, read
from milepost.git import land_slice, refs
from milepost.git.merge_plan import MergePlan, NothingToLand, SliceLanding, SliceOutcome
from milepost.rules import messages, secrets
from milepost.store.snapshot import Snapshot
from milepost.worker import landing, landing_words, merge_check
from milepost.worker.shift import Shift

WRITER = "landing"


class SliceNotReady(MilepostError):
    """The slice is not finished, or was merged already."""

    exit_code = ExitCode.BLOCKED


async def land(milestone: str, slice_id: str, home: Snapshot, shift: Shift) -> LandingEnded:
    """Land one slice; how it ended, as it was written down. Raises SliceNotReady."""
    ready = _ready(milestone, slice_id, shift)
    title = _title(milestone, slice_id, home)
    whole = landing.plan_of(milestone, home, shift)
    message = messages.slice_commit(milestone, slice_id, title, whole.branch)
    plan = replace(whole, message=secrets.redact(message, shift.secrets))
    try:
        ended = _verdict(plan, await _attempt(plan, ready, shift), ready, shift)
    except MilepostError as error:
        ended = landing_words.failed(plan, error, shift)
    ended = structs.replace(ended, slice=slice_id, tip=ready.commit)
    shift.journal(WRITER).append(ended)
    return ended


def _ready(milestone: str, slice_id: str, shift: Shift) -> SliceReady:
    announced = [e for e in shift.journal(milestone).own() if isinstance(e, SliceReady) and e.slice == slice_id]
    if not announced:
        raise SliceNotReady(
            f"{milestone}/{slice_id} is not finished, or goes with the milestone", hint="gsd parallel status"
        )
    return announced[-1]


def _title(milestone: str, slice_id: str, home: Snapshot) -> str:
    slices = roadmap.parse(read(home, milestone_file(home, milestone, "ROADMAP"))).slices
    return next((one.title for one in slices if one.id == slice_id), slice_id)


async def _attempt(plan: MergePlan, ready: SliceReady, shift: Shift) -> SliceOutcome:
    check = merge_check.check(plan.mid, shift)
    return await to_thread.run_sync(
        functools.partial(
            land_slice.land_slice,
            plan,
            ready.slice,
            ready.commit,
            journal=functools.partial(_note, shift, plan.mid, ready.slice),
            check=None if check is None else lambda path: from_thread.run(check, path),
        )
    )


def _note(shift: Shift, milestone: str, slice_id: str, step: str, facts: Mapping[str, str]) -> None:
    detail = " ".join(f"{key}={value}" for key, value in facts.items())
    event = LandingStep(
        at_ms=shift.now_ms(), run=shift.run, milestone=milestone, step=step, detail=detail, slice=slice_id
    )
    shift.journal(WRITER).append(event)


def _brought_already(plan: MergePlan, ready: SliceReady) -> SliceLanding:
    """The target has all of it: nothing is left to do for this slice, and nobody is to be asked about it again."""
    tip = refs.branch_tip(plan.root, plan.target) or ""
    return SliceLanding(
        slice=ready.slice, commit=tip, target=plan.target, tip=ready.commit, before=tip, link="", already=True
    )


def _verdict(plan: MergePlan, outcome: SliceOutcome, ready: SliceReady, shift: Shift) -> LandingEnded:
    if isinstance(outcome, NothingToLand):
        outcome = _brought_already(plan, ready)
    if not isinstance(outcome, SliceLanding):
        return landing_words.verdict(plan, outcome, shift)
    shift.journal(WRITER).append(
        SliceLanded(
            at_ms=shift.now_ms(),
            run=shift.run,
            milestone=plan.mid,
            slice=ready.slice,
            target=outcome.target,
            commit=outcome.commit,
            tip=outcome.tip,
            link=outcome.link,
            pushed=outcome.pushed,
            push_error=outcome.push_error,
        )
    )
    shift.watcher.note(f"{plan.mid}/{ready.slice} is on {outcome.target} as {outcome.commit[:10]}")
    for settled in outcome.resolved:
        shift.watcher.note(f"resolved {settled}")
    if outcome.push_error:
        shift.watcher.note(f"NOT pushed: {outcome.push_error}")
    return structs.replace(
        landing_words.blank(plan, shift),
        outcome="landed",
        target_tip=outcome.commit,
        settled=tuple(str(one) for one in outcome.resolved),
    )
