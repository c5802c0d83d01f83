"""The demo's project worked on through real HTTP, by a model that answers at once and notes when.

One run gives: what happens between the last byte of a unit's last answer and the first request of the next, how many
requests and bytes each kind of unit takes, and how long the start takes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import NamedTuple

from benchmarks.probe import Child
from fakemodel import Answer, Asked, Call, Counted, Failing, FakeModel, Reply
from milepost.testing.demo import project, script

MODEL = "local/bench"
_PROBE = Path(__file__).with_name("probe.py")


class Moment(NamedTuple):
    """A point in time, and what the process under measurement had used of the processor until then."""

    at: int
    """ns of the monotonic clock."""
    cpu: int
    """ns; 0 where the system does not tell."""
    queued: int = 0
    """ns that its main thread had been ready to run while others had the processor; 0 likewise."""


class Asking(NamedTuple):
    """One request: when it came, when its answer was out."""

    unit: str
    """`kind/id`."""
    first: bool
    """It opened the session."""
    came: Moment
    answered: Moment
    size: int
    """Bytes of the request's body."""
    prompt: int
    """Bytes of the unit's prompt."""
    fixed: int
    """Bytes of system prompt and tool schemas."""


class Gap(NamedTuple):
    """From the end of a unit's last answer to the first request of the next unit."""

    after: str
    wall_ms: float
    git_ms: float
    """With at least one git running."""
    other_ms: float
    """With another process running: gates, hooks."""
    own_ms: float
    """With none running: ours."""
    cpu_ms: float
    """Of our own process."""
    queued_ms: float
    """Our process was ready and others had the processor."""
    disk_ms: float
    """Our process waited for the disk."""
    syncs: int
    gits: int
    calls: tuple[str, ...]
    """The git commands, in order."""


class Run(NamedTuple):
    """One `gsd auto` from plan to merge."""

    code: int
    wall_ms: float
    to_first_ms: float
    """From the start of the process to the first request's arrival."""
    asked: tuple[Asking, ...]
    children: tuple[Child, ...]
    syncs: tuple[tuple[int, int], ...]
    """From when to when it waited for the disk."""
    peak_mb: float
    heavy: tuple[str, ...]
    """Libraries of weight that were loaded."""


class Player(FakeModel):
    """Plays the demo's sessions in the order of the plan, whoever asks; notes every request."""

    def __init__(self, sessions: Sequence[Mapping[str, object]]) -> None:
        super().__init__(self._reply)
        self.asked: list[Asking] = []
        self.pid = 0
        """The process whose use of the processor is noted."""
        self._sessions = [(str(s["unit"]), replies(s)) for s in sessions]
        self._at = -1
        self._prompt = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Serve one request between two looks at the clock."""
        came = moment(self.pid)
        super().answer(handler)
        answered = moment(self.pid)
        seen = self.seen[-1]
        tools = json.dumps(seen.body.get("tools", []), separators=(",", ":"), ensure_ascii=False)
        self.asked.append(
            Asking(
                unit=self._sessions[self._at][0],
                first=seen.asked.turns == 0,
                came=came,
                answered=answered,
                size=seen.size,
                prompt=len(self._prompt.encode()),
                fixed=len(seen.asked.system.encode()) + len(tools.encode()),
            )
        )

    def _reply(self, asked: Asked) -> Answer:
        prompt = asked.texts[0]
        # A unit that is tried again has the same heading; it gets the same session.
        if asked.turns == 0 and prompt.split("\n", 1)[0] != self._prompt.split("\n", 1)[0]:
            self._at += 1
        self._prompt = prompt
        if self._at >= len(self._sessions):
            return Failing(400, "the plan has more units than the script has sessions")
        _, answers = self._sessions[self._at]
        return answers[min(asked.turns, len(answers) - 1)]


def replies(session: Mapping[str, object]) -> list[Reply]:
    """A session of the demo's script as answers of a model, one step each."""
    steps = session["steps"]
    assert isinstance(steps, list)
    found = []
    for step in steps:
        if "tool" in step:
            found.append(Reply(calls=[Call(step["tool"], step["args"])], usage=Counted(input=1000, output=200)))
        elif "text" in step:
            found.append(Reply(step["text"], usage=Counted(input=1000, output=50)))
    return found


