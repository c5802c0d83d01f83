"""Who ran when: the units, pauses and merges of each milestone, as spans of time, folded from the journal.

    timeline = fold(events, session=session, now_ms=now_ms)
    print(timeline_text.text(timeline, width=100, clock=clock))

An attempt whose process died ends where the last of it was heard, not where a later start closed it. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    FleetStarted,
    Landed,
    LandingEnded,
    LandingStep,
    OrderTaken,
    Result,
    RunEnded,
    SetUp,
    Undone,
    WorkerLost,
)

_ENDED = {
    "done": "complete",
    "blocked": "blocked",
    "paused": "paused",
    "budget": "out of budget",
    "interrupted": "stopped",
    "error": "failed",
}


class What(StrEnum):
    """What a span of time was spent with."""

    WAIT = "wait"
    """Complete, and not merged yet."""
    PAUSE = "pause"
    SET_UP = "set-up"
    TASK = "task"
    SLICE = "slice"
    """A unit about a whole slice: its plan, its summary, its tests."""
    MILESTONE = "milestone"
    MERGE = "merge"


UNITS = frozenset({What.TASK, What.SLICE, What.MILESTONE})
_ABOUT = (What.MILESTONE, What.SLICE, What.TASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when, in epoch milliseconds."""

    what: What
    begin_ms: int
    end_ms: int
    unit: str = ""
    """`execute-task M001/S01/T01`; of a merge the slice, or nothing."""
    failed: bool = False
    """The attempt brought no commit."""
    open: bool = False
    """It goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One milestone."""

    milestone: str
    spans: tuple[Span, ...]
    last: str = ""
    """What became of it: `merged`, `conflict`, `stopped`, `lost`, …; empty: it goes on."""
    last_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All of them, on one scale."""

    begin_ms: int
    end_ms: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How much of the work went on beside other work."""

    units: int
    work_ms: int
    """The length of all units."""
    at_once: tuple[int, ...]
    """Milliseconds with no unit at work, with one, with two, …"""


def fold(events: Iterable[AnyEvent], *, session: str = "", now_ms: int = 0) -> Timeline:
    """The rows of all milestones that were worked on or merged.

    events: of all writers, oldest first. session: only what came after this fleet's session began. now_ms: when what
    goes on is cut off; 0: at the last event.
    """
    of_fleet = not session
    rows: dict[str, _Row] = {}
    attempts: dict[str, str] = {}
    last_ms = now_ms
    for event in events:
        of_fleet = of_fleet or (isinstance(event, FleetStarted) and event.session == session)
        if not of_fleet:
            continue
        last_ms = max(last_ms, event.at_ms)
        if milestone := _milestone(event, attempts):
            rows.setdefault(milestone, _Row(milestone)).take(event)
        elif isinstance(event, RunEnded):
            for row in rows.values():
                row.let_go(event.run, event.at_ms)
    made = tuple(rows[mid].row(last_ms) for mid in sorted(rows, key=lambda mid: (len(mid), mid)))
    worked = tuple(row for row in made if row.spans)
    spans = [span for row in worked for span in row.spans]
    return Timeline(
        begin_ms=min((span.begin_ms for span in spans), default=last_ms),
        end_ms=max((span.end_ms for span in spans), default=last_ms),
        rows=worked,
    )


def together(timeline: Timeline) -> Together:
    """What the units add up to, and for how long how many ran at the same time."""
    units = [span for row in timeline.rows for span in row.spans if span.what in UNITS]
    turns = sorted([(span.begin_ms, 1) for span in units] + [(span.end_ms, -1) for span in units])
    at_once = [0]
    before, running = timeline.begin_ms, 0
    for at_ms, change in [*turns, (timeline.end_ms, 0)]:
        at_once[running] += at_ms - before
        before, running = at_ms, running + change
        at_once += [0] * (running + 1 - len(at_once))
    work_ms = sum(span.end_ms - span.begin_ms for span in units)
    return Together(units=len(units), work_ms=work_ms, at_once=tuple(at_once))


def _milestone(event: AnyEvent, attempts: dict[str, str]) -> str:
    """Whose row the event belongs to; empty: nobody's. Keeps in mind whose attempts are."""
    if isinstance(event, AttemptStarted):
        attempts[event.attempt] = event.unit.split("/")[0]
    attempt: str = getattr(event, "attempt", "")
    milestone: str = getattr(event, "milestone", "")
    return milestone or attempts.get(attempt, "")


