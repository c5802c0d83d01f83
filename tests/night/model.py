"""The model of the night: it does the work that is asked for, when the weather lets it.

What falls on a request is decided by the seed and the number of the request, and by what the unit has been through:
what costs an attempt falls on a unit once. Everything the server said and counted stands in `log`.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from random import Random
from types import ModuleType
from typing import Final

from fakemodel import wire_anthropic, wire_chat
from fakemodel.replies import Answer, Asked, Call, Counted, Failing, Garbage, Reply
from fakemodel.server import FakeModel
from milepost.testing import projects
from night import counting, weather
from night.weather import Fall
from scenarios.honest_model import unit_of

WIRES: Final = {"gpt-5.5": wire_chat, "claude-sonnet-5-5": wire_anthropic}


@dataclass(slots=True)
class Entry:
    """One request, as the server saw it."""

    number: int
    unit: str
    model: str
    fell: str
    """What fell on it; `honest`, or `limit` of the long wait."""
    counted: Counted | None = None
    """What it was told to have cost."""
    closed: bool = False
    """The server has said all that it had to say."""


@dataclass(slots=True)
class Said:
    """What is to be said to one request."""

    entry: Entry
    fall: Fall
    frames: Sequence[bytes] = ()
    answer: Answer | None = None


class NightModel(FakeModel):
    """The server."""

    def __init__(self, seed: int, *, calm: bool = False) -> None:
        """calm: nothing falls but what a test lets fall."""
        super().__init__(self._unused)
        self.log: list[Entry] = []
        self.held_at: int | None = None
        """The request with this number, or the first after it, is kept waiting until `let_go`."""
        self.holds = threading.Event()
        self.let_go = threading.Event()
        self.closed: Failing | None = None
        """All that is answered while it is there."""
        self._seed = seed
        self._calm = calm
        self._through: set[str] = set()
        """Units on which something fell already that costs an attempt."""

    @property
    def total(self) -> Counted:
        """All that was counted."""
        total = Counted()
        for entry in self.log:
            total = total.plus(entry.counted or Counted())
        return total

    def hold(self, number: int) -> None:
        """Keep a request waiting."""
        self.holds.clear()
        self.let_go.clear()
        self.held_at = number

    def _unused(self, asked: Asked) -> Answer:
        raise AssertionError(asked)

    def _due(self, asked: Asked) -> Answer:
        """Called under the lock."""
        number, unit = len(self.log), unit_of(asked)
        fall = self._fall(number, unit, asked)
        entry = Entry(number=number, unit=unit, model=asked.model, fell=fall.name)
        self.log.append(entry)
        return self._said(entry, fall, asked)  # type: ignore[return-value]

    def _fall(self, number: int, unit: str, asked: Asked) -> Fall:
        if self.held_at is not None and number >= self.held_at:
            self.held_at = None
            return weather.HELD
        if self.closed is not None:
            return Fall("closed", self.closed)
        if self._calm:
            return weather.HONEST
        fall = weather.falls(self._seed, number, asked.model)
        if fall.charged:
            # A unit has three attempts, and one of them may be killed.
            if unit in self._through or (fall.name == "wrong-work" and not unit.startswith("execute-task/")):
                return weather.HONEST
            self._through.add(unit)
        return fall

    def _said(self, entry: Entry, fall: Fall, asked: Asked) -> Said:
        dice = Random(f"{self._seed} {entry.number}")
        usage = Counted(input=1_000 + entry.number, output=50 + dice.randrange(100), cache_read=dice.randrange(5) * 64)
        answer = fall.answer
        if isinstance(answer, Failing | Garbage):
            return Said(entry, fall, answer=answer)
        reply = answer if isinstance(answer, Reply) else honest(entry.unit, asked, wrong=fall.name == "wrong-work")
        whole = Reply(
            text=reply.text, calls=reply.calls, usage=usage, stop=reply.stop, unfinished=fall.name == "unfinished"
        )
        frames = list(WIRES[asked.model].frames(asked, whole))
        if fall.cut:
            # Never all of it: the last frame only says that it is over.
            frames = frames[: dice.randrange(1, len(frames))]
        if fall.tail:
            frames.append(fall.tail)
        return Said(entry, fall, frames=frames)

    def _give(self, handler: BaseHTTPRequestHandler, wire: ModuleType, asked: Asked, answer: object) -> None:
        assert isinstance(answer, Said)
        entry = answer.entry
        if answer.answer is not None:
            super()._give(handler, wire, asked, answer.answer)
            entry.closed = True
            return
        if answer.fall is weather.HELD:
            handler.close_connection = True
            self.holds.set()
            self.let_go.wait(600)
            return
        if answer.fall.name == "hang":
            handler.close_connection = True
            self._closing.wait(weather.HANG_S)
            return
        self._frames(handler, answer)
        entry.closed = True

    def _frames(self, handler: BaseHTTPRequestHandler, said: Said) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        sent: list[bytes] = []
        for frame in said.frames:
            handler.wfile.write(f"{len(frame):x}\r\n".encode() + frame + b"\r\n")
            handler.wfile.flush()
            sent.append(frame)
            said.entry.counted = counting.reported(sent)
        if said.fall.stalls:
            self._closing.wait(weather.HANG_S)
        if said.fall.cut:
            handler.close_connection = True
            return
        handler.wfile.write(b"0\r\n\r\n")


def honest(unit: str, asked: Asked, *, wrong: bool = False) -> Reply:
    """What is to be done now: all files in one answer, then a word. wrong: the files do not say what they should."""
    steps = [step["args"] for step in projects.steps(unit) if "tool" in step]
    written = sum(result.startswith(("Created ", "Replaced ")) for result in asked.results)
    if written >= len(steps) and not wrong:
        return Reply("Done.")
    calls = [Call("write", {**args}) for args in steps if isinstance(args, dict)]
    if wrong:
        calls[0] = Call("write", {"path": calls[0].args["path"], "content": "something else\n"})
    return Reply("I write it down.", calls=calls)
