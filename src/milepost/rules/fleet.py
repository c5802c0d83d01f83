"""What the journal says of a fleet: its session, and for each milestone what is wanted, what ended, what failed.

A fold over the events of all writers, oldest first. Nothing here is remembered by a coordinator; one that was
killed is replaced by one that folds the same lines. Source: DESIGN "Parallel", parallel FM-18, FM-93, section 7.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from msgspec import structs

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    FleetEnded,
    FleetStarted,
    Landed,
    LandingEnded,
    LandingStep,
    Ordered,
    Result,
    RunEnded,
    RunStarted,
    SliceLanded,
    SliceReady,
    Undone,
    WorkerLost,
    WorkerSpawned,
)

EVERY = "*"
"""The milestone of an order to all."""
BY_BUDGET = "budget"
"""Sender of a stop that raising the ceiling takes back."""


DIED = "died"
"""Outcome of a merge whose process ended without a word."""


class Wanted(StrEnum):
    """What a person wants of a milestone."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the journal says of one milestone."""

    wanted: Wanted = Wanted.RUN
    wanted_by: str = ""
    wanted_at_ms: int = 0
    run: str = ""
    """The latest worker's run."""
    began_ms: int = 0
    ended: RunEnded | None = None
    """The terminal record of that run; None: it has none (yet)."""
    lost: bool = False
    """A coordinator noted that the run ended without a terminal record."""
    crashes: int = 0
    """Runs in a row that died or ended in error, without a unit finished since."""
    last_crash_ms: int = 0
    crash_reason: str = ""
    parks: int = 0
    """Runs in a row that ended because of something passing (a limit, a provider that is down)."""
    budget_stop: bool = False
    """Its worker was told to stop because the ceiling was reached."""
    landing: LandingEnded | None = None
    """How the latest merge of the whole milestone ended; None when there was none, or it landed."""
    slice_landing: LandingEnded | None = None
    """The same of a slice."""
    landing_begun: bool = False
    """A merge was begun and has not landed: git may be half way."""
    merge_deaths: int = 0
    """Merges in a row whose process died."""
    unsettled: bool = False
    """An attempt at a unit has no end on record: its worker died, and the next one verifies what it left."""
    landed: Landed | None = None
    undone: Undone | None = None
    slices: tuple[SliceReady, ...] = ()
    """Finished slices that wait to be merged on their own, oldest first."""
    completed_ms: int = 0
    """When a worker said that the milestone is complete."""

    @property
    def landed_ms(self) -> int:
        """When it landed; 0: it did not."""
        return self.landed.at_ms if self.landed is not None else 0

    @property
    def open_run(self) -> bool:
        """Whether the latest run has no end on record."""
        return bool(self.run) and self.ended is None and not self.lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The whole of it."""

    session: str = ""
    """Whose spending counts together; empty: none is open."""
    started: FleetStarted | None = None
    """The latest coordinator."""
    ended: FleetEnded | None = None
    """How the latest coordinator ended; None while it runs, or when it was killed."""
    stop_all: bool = False
    """A person told everything to stop since the latest start."""
    others: Past = Past()
    """What holds for a milestone that nothing is known of: an order to all is for it too."""
    past: Mapping[str, Past] = field(default_factory=dict)

    def of(self, milestone: str) -> Past:
        """What is known of one milestone."""
        return self.past.get(milestone, self.others)


class _Fold:
    def __init__(self) -> None:
        self.fleet = Fleet()
        self.past: dict[str, Past] = {}
        self.attempts: dict[str, str] = {}
        # A clock that was set back may put what one writer says of a run before or after what another does.
        self.begun: set[str] = set()
        self.buried: set[str] = set()

    def of(self, milestone: str) -> Past:
        return self.past.get(milestone, self.fleet.others)

    def edit(self, milestone: str, **changes: object) -> None:
        self.past[milestone] = replace(self.of(milestone), **changes)  # type: ignore[arg-type]

    def ordered(self, event: Ordered) -> None:
        everyone = event.milestone == EVERY
        if event.order == "stop" and everyone:
            self.fleet = replace(self.fleet, stop_all=True)
        if everyone and event.order in _WANTED and event.sender != BY_BUDGET:
            wanted = Past(wanted=_WANTED[event.order], wanted_by=event.sender, wanted_at_ms=event.at_ms)
            self.fleet = replace(self.fleet, others=wanted)
        for milestone in tuple(self.past) if everyone else (event.milestone,):
            self._ordered(milestone, event)

    def _ordered(self, milestone: str, event: Ordered) -> None:
        if event.order == "retry":
            self.edit(milestone, crashes=0, parks=0, landing=None, undone=None)
            if not self.of(milestone).open_run:  # How a run that lives will end is not known yet.
                self.edit(milestone, run="", ended=None)
        elif event.sender == BY_BUDGET:
            self.edit(milestone, budget_stop=True)
        elif event.order in _WANTED:
            wanted = _WANTED[event.order]
            self.edit(milestone, wanted=wanted, wanted_by=event.sender, wanted_at_ms=event.at_ms)
            if wanted is Wanted.RUN and self.past[milestone].ended is not None:
                self.edit(milestone, run="", ended=None, budget_stop=False)

    def fleet_started(self, event: FleetStarted) -> None:
        self.fleet = replace(self.fleet, session=event.session, started=event, ended=None, stop_all=False)
        self.fleet = replace(self.fleet, others=Past())
        for milestone in tuple(self.past):
            if milestone not in event.adopted:
                self.edit(milestone, wanted=Wanted.RUN, wanted_by="", wanted_at_ms=event.at_ms)
                # A person who starts again wants what was blocked or refused to be tried again.
                self.edit(milestone, run="", lost=False, ended=None, parks=0, budget_stop=False)
                self.edit(milestone, landing=None, slice_landing=None, merge_deaths=0)

    def fleet_ended(self, event: FleetEnded) -> None:
        session = "" if event.state == "done" else self.fleet.session
        self.fleet = replace(self.fleet, ended=event, session=session)

    def spawned(self, event: WorkerSpawned) -> None:
        if event.worker_run not in self.begun:
            self._begun(event.milestone, event.worker_run, event.at_ms)

    def run_started(self, event: RunStarted) -> None:
        if event.milestone and self.of(event.milestone).run != event.run:
            self._begun(event.milestone, event.run, event.at_ms)

    def _begun(self, milestone: str, run: str, at_ms: int) -> None:
        self.begun.add(run)
        lost = run in self.buried
        self.edit(milestone, run=run, began_ms=at_ms, ended=None, lost=lost, budget_stop=False)

    def run_ended(self, event: RunEnded) -> None:
        if not event.milestone or self.of(event.milestone).run != event.run:
            return
        past = self.past[event.milestone]
        self.edit(event.milestone, ended=event)
        if event.state == "error":
            self._crashed(event.milestone, event.reason, event.at_ms)
        elif event.state == "done":
            self.edit(event.milestone, completed_ms=event.at_ms, crashes=0, parks=0)
        elif event.passing:
            self.edit(event.milestone, parks=past.parks + 1)

    def lost(self, event: WorkerLost) -> None:
        if event.worker_run in self.buried:
            return
        self.buried.add(event.worker_run)
        if event.worker_run == self.of(event.milestone).run:
            self.edit(event.milestone, lost=True)
        self._crashed(event.milestone, event.reason, event.at_ms)

    def _crashed(self, milestone: str, reason: str, at_ms: int) -> None:
        crashes = self.of(milestone).crashes + 1
        self.edit(milestone, crashes=crashes, last_crash_ms=at_ms, crash_reason=reason)

    def attempt_started(self, event: AttemptStarted) -> None:
        milestone = self.attempts[event.attempt] = event.unit.split("/")[0]
        if milestone in self.past:
            self.edit(milestone, unsettled=True)

    def attempt_ended(self, event: AttemptEnded) -> None:
        milestone = self.attempts.pop(event.attempt, "")
        if milestone in self.past:
            self.edit(milestone, unsettled=False)
        if event.result is Result.COMMITTED and milestone in self.past:
            self.edit(milestone, crashes=0, parks=0)

    def landing_ended(self, event: LandingEnded) -> None:
        deaths = self.of(event.milestone).merge_deaths + 1 if event.outcome == DIED else 0
        self.edit(event.milestone, merge_deaths=deaths)
        if event.slice:
            self.edit(event.milestone, slice_landing=None if event.outcome == "landed" else event)
        else:
            self.edit(event.milestone, landing=None if event.outcome == "landed" else event)

    def landing_step(self, event: LandingStep) -> None:
        if not event.slice:
            self.edit(event.milestone, landing_begun=True, unsettled=False)

    def landed(self, event: Landed) -> None:
        self.edit(event.milestone, landed=event, undone=None, slices=(), slice_landing=None, landing=None)
        self.edit(event.milestone, landing_begun=False, merge_deaths=0)
        if event.pushed:
            self._pushed(event.target)

    def _pushed(self, target: str) -> None:
        """A branch goes as a whole: what could not be pushed before went with it."""
        for milestone, past in tuple(self.past.items()):
            if past.landed is not None and past.landed.target == target:
                self.edit(milestone, landed=structs.replace(past.landed, push_error=""))

    def slice_ready(self, event: SliceReady) -> None:
        waiting = self.of(event.milestone).slices
        if event.slice not in {ready.slice for ready in waiting}:
            self.edit(event.milestone, slices=(*waiting, event))

    def slice_landed(self, event: SliceLanded) -> None:
        waiting = self.of(event.milestone).slices
        self.edit(event.milestone, slices=tuple(ready for ready in waiting if ready.slice != event.slice))

    def undone(self, event: Undone) -> None:
        self.edit(event.milestone, undone=event, landed=None, completed_ms=0)


_WANTED = {"pause": Wanted.PAUSE, "resume": Wanted.RUN, "stop": Wanted.STOP}

_TAKE: Mapping[type, Callable[[_Fold, Any], None]] = {
    Ordered: _Fold.ordered,
    FleetStarted: _Fold.fleet_started,
    FleetEnded: _Fold.fleet_ended,
    WorkerSpawned: _Fold.spawned,
    WorkerLost: _Fold.lost,
    RunStarted: _Fold.run_started,
    RunEnded: _Fold.run_ended,
    AttemptStarted: _Fold.attempt_started,
    AttemptEnded: _Fold.attempt_ended,
    LandingStep: _Fold.landing_step,
    LandingEnded: _Fold.landing_ended,
    Landed: _Fold.landed,
    SliceReady: _Fold.slice_ready,
    SliceLanded: _Fold.slice_landed,
    Undone: _Fold.undone,
}


def fold(events: Iterable[AnyEvent]) -> Fleet:
    """The fleet as the journal tells it. Pure; never raises."""
    folding = _Fold()
    for event in events:
        take = _TAKE.get(type(event))
        if take is not None:
            take(folding, event)
    return replace(folding.fleet, past=folding.past)


def unpushed(told: Fleet) -> tuple[Landed, ...]:
    """What landed since the latest coordinator began and the remote did not take (gsd-pi#2153)."""
    began = told.started.at_ms if told.started is not None else 0
    found = (past.landed for past in told.past.values() if past.landed is not None)
    return tuple(landed for landed in found if landed.push_error and landed.at_ms >= began)


def runs_of(events: Iterable[AnyEvent], session: str) -> frozenset[str]:
    """The worker runs of a session: whose attempts its ceiling counts."""
    found = {e.run for e in events if isinstance(e, RunStarted) and e.fleet == session}
    return frozenset(found)
