"""A project of many small milestones, a model of fixed latency behind real HTTP, and what a fleet's processes use.

The model answers each request so long after it came, whatever else goes on; it keeps no state of a conversation, so
any number of workers may ask at once.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from fakemodel import Answer, Asked, Call, Failing, FakeModel, Hanging, Reply
from milepost.testing import projects

MODEL = "local/bench"
_TITLES = {
    "execute-task": "# Execute task {2} of slice {1}, milestone {0}",
    "complete-slice": "# Complete slice {1} of milestone {0}",
    "complete-milestone": "# Complete milestone {0}",
}
"""The first line of each kind's prompt."""
_PATIENCE_S = 120.0


class Work(NamedTuple):
    """How large the milestones are."""

    milestones: int
    slices: int = 2
    tasks: int = 2
    requests: int = 8
    """Of each unit; the last two or three write its files and end it."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The milestones."""
        return tuple(f"M{number:03d}" for number in range(1, self.milestones + 1))

    @property
    def calls(self) -> int:
        """Requests of one milestone."""
        return len(list(projects.units(("M001",), self.slices, self.tasks))) * self.requests


class Asking(NamedTuple):
    """One request. Times in ns of the monotonic clock."""

    milestone: str
    unit: str
    first: bool
    """It opened the session."""
    came: int
    answered: int


