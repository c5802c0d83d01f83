"""Orders to workers, from any terminal, with or without a coordinator: written down, posted, and waited for.

What is wanted goes into the journal first, so that nobody starts what was just paused; then the order is posted to
each living worker under its run, so that no later run obeys it. A worker that took it says so in its status file,
which is the acknowledgement. Source: parallel PR-084 to PR-087, PR-100, PR-101, PR-303, PR-304, DV-11, DV-12, FM-40,
FM-41, FM-50.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import UNSET

from milepost.errors import MilepostError
from milepost.fleet import processes
from milepost.fleet.condition import Condition
from milepost.fleet.look import Look
from milepost.fleet.processes import Role, Runner
from milepost.fleet.worker_look import WorkerLook
from milepost.formats.journal import Ordered
from milepost.formats.signal import Order, Signal
from milepost.formats.status import CurrentUnit, Status
from milepost.model.ids import require_milestone
from milepost.rules.fleet import EVERY, Wanted
from milepost.store import beacons, mailbox
from milepost.store.journal import Journal

WRITER: Final = "orders"
"""Whose journal orders are written to."""
SENDER: Final = "coordinator"
"""What the order's file says it is from, whoever gave it: the one word the format knows (PR-303)."""
_POLL_S = 0.05
_SETTLE_MS = 500
"""How long a worker between two units may take from the order to its effect before that is called later."""


class UnknownMilestone(MilepostError):
    """An order for a milestone that this project does not have."""


class Answer(StrEnum):
    """What became of an order."""

    ALREADY = "already"
    """It was so before; nothing was sent."""
    NOT_RUNNING = "not-running"
    """No worker lives; what is wanted is written down."""
    DONE = "done"
    """Taken, and in effect."""
    LATER = "later"
    """Taken; it has its effect when the unit has ended."""
    SILENT = "silent"
    """Not taken in the time that was waited."""
    GONE = "gone"
    """The worker ended before it took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One order to one milestone, and what came of it."""

    milestone: str
    order: Order
    runner: Runner | None
    sent_at_ms: int
    answer: Answer
    after_ms: int = 0
    """From the order to what `answer` says."""
    unit: str = ""
    """`kind id` of the unit in flight; empty: none."""

    @property
    def open(self) -> bool:
        """Whether an answer is still to come."""
        return self.answer is Answer.SILENT


def require_known(milestones: Sequence[str], seen: Look) -> tuple[str, ...]:
    """`milestones` without repetition. Raises BadId, or UnknownMilestone for one that nobody knows of."""
    known = {*seen.titles, *(worker.milestone for worker in seen.workers), *seen.fleet.past}
    for milestone in milestones:
        if require_milestone(milestone) not in known:
            listed = ", ".join(seen.titles) or "there is none"
            raise UnknownMilestone(f"{milestone} is not a milestone of this project", hint=f"Milestones: {listed}")
    return tuple(dict.fromkeys(milestones))


def write_down(state: Path, order: str, milestones: Sequence[str], *, sender: str, run: str, now_ms: int) -> None:
    """Journal what is wanted. milestones: empty for all."""
    journal = Journal(state, WRITER)
    for milestone in milestones or (EVERY,):
        journal.append(Ordered(at_ms=now_ms, run=run, milestone=milestone, order=order, sender=sender))


def post(state: Path, runner: Runner, order: Order, at_ms: int) -> None:
    """Put the order into the worker's box, for its run only."""
    mailbox.post(
        state / "parallel", runner.milestone, Signal(signal=order, sent_at=at_ms, sender=SENDER, run=runner.run)
    )


def give(
    state: Path,
    order: Order,
    milestones: Sequence[str],
    seen: Look,
    *,
    sender: str,
    run: str,
    now_ms: Callable[[], int],
) -> tuple[Sent, ...]:
    """Give pause, resume or rebase. milestones: as `require_known` returned them; empty for all that live.

    sender: who says it, for people; run: names this command in the journal. Idempotent: what is so already is not
    ordered again. Raises OSError when it cannot be written down; then nothing was sent.
    """
    named = milestones or tuple(r.milestone for r in seen.runners if r.role is Role.WORKER)
    sent = tuple(_judged(order, seen, milestone, now_ms()) for milestone in named)
    if _news(order, milestones, seen, sent):
        write_down(state, order, milestones, sender=sender, run=run, now_ms=now_ms())
    for one in sent:
        if one.open and one.runner is not None:
            post(state, one.runner, order, one.sent_at_ms)
    return sent


