"""What a coordinator says while it works: a line for each change, or the same as JSON lines.

Only differences are said: a milestone whose standing changed, a unit that was begun, what a person must do.
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from milepost.fleet.observe import Observation
from milepost.rules.schedule import Finish, Plan
from milepost.rules.standings import Stage, Standing
from milepost.ui.views import parallel_text

_SAID = {
    Stage.RUNNING: "is at work",
    Stage.PAUSED: "is paused",
    Stage.UNRESPONSIVE: "does not answer",
    Stage.HELD: "is held",
    Stage.BACKOFF: "is started again soon",
    Stage.BLOCKED: "is blocked",
    Stage.FAILED: "failed",
    Stage.BUDGET: "is out of budget",
    Stage.WAITS: "waits to be merged",
    Stage.MERGING: "is being merged",
    Stage.CONFLICT: "is in conflict",
    Stage.REFUSED: "was not merged",
    Stage.DONE: "is on its branch",
}


class Audience:
    """A terminal, a log, or a program that reads JSON."""

    def __init__(self, *, json_lines: bool, can_ask: bool, program: str) -> None:
        """`can_ask`: a person sits at stdin."""
        self.can_ask = can_ask
        self._json = json_lines
        self._program = program
        self._standings: dict[str, tuple[Stage, str]] = {}
        self._units: dict[str, str] = {}

    def begin(self, workers: Sequence[str]) -> None:
        """The documented opening. workers: milestones that are started at once."""
        if not self._json:
            self._write("\n" + parallel_text.started(workers) + "\n")

    def plan(self, plan: Plan, seen: Observation) -> None:
        """Say what changed since the last time."""
        first = not self._standings
        for standing in plan.standings:
            key = (standing.stage, standing.cause)
            if self._standings.get(standing.id) != key:
                self._standings[standing.id] = key
                if not (first and standing.stage is Stage.DONE):
                    self._changed(standing)
        for milestone, status in seen.statuses.items():
            unit = status.current_unit
            doing = f"{unit.type} {unit.id}" if unit else ""
            if milestone in seen.holders and doing != self._units.get(milestone, ""):
                self._units[milestone] = doing
                if doing:
                    self._say(milestone, "unit", doing)

    def note(self, text: str) -> None:
        """A sentence."""
        if self._json:
            self._emit({"type": "note", "text": text})
        else:
            self._line(text)

    def ask(self, question: str) -> bool:
        """Ask at the terminal."""
        self._write(f"{question} [y/N] ")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def finish(self, finish: Finish) -> None:
        """How it ended, with the next thing to type."""
        if self._json:
            self._emit({"type": "end", "code": int(finish.code), "reason": finish.reason, "hint": finish.hint})
            return
        hint = f"\n  {finish.hint}" if finish.hint else ""
        self._line(f"{finish.code.name.lower()}: {finish.reason}{hint}")

    def _changed(self, standing: Standing) -> None:
        words = _SAID.get(standing.stage)
        if words is None:
            return
        cause = f": {standing.cause}" if standing.cause and standing.stage is not Stage.DONE else ""
        hint = f" — {standing.hint}" if standing.hint else ""
        self._say(standing.id, str(standing.stage), f"{words}{cause}{hint}")

    def _say(self, milestone: str, kind: str, text: str) -> None:
        if self._json:
            self._emit({"type": kind, "milestone": milestone, "text": text})
        else:
            self._line(f"{milestone} {text}")

    def _line(self, text: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')}  {text}\n")

    def _emit(self, record: dict[str, object]) -> None:
        self._write(json.dumps({"at": time.time_ns() // 1_000_000, **record}) + "\n")

    def _write(self, text: str) -> None:
        # The terminal may be gone; the night's work goes on.
        with suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
