"""What captured thoughts ask for at the seam between two units: sorting them, and acting on what they were found to be.

Nothing here is remembered: pending and sorted captures stand in `CAPTURES.md`, attempts and owners in the journal, and
both are asked each round. Of several processes one at a time acts; the kernel keeps the turn. What cannot be sorted
stays pending, is said once, and does not stop the run. Source: spec auto 5.9, 5.15; decision 0021.
"""

import os
from collections.abc import Iterable
from enum import Enum
from typing import Final, TypeAlias

from milepost.errors import ExitCode, FormatError
from milepost.formats import captures
from milepost.formats.captures import Capture
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result
from milepost.git import refs, status
from milepost.git.put_right import take_back
from milepost.git.snapshots import snapshot
from milepost.model.moments import iso
from milepost.model.state import Phase, State
from milepost.model.units import ERRANDS, Unit, of_type
from milepost.rules import captures as sorting
from milepost.rules import retry
from milepost.rules.dispatch import Dispatch
from milepost.rules.fingerprint import fingerprint
from milepost.rules.hooks import Story
from milepost.store import flock, notebook
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.worker import history, hooks, injecting, landing
from milepost.worker.shift import Ending, Shift

STEP = "next"
"""The command in which errands wait."""
TRIAGE = "triage"
"""The command that does nothing else."""
_ALL_SLICES_DONE: Final = (Phase.VALIDATING_MILESTONE, Phase.COMPLETING_MILESTONE)


class Again(Enum):
    """The plan changed: everything is to be looked at afresh."""

    AGAIN = "again"


AGAIN: Final = Again.AGAIN
Found: TypeAlias = Dispatch | Ending | Again | None
"""An errand's unit, an ending that somebody asked for, or whether to look again; None: nothing is due."""