def _judged(order: Order, seen: Look, milestone: str, at_ms: int) -> Sent:
    worker = seen.of(milestone)
    alive = worker is not None and worker.alive
    answer = Answer.SILENT if alive else Answer.NOT_RUNNING
    if worker is not None and alive and _is_so(order, worker):
        answer = Answer.ALREADY
    return Sent(
        milestone=milestone,
        order=order,
        runner=worker.runner if worker is not None and alive else None,
        sent_at_ms=at_ms,
        answer=answer,
        unit=unit_words(worker.unit) if worker else "",
    )


def _is_so(order: Order, worker: WorkerLook) -> bool:
    """Whether the worker is, and is wanted to be, what the order asks for."""
    wanted = worker.past.wanted
    if order is Order.PAUSE:
        return wanted is Wanted.PAUSE and worker.condition in (Condition.PAUSED, Condition.PAUSING)
    running = (Condition.STARTING, Condition.SETTING_UP, Condition.WORKING)
    return order is Order.RESUME and wanted is Wanted.RUN and worker.condition in running


def _news(order: Order, milestones: Sequence[str], seen: Look, sent: Sequence[Sent]) -> bool:
    """Whether the journal does not say so yet. Nobody keeps a rebase for a worker that does not live."""
    if any(one.open for one in sent) or order is Order.REBASE:
        return any(one.open for one in sent)
    wanted = Wanted.PAUSE if order is Order.PAUSE else Wanted.RUN
    concerned = milestones or tuple(seen.fleet.past)
    return any(seen.fleet.of(milestone).wanted is not wanted for milestone in concerned)


def await_answers(state: Path, sent: Sequence[Sent], *, wait_s: float) -> Iterator[Sent]:
    """Each order with its answer, as they come; those without any at the end, after `wait_s` seconds."""
    yield from (one for one in sent if not one.open)
    left = {one.milestone: _Waiting(state, one) for one in sent if one.open}
    began = time.monotonic()
    while left and time.monotonic() - began < wait_s:
        time.sleep(_POLL_S)
        statuses = {status.milestone_id: status for status in beacons.load(state / "parallel")}
        for milestone, waiting in tuple(left.items()):
            if found := waiting.look(statuses.get(milestone)):
                del left[milestone]
                yield found
    for waiting in left.values():
        yield waiting.give_up()


class _Waiting:
    """One order that was sent, until it is answered."""

    def __init__(self, state: Path, sent: Sent) -> None:
        self._state = state
        self._sent = sent
        self._began = time.monotonic()
        self._taken_ms: int | None = None
        self._unit = sent.unit

    def look(self, said: Status | None) -> Sent | None:
        """The answer, if there is one by now. said: what the worker's status file says."""
        if said is None or said.last_order is UNSET or said.last_order.sent_at < self._sent.sent_at_ms:
            gone = processes.at_work(self._state, self._sent.milestone, said) is None
            return self._answer(Answer.GONE, self._since()) if gone else None
        if self._taken_ms is None:
            self._taken_ms = self._since()
        self._unit = unit_words(said.current_unit)
        if _in_effect(self._sent.order, said):
            return self._answer(Answer.DONE, self._since())
        if self._unit or self._since() - self._taken_ms > _SETTLE_MS:
            return self._answer(Answer.LATER, self._taken_ms)
        return None

    def give_up(self) -> Sent:
        """The time is over."""
        if self._taken_ms is not None:
            return self._answer(Answer.LATER, self._taken_ms)
        return self._answer(Answer.SILENT, self._since())

    def _answer(self, answer: Answer, after_ms: int) -> Sent:
        return replace(self._sent, answer=answer, after_ms=after_ms, unit=self._unit)

    def _since(self) -> int:
        return int((time.monotonic() - self._began) * 1000)


def _in_effect(order: Order, said: Status) -> bool:
    doing = "" if said.doing is UNSET else said.doing
    match order:
        case Order.PAUSE:
            return said.state == "paused" or doing == "paused"
        case Order.RESUME:
            return said.state == "running" and doing not in ("paused", "pausing")
        case _:
            return False


def unit_words(unit: CurrentUnit | None) -> str:
    """`execute-task M001/S01/T02`; empty when there is none."""
    return f"{unit.type} {unit.id}" if unit else ""
