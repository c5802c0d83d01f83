"""A project at one moment, as status, why, inbox and forensics look at it: plan, journal, who is at work.

A value; `ui.cli.looking` takes it. Nothing in it is remembered from one look to the next. Source: DESIGN rule 10.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from milepost.fleet.look import Look
from milepost.formats.captures import Capture
from milepost.formats.evidence import Evidence
from milepost.formats.journal import AnyEvent, BudgetWaiting, WaitBegan
from milepost.formats.preferences import Preferences
from milepost.model.state import State
from milepost.rules import attempts, pacing, quick, runs, waits
from milepost.rules.attempts import Attempt
from milepost.rules.dispatch import Decision
from milepost.rules.quick import Quick
from milepost.rules.runs import Run
from milepost.ui.views import plan_tree
from milepost.ui.views.fleet import Board
from milepost.ui.views.plan_tree import Stem

_DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is true now."""

    program: str
    """`gsd` or `sf`."""
    state_dir: str
    state: State
    decision: Decision
    preferences: Preferences
    board: Board
    """The fleet; empty when there is none."""
    runner: str
    """The run id of the auto mode that is at work; empty: none is."""
    pid: int
    """Its process; 0: none."""
    carried: int
    """Micro-USD that other programs spent."""
    evidence: Callable[[Attempt], Evidence | None] = field(default=lambda _: None)
    """The gate's record of an attempt, if it is still there."""
    drafts: tuple[str, ...] = ()
    """Milestones that have only a draft of their context."""
    captures: tuple[Capture, ...] = ()
    """All entries of CAPTURES.md."""
    plan: Callable[[], tuple[Stem, ...]] = field(default=tuple)
    """Reads all that is planned."""

    @property
    def look(self) -> Look:
        """The processes and leases."""
        return self.board.seen

    @property
    def now_ms(self) -> int:
        """When it was taken."""
        return self.look.now_ms

    @property
    def events(self) -> tuple[AnyEvent, ...]:
        """The whole journal."""
        return tuple(self.look.events)

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        """All that began."""
        return attempts.fold(self.look.events)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """All that began."""
        return runs.fold(self.look.events)

    @cached_property
    def quick(self) -> tuple[Quick, ...]:
        """All quick tasks."""
        return quick.fold(self.look.events)

    @cached_property
    def alive(self) -> frozenset[str]:
        """Runs whose process lives."""
        found = {self.runner, *(runner.run for runner in self.look.runners)}
        return frozenset(found - {""})

    @property
    def at_work(self) -> tuple[Attempt, ...]:
        """Attempts in flight."""
        return tuple(a for a in self.attempts if self.open(a))

    @property
    def waits(self) -> tuple[WaitBegan | BudgetWaiting, ...]:
        """What runs that live wait for, with the time at which they go on."""
        budget = [wait for run, wait in pacing.waiting(self.events).items() if run in self.alive]
        return (*(wait for wait in waits.open_waits(self.events) if wait.run in self.alive), *budget)

    def planned(self) -> frozenset[str]:
        """Ids of the slices and tasks of all plans: `M001/S01`, `M001/S01/T01`."""
        return plan_tree.ids(self.plan())

    def open(self, attempt: Attempt) -> bool:
        """Whether it goes on."""
        return attempt.ended is None and attempt.started.run in self.alive

    def typed(self, text: str) -> str:
        """A hint with its commands as they are typed here."""
        return text.replace("gsd ", f"{self.program} ")

    def clock(self, at_ms: int) -> str:
        """`12:04:02`, with the date when it is not of the last hours: `2026-03-17 12:04`."""
        then = time.localtime(at_ms / 1000)
        recent = abs(self.now_ms - at_ms) < _DAY_MS and then.tm_yday == time.localtime(self.now_ms / 1000).tm_yday
        return time.strftime("%H:%M:%S" if recent else "%Y-%m-%d %H:%M", then)
