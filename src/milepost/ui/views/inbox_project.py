"""What waits for a person in a project, whether or not it has a fleet: one list, the most pressing first.

A fold over one situation: nothing is stored, so a row goes away by itself when its reason does. The rows of a fleet
come from `inbox`. Source: DESIGN "People", rule 10; field-reports #27, #32; issue "Knowing what happened".
"""

from collections.abc import Iterator
from typing import Final

from milepost.formats.journal import Result, RunEnded
from milepost.model.state import Phase
from milepost.model.words import counted
from milepost.rules import notices
from milepost.rules.attempts import Attempt
from milepost.rules.dispatch import Halt
from milepost.rules.open_questions import unanswered
from milepost.rules.quick import QUICK
from milepost.rules.runs import Run
from milepost.ui.views import inbox, quick
from milepost.ui.views.inbox import Kind, Row
from milepost.ui.views.situation import Situation

_OF_RULE: Final = {
    "test-waits-for-verdict": Kind.VERDICT,
    "failed-test-stops": Kind.VERDICT,
    "validation-rounds-stop": Kind.VERDICT,
    "draft-waits-for-discussion": Kind.DRAFT,
    "slice-waits-for-discussion": Kind.DRAFT,
    "no-context-stops": Kind.DRAFT,
}
"""Halts by the rule that made them; the others are blocked."""
_OF_STATE: Final = {"budget": Kind.BUDGET, "error": Kind.FAILED, "interrupted": Kind.STOPPED, "blocked": Kind.BLOCKED}
_GATE: Final = (Result.VERIFY_FAILED, Result.INCONCLUSIVE)
_LANDING: Final = (Kind.CONFLICT, Kind.REFUSED, Kind.UNPUSHED, Kind.KEPT)
_SHOWN: Final = 3
"""Captures whose words are shown."""


def rows(here: Situation) -> tuple[Row, ...]:
    """Everything that waits. Pure."""
    fleet = inbox.rows(here.look, here.preferences.parallel, here.program)
    told = {row.milestone for row in fleet if row.milestone}
    halt = [row for row in _halt(here) if row.milestone not in told]
    found = [*fleet, *_questions(here), *halt, *_drafts(here), *_quick(here), *_captures(here), *_untold(here)]
    found += _end(here, tuple(found))
    order = list(Kind)
    return tuple(sorted(found, key=lambda row: (order.index(row.kind), row.milestone)))


def _questions(here: Situation) -> Iterator[Row]:
    """Sessions that wait for an answer; and what an agent decided because nobody gave one."""
    for asked in unanswered(here.events):
        unit = asked.unit.split("/")
        if not asked.waiting:
            yield Row(
                kind=Kind.ASSUMED, milestone=unit[0], reason=f"{asked.unit}: nobody answered: {asked.text}",
                next=here.typed(f"If you want it otherwise: gsd steer, or gsd discuss {unit[0]}"),
                since_ms=asked.at_ms, details=asked.options,
            )  # fmt: skip
            continue
        yield Row(
            kind=Kind.QUESTION, milestone=unit[0], reason=f"{asked.unit} asks: {asked.text}",
            next="Answer it in the terminal of the run, or in the channel that it was sent to.",
            since_ms=asked.at_ms, details=asked.options,
        )  # fmt: skip


def _halt(here: Situation) -> Iterator[Row]:
    """Something in the plan is in the way, whether or not a run has met it yet."""
    decision = here.decision
    if not isinstance(decision, Halt) or here.state.phase is Phase.COMPLETE or here.alive or here.look.unmerged:
        return
    if not here.state.registry:
        return  # There is nothing yet that could wait.
    milestone = here.state.active_milestone.id if here.state.active_milestone else ""
    hint = decision.hint or f"gsd why {milestone}".strip()
    last = _last(here)
    since = last.ended.at_ms if last and last.ended and last.ended.reason == decision.reason else 0
    yield Row(
        kind=_OF_RULE.get(decision.rule, Kind.BLOCKED), milestone=milestone, reason=decision.reason,
        next=here.typed(hint), since_ms=since,
    )  # fmt: skip


def _drafts(here: Situation) -> Iterator[Row]:
    """Milestones to come whose context is a draft; the active one is told by what it halts on."""
    active = here.state.active_milestone.id if here.state.active_milestone else ""
    for mid in here.drafts:
        if mid != active:
            yield Row(
                kind=Kind.DRAFT, milestone=mid, reason="its context is a draft that was not discussed",
                next=here.typed(f"gsd discuss {mid}"),
            )  # fmt: skip