def moment(pid: int) -> Moment:
    """Now. What another process used of the processor, and how long it queued for it, is known on Linux only."""
    try:
        cpu = time.clock_gettime_ns((~pid << 3) | 2) if pid else 0
    except OSError:
        cpu = 0
    try:
        queued = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        queued = 0
    return Moment(time.monotonic_ns(), cpu, queued)


def run(where: Path, env: Mapping[str, str]) -> Run:
    """Make the demo's project in the new directory `where` and work through it with the built-in agent."""
    with Player(script.sessions()) as server:
        keys = server.env("openai")
        return _gsd(where, {**env, **keys}, ("--model", MODEL), server)


def replayed(where: Path, cassette: Path, env: Mapping[str, str]) -> Run:
    """The same with the recording that the demo ships: no model library, no HTTP."""
    return _gsd(where, env, ("--agent", f"replay:{cassette}"), None)


def _gsd(where: Path, env: Mapping[str, str], options: Iterable[str], server: Player | None) -> Run:
    where.mkdir(parents=True)
    project.make(where)
    record = where.parent / f"{where.name}.record.json"
    # `python3` of the gates is this interpreter: a version manager's shim in front of it would cost more than the gate.
    path = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    began = time.monotonic_ns()
    with subprocess.Popen(
        [sys.executable, str(_PROBE), str(record), "auto", *options],
        cwd=where,
        env={**env, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        if server:
            server.pid = process.pid
        said, _ = process.communicate()
    ended = time.monotonic_ns()
    if process.returncode != 0:
        raise ValueError(f"gsd auto in {where} ended with {process.returncode}:\n{said[-2000:]}")
    noted = json.loads(record.read_text())
    asked = tuple(server.asked) if server else ()
    return Run(
        code=process.returncode,
        wall_ms=(ended - began) / 1e6,
        to_first_ms=(asked[0].came.at - began) / 1e6 if asked else 0.0,
        asked=asked,
        children=tuple(Child(tuple(argv), a, b) for argv, a, b in noted["children"]),
        syncs=tuple((a, b) for a, b in noted["syncs"]),
        peak_mb=noted["peak_kb"] / 1024,
        heavy=tuple(noted["heavy"]),
    )


def gaps(run_: Run) -> list[Gap]:
    """Every passage from one unit to the next."""
    pairs = zip(run_.asked, run_.asked[1:], strict=False)
    return [_gap(a.unit, a.answered, b.came, run_) for a, b in pairs if b.first and a.unit != b.unit]


def _gap(after: str, begin: Moment, end: Moment, run_: Run) -> Gap:
    within = sorted((c for c in run_.children if c.ended > begin.at and c.began < end.at), key=lambda c: c.began)
    spans = [(max(c.began, begin.at), min(c.ended, end.at), c.git) for c in within]
    wall = end.at - begin.at
    busy = _covered((a, b) for a, b, _ in spans)
    git = _covered((a, b) for a, b, is_git in spans if is_git)
    gits = [c for c in within if c.git]
    waits = [(a, b) for a, b in run_.syncs if begin.at <= a and b <= end.at]
    return Gap(
        after=after,
        wall_ms=wall / 1e6,
        git_ms=git / 1e6,
        other_ms=(busy - git) / 1e6,
        own_ms=(wall - busy) / 1e6,
        cpu_ms=(end.cpu - begin.cpu) / 1e6,
        queued_ms=(end.queued - begin.queued) / 1e6,
        disk_ms=_covered(waits) / 1e6,
        syncs=len(waits),
        gits=len(gits),
        calls=tuple(_command(c.argv) for c in gits),
    )


def _covered(spans: Iterable[tuple[int, int]]) -> int:
    """Length of the union of intervals."""
    total, reached = 0, 0
    for begin, end in sorted(spans):
        total += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def _command(argv: Sequence[str]) -> str:
    """`rev-parse --show-toplevel …`: git's own command without the settings before it."""
    words = list(argv[1:])
    while words and words[0] in ("-c", "-C"):
        del words[:2]
    return " ".join(words)[:100]