class Latent(FakeModel):
    """Plays the honest agent of `milepost.testing.projects`, with reading before it; notes every request."""

    def __init__(self, work: Work, latency_s: float | None) -> None:
        """latency_s: from a request's arrival to its answer; None: it is never answered."""
        super().__init__(self._reply)
        self.asked: list[Asking] = []
        self._latency_s = latency_s
        self._scripts = dict(_scripts(work))
        self._came = threading.local()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Serve one request between two looks at the clock."""
        came = self._came.at = time.monotonic_ns()
        super().answer(handler)
        self._note(came, self._came.asked)

    def _note(self, came: int, asked: Asked) -> None:
        unit = self._scripts[_title(asked)][0]
        self.asked.append(Asking(unit.split("/")[1], unit, asked.turns == 0, came, time.monotonic_ns()))

    def _give(self, handler: BaseHTTPRequestHandler, wire: ModuleType, asked: Asked, answer: Answer) -> None:
        self._came.asked = asked
        if self._latency_s is None:
            self._note(self._came.at, asked)
        else:
            time.sleep(max(0.0, self._latency_s - (time.monotonic_ns() - self._came.at) / 1e9))
        super()._give(handler, wire, asked, answer)

    def _reply(self, asked: Asked) -> Answer:
        if self._latency_s is None:
            return Hanging()
        found = self._scripts.get(_title(asked))
        return found[1][min(asked.turns, len(found[1]) - 1)] if found else Failing(400, f"unknown: {_title(asked)}")

    def opened(self) -> dict[str, int]:
        """Milestone → when its first request came."""
        return {asking.milestone: asking.came for asking in sorted(self.asked, key=lambda a: -a.came)}


def _title(asked: Asked) -> str:
    return asked.texts[0].split("\n", 1)[0]


def _scripts(work: Work) -> Iterator[tuple[str, tuple[str, list[Reply]]]]:
    for session in projects.sessions(work.ids, work.slices, work.tasks):
        key = str(session["unit"])
        kind, _, path = key.partition("/")
        steps = session["steps"]
        assert isinstance(steps, list)
        ends = [_end(step) for step in steps if "usage" not in step]
        reads = [Reply(calls=[Call("read", {"path": "src/app.txt", "start": 1 + n % 3})]) for n in range(work.requests)]
        yield _TITLES[kind].format(*path.split("/")), (key, reads[: max(0, work.requests - len(ends))] + ends)


def _end(step: Mapping[str, object]) -> Reply:
    args = step.get("args")
    return Reply(calls=[Call(str(step["tool"]), args)]) if isinstance(args, dict) else Reply(str(step["text"]))


def make(root: Path, work: Work, workers: int) -> None:
    """A repository whose milestones wait for nothing, merged without a question."""
    settings = f"parallel:\n  enabled: true\n  auto_merge: auto\n  max_workers: {workers}\n"
    settings += f"  max_workers_limit: {workers}\n" if workers > 4 else ""
    preferences = projects.QUICK.replace("---\n", f"---\n{settings}", 1)
    projects.tiny(root, milestones=work.ids, slices=work.slices, tasks=work.tasks, preferences=preferences)


def gsd(*words: str) -> list[str]:
    """The command line of ours."""
    return [sys.executable, "-P", "-m", "milepost", *words]


@contextmanager
def started(root: Path, env: Mapping[str, str], *options: str) -> Iterator["Fleet"]:
    """`gsd parallel start` in its own session, and what it used meanwhile; nothing of it is left behind."""
    with (root.parent / f"{root.name}.out").open("wb") as out:
        began = time.monotonic_ns()
        process = subprocess.Popen(
            gsd("parallel", "start", "--yes", *options),
            cwd=root, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    fleet = Fleet(root=root, process=process, began=began)
    fleet.watch()
    try:
        yield fleet
    finally:
        fleet.unwatch()
        if process.poll() is None:
            subprocess.run(gsd("parallel", "panic"), cwd=root, env=dict(env), capture_output=True, check=False)
            process.wait()


class Used(NamedTuple):
    """What a process was seen to use."""

    at: int
    cpu_ns: int
    peak_kb: int
    """The most that was resident."""
    own_kb: int
    """Resident, with what it shares with others counted in parts (PSS)."""


class Fleet:
    """A coordinator under observation, once a second."""

    def __init__(self, root: Path, process: "subprocess.Popen[bytes]", began: int) -> None:
        self.root, self.process, self.began = root, process, began
        self.coordinator: list[Used] = []
        self.workers: dict[int, list[Used]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    @property
    def said(self) -> str:
        """Its output."""
        return (self.root.parent / f"{self.root.name}.out").read_text("utf-8", errors="replace")

    def watch(self) -> None:
        """Look from now on."""
        self._thread.start()

    def unwatch(self) -> None:
        """No more."""
        self._over.set()
        self._thread.join()

    def wait(self) -> int:
        """Until it ended; ns since its start. Raises ValueError when it did not end well."""
        self.process.wait()
        took = time.monotonic_ns() - self.began
        if self.process.returncode != 0:
            raise ValueError(
                f"parallel start in {self.root} ended with {self.process.returncode}:\n{self.said[-3000:]}"
            )
        return took

    def until(self, reached: Callable[[], bool]) -> int:
        """Wait for something; ns since the start. Raises ValueError when the coordinator ends before."""
        deadline = time.monotonic() + _PATIENCE_S
        while not reached():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ValueError(f"it did not get there:\n{self.said[-3000:]}")
            time.sleep(0.01)
        return time.monotonic_ns() - self.began

    def _look(self) -> None:
        while not self._over.wait(1.0):
            with suppress(OSError):
                self.coordinator.append(used(self.process.pid))
            for pid in _children(self.process.pid):
                with suppress(OSError):
                    if b"auto" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                        self.workers.setdefault(pid, []).append(used(pid))


def used(pid: int) -> Used:
    """What a process uses. Raises OSError when it is gone, or where there is no /proc."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    pss = next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), 0)
    return Used(
        at=time.monotonic_ns(),
        cpu_ns=time.clock_gettime_ns((~pid << 3) | 2),
        peak_kb=int(status["VmHWM"].split()[0]) if "VmHWM" in status else 0,
        own_kb=pss,
    )


def share(seen: Sequence[Used], begin: int = 0, end: int = 2**63) -> float:
    """Percent of one core between two moments; 0 of less than two looks."""
    here = [look for look in seen if begin <= look.at <= end]
    if len(here) < 2:
        return 0.0
    return 100 * (here[-1].cpu_ns - here[0].cpu_ns) / (here[-1].at - here[0].at)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def bound_s(work: Work, workers: int, latency_s: float) -> float:
    """The shortest that the work can take: milestones in order, each to the worker that is free first."""
    free = [0.0] * workers
    for _ in work.ids:
        free.sort()
        free[0] += work.calls * latency_s
    return max(free)