def _quick(here: Situation) -> Iterator[Row]:
    """Quick tasks that were begun and are neither landed nor given up."""
    at_work = any(run.id in here.alive and run.started.command == QUICK for run in here.runs)
    for one in here.quick if not at_work else ():
        if one.waits:
            why = f": {one.reason.splitlines()[0]}" if one.reason else ""
            yield Row(
                kind=Kind.QUICK, milestone=one.key, reason=f"{quick.shown(one.text)} ({one.standing}{why})",
                next=here.typed(one.hint or quick.onward(one, "gsd")), since_ms=one.asked_ms,
            )  # fmt: skip


def _captures(here: Situation) -> Iterator[Row]:
    """Thoughts that nobody sorts while nothing runs."""
    waiting = [capture for capture in here.captures if capture.status == "pending"]
    if waiting and not here.alive:
        told = tuple(f"{capture.id}: {capture.text}" for capture in waiting[:_SHOWN])
        more = (f"and {len(waiting) - _SHOWN} more",) if len(waiting) > _SHOWN else ()
        verb = "waits" if len(waiting) == 1 else "wait"
        yield Row(
            kind=Kind.CAPTURE, milestone="", reason=f"{counted(len(waiting), 'capture')} {verb} to be sorted",
            next=here.typed("gsd triage, or gsd auto, which sorts them on its way."), details=(*told, *more),
        )  # fmt: skip


def _untold(here: Situation) -> Iterator[Row]:
    """Targets of notifications that could not be reached the last time."""
    for failed in notices.failing(here.events):
        yield Row(
            kind=Kind.NOTIFY, milestone="", reason=f"{failed.target} was not reached: {failed.error}",
            next=here.typed("gsd notify --test"), since_ms=failed.at_ms,
        )  # fmt: skip


def _end(here: Situation, others: tuple[Row, ...]) -> Iterator[Row]:
    """How the latest auto mode ended, unless another row says the same, or something was begun since."""
    last = _last(here)
    if last is None or here.alive:
        return
    if last.ended is None:
        open_ = _attempt(last, here)
        unit = f", in {open_.named}" if open_ and open_.ended is None else ""
        yield Row(
            kind=Kind.FAILED, milestone=open_.milestone if open_ else "", since_ms=last.heard_ms,
            reason=f"the run died without a last word (pid {last.started.pid}){unit}",
            next=here.typed("gsd auto settles what it left, and goes on."),
        )  # fmt: skip
        return
    ended = last.ended
    if ended.state == "done" or _said(ended, others, here):
        return
    stopped = _attempt(last, here)
    milestone = stopped.milestone if stopped else here.state.active_milestone.id if here.state.active_milestone else ""
    yield Row(
        kind=_kind(ended, stopped), milestone=milestone, reason=ended.reason, since_ms=ended.at_ms,
        next=here.typed(ended.hint or "gsd auto"), details=_checks(stopped, here),
    )  # fmt: skip


def _last(here: Situation) -> Run | None:
    """The latest auto mode, while nothing newer has taken its place. How a quick task stands is said of the task."""
    run = max(
        (run for run in here.runs if run.started.command != QUICK), key=lambda one: one.started.at_ms, default=None
    )
    fleet = here.look.fleet.started
    if run is None or not run.solo or (fleet is not None and fleet.at_ms > run.started.at_ms):
        return None
    return run


def _said(ended: RunEnded, others: tuple[Row, ...], here: Situation) -> bool:
    """Whether a row that looks at what is true now tells it already, or what it was about is mended."""
    if here.state.phase is Phase.COMPLETE and not here.look.unmerged:
        return True
    halted = isinstance(here.decision, Halt) and ended.state in ("blocked", "paused")
    same = any(row.reason == ended.reason for row in others)
    landing = any(row.kind in _LANDING and row.milestone in ended.reason for row in others)
    return same or landing or (halted and any(row.kind in (*_OF_RULE.values(), Kind.BLOCKED) for row in others))


def _kind(ended: RunEnded, stopped: Attempt | None) -> Kind:
    if ended.passing:
        return Kind.LIMIT
    if stopped is not None and stopped.result in _GATE:
        return Kind.GATE if ended.state in ("paused", "blocked") else _OF_STATE.get(ended.state, Kind.PAUSED)
    if stopped is not None and ended.state == "blocked":
        return Kind.CAPPED
    return _OF_STATE.get(ended.state, Kind.PAUSED)


def _attempt(run: Run, here: Situation) -> Attempt | None:
    """The attempt that a run ended on, if it did not end well."""
    made = [a for a in here.attempts if a.started.run == run.id]
    return made[-1] if made and not made[-1].committed else None


def _checks(stopped: Attempt | None, here: Situation) -> tuple[str, ...]:
    record = here.evidence(stopped) if stopped else None
    failed = [check for check in record.checks if check.verdict != "pass"] if record else []
    return tuple(f"{check.command}: exit {check.exit_code}" for check in failed)
