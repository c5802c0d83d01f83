"""How a run shows itself while it goes on: a live line on a terminal, plain lines elsewhere, JSON lines on request.

The same three facts everywhere: which unit, since when, and what it took so far. Source: issue "Commands".
"""

import json
import re
import shutil
import sys
import threading
import time
from collections.abc import Collection
from typing import Protocol, TextIO

from milepost.agents.session import Ended, Event, Text, ToolCall, ToolResult, Usage
from milepost.errors import ExitCode, MilepostError
from milepost.model import money
from milepost.model.units import Unit
from milepost.model.words import counted
from milepost.ui.views import spending, totals
from milepost.ui.views.totals import Totals
from milepost.unit.bench import Watcher
from milepost.worker.shift import Ending, Shift

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Closing(Watcher, Protocol):
    """A watcher that has something to put away at the end."""

    def close(self) -> None:
        """Restore the terminal."""
        ...


def watcher(*, json_lines: bool, stream: TextIO, only: Collection[str] | None = None) -> Closing:
    """The watcher that fits where output goes. only: types of JSON lines to print; None: all."""
    if json_lines:
        return JsonLines(stream, only)
    return Live(stream) if stream.isatty() else Plain(stream)


class _Tally:
    """What a unit took so far."""

    def __init__(self) -> None:
        self.unit: Unit | None = None
        self.since = time.monotonic()
        self.tokens = 0
        self.flat_tokens = 0
        self.micro_usd: int | None = 0
        self.doing = ""

    def begin(self, unit: Unit) -> None:
        self.__init__()  # type: ignore[misc]
        self.unit = unit

    def add(self, event: Event) -> None:
        match event:
            case Usage(flat=True):
                self.tokens += (tokens := event.input + event.output + event.cache_read + event.cache_write)
                self.flat_tokens += tokens
            case Usage():
                self.tokens += event.input + event.output + event.cache_read + event.cache_write
                known = self.micro_usd is not None and event.micro_usd is not None
                self.micro_usd = (self.micro_usd or 0) + (event.micro_usd or 0) if known else None
            case ToolCall():
                self.doing = f"{event.name} {target(event)}".strip()
            case Text():
                self.doing = "writing"
            case ToolResult() | Ended():
                self.doing = "waiting for the model"
            case _:
                pass

    def took(self) -> str:
        seconds = int(time.monotonic() - self.since)
        clock = f"{seconds // 60}:{seconds % 60:02d}"
        cost = "flat rate" if self.flat_tokens and not self.micro_usd else money.show(self.micro_usd)
        return f"{clock}  {money.show_tokens(self.tokens)} tokens  {cost}"


def target(call: ToolCall) -> str:
    """What a tool is called for: a file, a command, a pattern; empty where it is nothing of the kind."""
    return next((str(call.args[key]) for key in ("path", "command", "pattern", "query") if key in call.args), "")


class Plain:
    """One line per fact; for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tally = _Tally()

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """Say so."""
        del attempt
        self._tally.begin(unit)
        again = f" (attempt {number})" if number > 1 else ""
        self._line(f"▸ {unit}{again}")

    def session_event(self, event: Event) -> None:
        """Count; only the end of a session is worth a line."""
        self._tally.add(event)
        if isinstance(event, Ended):
            self._line(f"  session ended ({event.stop}): {counted(event.requests, 'request')}, {self._tally.took()}")

    def note(self, text: str) -> None:
        """A sentence."""
        self._line(f"  {text}")

    def close(self) -> None:
        """Nothing to restore."""

    def _line(self, text: str) -> None:
        try:
            self._stream.write(safe(text) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more (a closed terminal, `| head`); the work goes on and the journal has it all.
            self._stream = sys.__stderr__ if sys.__stderr__ is not None else self._stream


class Live(Plain):
    """Plain lines, and under them one line that moves, redrawn twice a second."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._redraw, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop drawing and clear the line."""
        self._over.set()
        self._thread.join(2)
        self._put("\r\x1b[K")

    def session_event(self, event: Event) -> None:
        """Count, and forget the unit when its session is over."""
        super().session_event(event)
        if isinstance(event, Ended):
            self._tally.doing = "checking"

    def _line(self, text: str) -> None:
        self._put(f"\r\x1b[K{safe(text)}\n")

    def _redraw(self) -> None:
        while not self._over.wait(0.5):
            self._redraw_once()

    def _redraw_once(self) -> None:
        if self._tally.unit is not None:
            width = shutil.get_terminal_size().columns
            text = f"  {self._tally.unit}  {self._tally.took()}  {self._tally.doing}"
            self._put(f"\r\x1b[K\x1b[2m{safe(text)[: width - 1]}\x1b[0m")

    def _put(self, text: str) -> None:
        with self._lock:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                self._over.set()


