"""One night: a project, the run and what is done to it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fakemodel.replies import Failing
from milepost.testing import projects
from night import shifted
from night.model import NightModel
from scenarios.stage import Ran, Stage

PATIENCE_S: Final = 1_800
SLEEP_MS: Final = 8 * 3_600_000
TESTS: Final = Path(__file__).parents[1]
GONE: Final = Failing(529, "the lights are out")
LONG_LIMIT: Final = Failing(429, "Usage limit reached; resets in 7 hours")

PREFERENCES: Final = """\
---
budget_ceiling: {ceiling}
budget_enforcement: pause
models:
  execution:
    model: openai/gpt-5.5
    fallbacks: [claude-sonnet-5-5]
  completion: claude-sonnet-5-5
phases:
  skip_research: true
  skip_slice_research: true
  skip_reassess: true
  skip_milestone_validation: true
---
"""


class NightStage(Stage):
    """Its commands run on the night's clock."""

    def argv(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "night.shifted", *args]


@dataclass(slots=True, kw_only=True)
class Blow:
    """What is done to the run when the server has seen so many requests."""

    at: int
    what: str
    """kill, kill-held, limit-asleep, asleep, provider-gone."""
    later_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Night:
    """It."""

    base: Path
    model: NightModel
    milestones: tuple[str, ...]
    slices: int
    tasks: int
    ceiling: float
    stage: Stage = field(init=False)
    process: "subprocess.Popen[bytes] | None" = None
    lost: list[int] = field(default_factory=list)
    """Numbers of the last requests before each kill: what they cost, the run may have had no time to write down."""
    story: list[str] = field(default_factory=list)
    runs: int = 0
    _logs: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage = NightStage(root=self.base / "project")
        text = PREFERENCES.format(ceiling=self.ceiling)
        needs = {later: [former] for former, later in zip(self.milestones, self.milestones[1:], strict=False)}
        self.stage.make(
            milestones=self.milestones, slices=self.slices, tasks=self.tasks, preferences=text, depends=needs
        )
        self.stage.env |= self.model.env("openai") | self.model.env("anthropic")
        self.stage.env |= {shifted.FILE: str(self.clock), "PYTHONPATH": str(TESTS)}

    @property
    def clock(self) -> Path:
        """How far its clock is ahead."""
        return self.base / "clock"

    @property
    def units(self) -> int:
        """Of the plan."""
        return len(self.milestones) * (self.slices * (self.tasks + 1) + 1)

    def begin(self) -> None:
        """The same command, each time."""
        self.runs += 1
        path = self.base / f"run-{self.runs}.log"
        self._logs.append(path)
        with path.open("wb") as log:
            self.process = subprocess.Popen(
                self.stage.argv("headless", "--json", "auto"), cwd=self.stage.root, env=self.stage.environment({}),
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._note(f"begun: run {self.runs}")

    def suffer(self, blow: Blow) -> bool:
        """Wait for its moment, and let it fall. Whether it did; not when the run was over before."""
        if blow.what in ("kill-held", "asleep"):
            self.model.hold(blow.at)
            reached = self._until(self.model.holds.is_set)
        else:
            reached = self._until(lambda: len(self.model.log) >= blow.at)
        if not reached:
            self.model.held_at = None
            return False
        time.sleep(blow.later_s)
        self._note(f"{blow.what} after {len(self.model.log)} requests, at {self.model.log[-1].unit}")
        match blow.what:
            case "kill" | "kill-held":
                self._kill()
            case "asleep":
                self._sleep()
            case "limit-asleep":
                self._limit()
            case _:
                self.model.closed = GONE
        return True

    def end(self) -> Ran:
        """How it ended."""
        assert self._until(lambda: False) is False
        assert self.process is not None
        code = self.process.wait()
        said = [path.read_text(errors="replace") for path in self._logs]
        self._note(f"ended: {code}")
        return Ran(code=code, out=said[-1], err="".join(said[:-1]))

    def clean_up(self) -> None:
        """Nothing of it stays."""
        self.model.let_go.set()
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def gsd(self, *args: str, **env: str) -> Ran:
        """A command of the morning after."""
        return self.stage.gsd(*args, **env)

    def _until(self, seen: Callable[[], bool]) -> bool:
        """Whether it was seen before the run ended."""
        deadline = time.monotonic() + PATIENCE_S
        while not seen():
            assert self.process is not None
            if self.process.poll() is not None:
                return seen()
            assert time.monotonic() < deadline, f"it goes on for ever\n{self.tail()}"
            time.sleep(0.02)
        return True

    def _kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.lost.append(self.model.log[-1].number)
        self.model.let_go.set()
        self.begin()

    def _sleep(self) -> None:
        """The lid is closed in the middle of a request; when it is opened, the connection is gone."""
        with self._suspended():
            self.model.let_go.set()

    def _limit(self) -> None:
        """A limit for most of the night; the machine sleeps through it."""
        self.model.closed = LONG_LIMIT
        self._until(lambda: any(_length_ms(e) > 3_600_000 for e in self.stage.events("wait-began")))
        asked = len(self.model.log)
        time.sleep(1.0)
        assert len(self.model.log) == asked, "it asks although it was told to wait"
        with self._suspended():
            self.model.closed = None
        assert self._until(lambda: len(self.model.log) > asked), "it did not wake up"

    def _suspended(self) -> "_Suspension":
        assert self.process is not None
        return _Suspension(self.process.pid, self.clock)

    def _note(self, text: str) -> None:
        self.story.append(text)

    def tail(self) -> str:
        """For a failure."""
        said = "".join(path.read_text(errors="replace")[-3_000:] for path in self._logs)
        falls: dict[str, int] = {}
        for entry in self.model.log:
            falls[entry.fell] = falls.get(entry.fell, 0) + 1
        return "\n".join([*self.story, str(falls), said])


@dataclass(slots=True)
class _Suspension:
    """All processes of a group stand still, and the clock moves on without them."""

    group: int
    clock: Path

    def __enter__(self) -> None:
        os.killpg(self.group, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        time.sleep(0.3)
        slept = int(self.clock.read_text()) if self.clock.exists() else 0
        # Nobody reads half of it: they all stand still.
        self.clock.write_text(str(slept + SLEEP_MS))
        os.killpg(self.group, signal.SIGCONT)


def _length_ms(event: Mapping[str, object]) -> int:
    return int(str(event["resumeAtMs"])) - int(str(event["atMs"]))


def product(root: Path, key: str) -> str:
    """What a task's file says."""
    _, mid, sid, tid = key.split("/")
    return (root / projects.product(mid, sid, tid)).read_text()