class Errands:
    """The errands of one run."""

    def __init__(self, shift: Shift) -> None:
        self.shift = shift
        self._said = set[str]()
        self._turn: int | None = None
        self._hooks = Story()

    def milestone(self, state: State, home: Snapshot) -> str:
        """The milestone for which there may be an errand; empty: there is none, and no place needs to be made."""
        self._let_go()
        self._hooks = hooks.story(self.shift)
        if self.shift.command == STEP:
            return ""
        if self.shift.command != TRIAGE and (of_hook := hooks.milestone(self._hooks, self.shift)):
            return of_hook
        if state.active_milestone is None or self.shift.command == hooks.RUN_HOOK:
            return ""
        text = notebook.text(self.shift.state, notebook.CAPTURES)
        milestone = state.active_milestone.id
        if not text or not (sorting.pending(text) or self._waiting(text, milestone)):
            return ""
        landing_first = self.shift.lock is None and landing.due(state, home, self.shift)
        return milestone if not landing_first and at_seam(self.shift.journal(milestone).own()) else ""

    def over(self) -> Ending | None:
        """How a run ends that was for errands only, once there are none."""
        if self.shift.command == hooks.RUN_HOOK:
            left = next(iter(self._hooks.wanted), None)
            failed = Ending(ExitCode.BLOCKED, f"the hook {left.hook} was not run for {left.unit}") if left else None
            return failed or Ending(ExitCode.DONE, "the hook ran")
        return Ending(ExitCode.DONE, "no capture waits to be sorted") if self.shift.command == TRIAGE else None

    def due(self, state: State, bench: Bench) -> Found:
        """What hooks and captures ask for now."""
        if self.shift.command != TRIAGE:
            for unit in hooks.due(self._hooks, bench, self.shift):
                if unit is None:
                    return AGAIN
                if at_seam(bench.journal.own()) and (found := self._unless_capped(unit, "hook-is-run", bench)):
                    return found
        of_this = state.active_milestone is not None and state.active_milestone.id == bench.workspace.milestone
        seam = of_this and at_seam(bench.journal.own())
        return self._captures(state, bench) if seam and self.shift.command != hooks.RUN_HOOK else None

    def _captures(self, state: State, bench: Bench) -> Found:
        self._turn = flock.take(self.shift.state / "runtime" / "captures.turn")
        if self._turn is None:
            return None  # Another worker is at it, and what it leaves is seen next time.
        text = notebook.text(self.shift.state, notebook.CAPTURES)
        for standing in self._waiting(text, bench.workspace.milestone):
            if (found := self._act(standing, state, bench)) is not None:
                return found
        return self._triage(sorting.pending(text), state, bench)

    def _waiting(self, text: str, milestone: str) -> tuple[sorting.Standing, ...]:
        # Another milestone's worker may have sorted what is this one's.
        known = self.shift.journal(milestone).everything()
        return sorting.waiting(text, known, milestone, alone=self.shift.lock is None)

    def _act(self, standing: sorting.Standing, state: State, bench: Bench) -> Found:
        entry = standing.capture
        if standing.said:
            self._executed(entry)
            return None
        match entry.classification:
            case "stop" | "backtrack":
                return _stopping(entry)
            case "inject" | "replan":
                act = injecting.inject if entry.classification == "inject" else injecting.replan
                if act(entry, state, bench, self.shift):
                    self._executed(entry)
                    return AGAIN
                # With every slice done there is no plan left that a task could be added to.
                alone = entry.classification == "inject" and state.phase in _ALL_SLICES_DONE
                return self._quick(entry, bench) if alone else None
            case "quick-task":
                return self._quick(entry, bench)
            case _:
                return None

    def _quick(self, entry: Capture, bench: Bench) -> Dispatch | None:
        if self.shift.command == TRIAGE:
            return None
        return self._unless_capped(sorting.quick(bench.workspace.milestone, entry.id), "quick-task-is-done", bench)

    def _triage(self, waiting: tuple[Capture, ...], state: State, bench: Bench) -> Dispatch | None:
        if not waiting:
            return None
        active = state.active_slice.id if state.active_slice else ""
        unit = sorting.unit(bench.workspace.milestone, active, waiting)
        if (tried := _tried(unit, bench)) >= retry.ATTEMPTS:
            self.give_up(unit, f"tried {tried} times", bench)
            return None
        return self._unless_capped(unit, "captures-are-sorted", bench)

    def _unless_capped(self, unit: Unit, rule: str, bench: Bench) -> Dispatch | None:
        _, capped = history.may_start(unit, bench)
        if capped is None:
            return Dispatch(unit, rule)
        self.give_up(unit, capped.reason, bench)
        return None

    def give_up(self, unit: Unit, reason: str, bench: Bench) -> None:
        """Say once that an errand is left alone, and take what its last attempt left out of the next unit's commit."""
        if (what := unit.name or unit.id) not in self._said:
            self._said.add(what)
            bench.watcher.note(f"{unit} is left for a person: {reason}")
        if _last(bench.journal.own()) == unit.key:
            clear_away(bench)

    def _executed(self, entry: Capture) -> None:
        at = iso(self.shift.now_ms())
        try:
            notebook.change(
                self.shift.state, notebook.CAPTURES, lambda text: captures.mark_executed(text, entry.id, at=at)
            )
        except FormatError:
            return  # A person took it out of the file.

    def _let_go(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None


def at_seam(events: Iterable[AnyEvent]) -> bool:
    """Whether the last unit of the plan is done, so that nothing half-finished of it lies in the workplace."""
    last, result = "", None
    for event in events:
        match event:
            case AttemptStarted() if of_type(event.kind, event.unit).kind not in ERRANDS:
                last, result = event.attempt, None
            case AttemptEnded(attempt=attempt) if attempt == last:
                result = event.result
            case _:
                pass
    return not last or result is Result.COMMITTED


def clear_away(bench: Bench) -> None:
    """Take back what an errand that failed left in a worktree of ours; a backup ref keeps it."""
    place = bench.workspace
    if place.isolation != "worktree":
        return
    left = tuple(change.path for change in status.dirty(place.cwd) if not change.nested)
    if left:
        backup = refs.pin(place.root, place.milestone, "errand", snapshot(place.cwd))
        take_back(place.cwd, left)
        bench.watcher.note(f"what it left was taken back; {backup} keeps it")


def _tried(unit: Unit, bench: Bench) -> int:
    """How often these very captures could not be sorted, in whatever slice the work was then."""
    events, marks = bench.journal.everything(), fingerprint(unit, tree_of(bench))
    places = {e.unit for e in events if isinstance(e, AttemptStarted) and e.kind == unit.type}
    past = (retry.history(events, unit._replace(id=place), marks) for place in places)
    return sum(one.same_input + one.gate_failures for one in past)


def _last(events: Iterable[AnyEvent]) -> str:
    started = [f"{event.kind}/{event.unit}" for event in events if isinstance(event, AttemptStarted)]
    return started[-1] if started else ""


def _stopping(entry: Capture) -> Ending:
    if entry.classification == "stop":
        return Ending(ExitCode.PAUSED, f"{entry.id} asks to stop: {entry.text}", "gsd auto goes on when you have.")
    hint = "gsd undo takes finished work back; gsd steer changes the course; gsd auto goes on as it is."
    return Ending(ExitCode.PAUSED, f"{entry.id} asks to go back: {entry.text}", hint)
