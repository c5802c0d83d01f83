"""What a coordinator says while it works: a line for each change, and on a terminal a table under them that moves.

Only differences are said: a milestone whose standing changed, a unit that was begun, what a person must do. A program
gets the same as JSON lines.
"""

import json
import select
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from milepost.fleet.observe import Observation
from milepost.formats.journal import Landed
from milepost.rules.schedule import Finish, Plan
from milepost.rules.standings import Stage, Standing
from milepost.ui.views import fleet_table, parallel_text

_SAID = {
    Stage.RUNNING: "is at work",
    Stage.PAUSED: "is paused",
    Stage.UNRESPONSIVE: "does not answer",
    Stage.HELD: "is held",
    Stage.BACKOFF: "is started again",
    Stage.BLOCKED: "is blocked",
    Stage.FAILED: "failed",
    Stage.BUDGET: "is out of budget",
    Stage.WAITS: "waits to be merged",
    Stage.MERGING: "is being merged",
    Stage.CONFLICT: "is in conflict",
    Stage.REFUSED: "was not merged",
    Stage.DONE: "is merged",
}
_LOOK_S = 0.2
"""How often it is looked whether a question still stands."""
_ERASE = "\x1b[{}A\x1b[J"
"""Up so many lines, and everything from there on gone."""


class Audience:
    """A terminal, a log, or a program that reads JSON."""

    def __init__(self, *, json_lines: bool, can_ask: bool, program: str) -> None:
        """`can_ask`: a person sits at stdin."""
        self.can_ask = can_ask
        self._json = json_lines
        self._program = program
        self._live = not json_lines and sys.stdout.isatty()
        self._standings: dict[str, tuple[Stage, str]] = {}
        self._units: dict[str, str] = {}
        self._table: tuple[str, ...] = ()
        self._question = ""
        """What stands at the terminal without an answer yet."""
        self._turn = threading.Lock()

    def begin(self, workers: Sequence[str], skipped: Sequence[tuple[str, str]]) -> None:
        """The documented opening. workers: milestones that are started at once; skipped: others, and why not."""
        if not self._json:
            nothing = "" if workers or skipped else "none new"
            self._write(f"\n{parallel_text.started(workers, skipped)}{nothing}\n")

    def plan(self, plan: Plan, seen: Observation) -> None:
        """Say what changed since the last time."""
        first = not self._standings
        for standing in plan.standings:
            landed = seen.fleet.of(standing.id).landed if standing.stage is Stage.DONE else None
            key = (standing.stage, landed.commit if landed else standing.cause)
            if self._standings.get(standing.id) != key:
                self._standings[standing.id] = key
                # What was complete before, or is so without a merge of ours, is no news.
                if standing.stage is not Stage.DONE or (landed and not first):
                    self._changed(standing, landed)
        for milestone, status in seen.statuses.items():
            unit = status.current_unit
            doing = f"{unit.type} {unit.id}" if unit else ""
            if milestone in seen.holders and doing != self._units.get(milestone, ""):
                self._units[milestone] = doing
                if doing:
                    self._say(milestone, "unit", f"▸ {doing}")
        if self._live:
            self._draw(fleet_table.rows(plan.standings, seen.statuses, now_ms=time.time_ns() // 1_000_000))

    def note(self, text: str) -> None:
        """A sentence."""
        if self._json:
            self._emit({"type": "note", "text": text})
        else:
            self._line(text)

    def ask(self, question: str, still: Callable[[], bool]) -> bool | None:
        """Ask at the terminal; the table keeps out of the way meanwhile. None: it is not asked any more."""
        self._draw(())
        _forget_typed()
        asked = f"{question} [y/N] "
        self._write(asked)
        self._question = asked
        try:
            while still():
                if select.select([sys.stdin], [], [], _LOOK_S)[0]:
                    return sys.stdin.readline().strip().lower() in ("y", "yes")
            self._write("\n")
            return None
        finally:
            self._question = ""

    def finish(self, finish: Finish) -> None:
        """How it ended, with the next thing to type."""
        if self._question:
            self._question = ""
            self._write("\n")
        self._draw(())
        if self._json:
            self._emit({"type": "end", "code": int(finish.code), "reason": finish.reason, "hint": finish.hint})
            return
        self._line(f"{finish.code.name.lower()}: {finish.reason}")
        if finish.hint:
            self._write(f"  {self._typed(finish.hint)}\n")

    def _changed(self, standing: Standing, landed: Landed | None) -> None:
        words = _SAID.get(standing.stage)
        if words is None:
            return
        if standing.at_ms:
            words += f" in {max(1, round(standing.at_ms / 1000 - time.time()))} s"
        if landed is not None:
            words = f"is merged: on {landed.target} as {landed.commit[:10]}"
            words += f", NOT pushed: {landed.push_error}" if landed.push_error else ""
        elif standing.cause:
            words += f": {standing.cause}"
        hint = f" — {self._typed(standing.hint)}" if standing.hint else ""
        self._say(standing.id, str(standing.stage), f"{words}{hint}")

    def _typed(self, hint: str) -> str:
        return hint if self._program == "gsd" else hint.replace("gsd ", f"{self._program} ")

    def _say(self, milestone: str, kind: str, text: str) -> None:
        if self._json:
            self._emit({"type": kind, "milestone": milestone, "text": text})
        else:
            self._line(f"{milestone} {text}")

    def _line(self, text: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')}  {parallel_text.plain(text)}\n")

    def _emit(self, record: dict[str, object]) -> None:
        self._write(json.dumps({"at": time.time_ns() // 1_000_000, **record}) + "\n")

    def _draw(self, table: tuple[str, ...]) -> None:
        """Replace the table below the lines."""
        if not self._live or self._question or table == self._table:
            return
        with self._turn:
            self._out(self._erased() + "".join(f"{line}\n" for line in table))
            self._table = table

    def _write(self, text: str) -> None:
        if self._question:
            text = f"\n{text}{self._question}"
        with self._turn:
            self._out(self._erased() + text + "".join(f"{line}\n" for line in self._table))

    def _erased(self) -> str:
        return _ERASE.format(len(self._table)) if self._table else ""

    def _out(self, text: str) -> None:
        # The terminal may be gone; the night's work goes on.
        with suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()


def _forget_typed() -> None:
    """What was typed before a question was put is no answer to it."""
    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