class _Row:
    """One milestone while its events are read."""

    def __init__(self, milestone: str) -> None:
        self.milestone = milestone
        self.spans: list[Span] = []
        self.attempts: dict[str, tuple[str, Span]] = {}
        """Attempt to its run and its span."""
        self.heard: dict[str, int] = {}
        """Run to when it last said something."""
        self.since: dict[What, int] = {}
        """When the pause, the wait, the merge that goes on began."""
        self.last = ("", 0)

    def row(self, now_ms: int) -> Row:
        """What became of it until now."""
        for what in tuple(self.since):
            self._close(what, now_ms, is_open=True)
        units = [replace(span, end_ms=now_ms) if span.open else span for _, span in self.attempts.values()]
        spans = sorted([*self.spans, *units], key=lambda span: (span.begin_ms, span.end_ms))
        goes_on = any(span.open and span.what in UNITS for span in spans)
        word, at_ms = ("", 0) if goes_on else self.last
        return Row(milestone=self.milestone, spans=tuple(spans), last=word, last_ms=at_ms)

    def take(self, event: AnyEvent) -> None:
        """Add what the event says."""
        match event:
            case AttemptStarted():
                self._begin(event)
            case AttemptEnded():
                self._end(event)
            case OrderTaken(order=order):
                self._ordered(order, event.at_ms)
            case SetUp(duration_ms=duration):
                self.spans.append(Span(what=What.SET_UP, begin_ms=event.at_ms - duration, end_ms=event.at_ms))
            case RunEnded():
                self.let_go(event.run, event.at_ms)
                self._say(_ENDED.get(event.state, event.state), event.at_ms)
                if event.state == "done":
                    self.since.setdefault(What.WAIT, event.at_ms)
            case WorkerLost():
                self.let_go(event.worker_run, self.heard.get(event.worker_run, event.at_ms))
                self._say("lost", event.at_ms)
            case LandingStep() | LandingEnded() | Landed() | Undone():
                self._merge(event)
            case _:
                pass
        self.heard[event.run] = event.at_ms

    def _begin(self, event: AttemptStarted) -> None:
        what = _ABOUT[min(event.unit.count("/"), 2)]
        unit = f"{event.kind} {event.unit}"
        span = Span(what=what, begin_ms=event.at_ms, end_ms=event.at_ms, unit=unit, open=True)
        self.attempts[event.attempt] = (event.run, span)

    def _end(self, event: AttemptEnded) -> None:
        if event.attempt not in self.attempts:
            return
        run, span = self.attempts[event.attempt]
        if span.open:
            # One that a later run closes had ended before that run began.
            end_ms = event.at_ms if event.run == run else self.heard.get(run, event.at_ms)
            span = replace(span, end_ms=end_ms, open=False)
        self.attempts[event.attempt] = (run, replace(span, failed=event.result is not Result.COMMITTED))

    def let_go(self, run: str, at_ms: int) -> None:
        """The process of the run is gone; what it had begun and not ended came to nothing."""
        for attempt, (of_run, span) in self.attempts.items():
            if span.open and of_run == run:
                self.attempts[attempt] = (of_run, replace(span, end_ms=at_ms, open=False, failed=True))
        self._close(What.PAUSE, at_ms)

    def _ordered(self, order: str, at_ms: int) -> None:
        if order == "pause":
            self.since.setdefault(What.PAUSE, at_ms)
        elif order in ("resume", "stop"):
            self._close(What.PAUSE, at_ms)

    def _merge(self, event: LandingStep | LandingEnded | Landed | Undone) -> None:
        match event:
            case LandingStep():
                self._close(What.WAIT, event.at_ms)
                self.since.setdefault(What.MERGE, event.at_ms)
            case Landed():
                self._close(What.MERGE, event.at_ms)
                self._say("merged", event.at_ms)
            case LandingEnded():
                self._close(What.MERGE, event.at_ms, unit=event.slice)
                self._landed_or_not(event)
            case Undone():
                self._say("undone", event.at_ms)

    def _landed_or_not(self, event: LandingEnded) -> None:
        if event.slice or (event.outcome == "landed" and self.last[0] == "merged"):
            return
        landed = event.outcome in ("landed", "nothing", "kept")
        self._say("merged" if event.outcome == "landed" else event.outcome, event.at_ms)
        if not landed:
            self.since[What.WAIT] = event.at_ms

    def _close(self, what: What, at_ms: int, *, unit: str = "", is_open: bool = False) -> None:
        """End what goes on. A pause begins where the unit ended that was in hand when it was ordered."""
        begin_ms = self.since.pop(what, None)
        if begin_ms is None:
            return
        if what is What.PAUSE:
            begin_ms = max([begin_ms, *(span.end_ms for _, span in self.attempts.values() if not span.open)])
        if begin_ms < at_ms or what is What.MERGE:
            self.spans.append(Span(what=what, begin_ms=begin_ms, end_ms=at_ms, unit=unit, open=is_open))

    def _say(self, word: str, at_ms: int) -> None:
        self.last = (word, at_ms)