class JsonLines:
    """Every fact as one JSON object a line; for scripts."""

    def __init__(self, stream: TextIO, only: Collection[str] | None = None) -> None:
        self._stream = stream
        self._only = only

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """`{"type":"unit-started",…}`."""
        self._put(type="unit-started", unitType=unit.type, unitId=unit.id, attempt=attempt, number=number)

    def session_event(self, event: Event) -> None:
        """The session's event; streamed text is left to the transcript."""
        match event:
            case ToolCall():
                self._put(type="tool-call", name=event.name, target=target(event))
            case ToolResult():
                self._put(type="tool-result", name=event.name, ok=event.ok, refused=event.refused)
            case Usage():
                self._put(
                    type="usage",
                    model=event.model,
                    input=event.input,
                    output=event.output,
                    cacheRead=event.cache_read,
                    cacheWrite=event.cache_write,
                    cost=None if event.micro_usd is None else money.to_usd(event.micro_usd),
                    **({"flatRate": True} if event.flat else {}),
                )
            case Ended():
                error = {"errorKind": str(event.error.kind), "error": event.error.text} if event.error else {}
                self._put(type="session-ended", stop=str(event.stop), requests=event.requests, **error)
            case _:
                pass

    def note(self, text: str) -> None:
        """`{"type":"note",…}`."""
        self._put(type="note", text=text)

    def close(self) -> None:
        """Nothing to restore."""

    def _put(self, **fields: object) -> None:
        if self._only is not None and fields["type"] not in self._only:
            return
        try:
            self._stream.write(json.dumps({**fields, "at": time.time_ns() // 1_000_000}) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # The reader went away; the run goes on, and its journal and exit code still tell.
            return


def summary(ending: Ending, shift: Shift, *, seconds: float, headless: bool, program: str, restarts: int = 0) -> None:
    """The last words of a run: in sentences, or as the final JSON line of `headless`."""
    hint = ending.hint.replace("gsd ", f"{program} ")
    found = totals.of_run(shift.journal("project").everything(), shift.run)
    if headless:
        sys.stdout.write(_json(ending, hint, found, seconds, restarts) + "\n")
        return
    cost = spending.show(found.spent)
    lines = [f"{ending.code.name.lower()}: {ending.reason}"]
    lines += [f"  {hint}"] if hint else []
    lines += [f"  {totals.words(found)}, {money.show_tokens(found.spent.tokens)} tokens, {cost}, {seconds:.0f} s"]
    sys.stdout.write("".join(f"{safe(line)}\n" for line in lines))


def failure(error: MilepostError | OSError, *, restarts: int = 0) -> None:
    """The final JSON line of a headless run that ended with an error."""
    code = error.exit_code if isinstance(error, MilepostError) else ExitCode.ERROR
    hint = error.hint if isinstance(error, MilepostError) else ""
    words = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    sys.stdout.write(_json(Ending(code, words, hint), hint, Totals(), 0.0, restarts) + "\n")


def _json(ending: Ending, hint: str, found: Totals, seconds: float, restarts: int) -> str:
    return json.dumps(
        {
            "type": "summary",
            "status": ending.code.name.lower(),
            "exitCode": int(ending.code),
            "reason": ending.reason,
            "hint": hint,
            "units": found.units,
            "settled": found.settled,
            "sessions": found.sessions,
            "tokens": found.spent.tokens,
            "cost": money.to_usd(found.spent.micro_usd),
            "unpricedRequests": found.spent.unpriced,
            **({"flatRateTokens": found.spent.flat_tokens} if found.spent.flat else {}),
            "durationMs": round(seconds * 1000),
            "restarts": restarts,
        }
    )


def safe(text: str) -> str:
    """One line that can be printed: names and words of an agent must not command the terminal."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode())
