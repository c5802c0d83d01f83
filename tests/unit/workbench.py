"""A small project and the tools of one worker on it, with a scripted agent and a clock that counts."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import anyio

from conftest import run_git
from milepost.agents.session import Event
from milepost.formats.journal import AnyEvent
from milepost.formats.preferences import Preferences
from milepost.git import repo, worktrees
from milepost.model.units import Unit, UnitKind
from milepost.process import environment
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.testing.scripted import Say, Script, ScriptedAgent, Spend, Step, Tool
from milepost.unit.bench import Bench, Workspace

TASK = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")
SLICE = Unit(UnitKind.COMPLETE_SLICE, "M001/S01")
STATE = ".gsd"
HOME = ".gsd/milestones/M001"
PLAN = f"{HOME}/slices/S01/S01-PLAN.md"
ROADMAP = f"{HOME}/M001-ROADMAP.md"
SUMMARY = f"{HOME}/slices/S01/tasks/T01-SUMMARY.md"
PRODUCT = "work/M001-S01-T01.txt"
START_MS = 1_763_760_000_000


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.events: list[Event] = []
        self.started: list[tuple[str, int]] = []

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        self.started.append((unit.key, number))

    def session_event(self, event: Event) -> None:
        self.events.append(event)

    def note(self, text: str) -> None:
        self.said.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def clock() -> Callable[[], int]:
    numbers: Iterator[int] = count(START_MS)
    return lambda: next(numbers)


def honest(unit: Unit = TASK) -> list[Step]:
    """What an honest agent does in a unit of `projects.tiny`."""
    return [_step(raw) for raw in projects.steps(unit.key)]


def _step(raw: Mapping[str, object]) -> Step:
    if "usage" in raw:
        return Spend(**raw["usage"])  # type: ignore[arg-type]
    return Tool(str(raw["tool"]), raw["args"]) if "tool" in raw else Say(str(raw["text"]))  # type: ignore[arg-type]


def write(path: str, content: str) -> Tool:
    return Tool("write", {"path": path, "content": content})


def bench_for(root: Path, script: Mapping[str, Script] | None = None, **changes: object) -> Bench:
    """The tools for M001. `isolation` among the changes says where: worktree (default), branch or none."""
    isolation = str(changes.pop("isolation", "worktree"))
    facts: dict[str, object] = {
        "workspace": _workspace(root, isolation),
        "agent": ScriptedAgent(script if script is not None else {"*": honest()}),
        "preferences": Preferences(),
        "journal": Journal(root / STATE, "M001"),
        "run": "r-1",
        "now_ms": clock(),
        "env": environment.scrubbed(os.environ, extra={}),
        "stop": anyio.Event(),
        "watcher": Notes(),
    }
    return Bench(**(facts | changes))  # type: ignore[arg-type]


def _workspace(root: Path, isolation: str) -> Workspace:
    cwd, branch = root, "main"
    if isolation == "worktree":
        made = worktrees.ensure(repo.inspect(root), "M001", "refs/heads/main", state_dir=STATE)
        cwd, branch = made.path, made.branch
    elif isolation == "branch":
        branch = "milestone/M001"
        if run_git(root, "branch", "--show-current").strip() != branch:
            run_git(root, "switch", "-q", "-c", branch)
    return Workspace(root=root, cwd=cwd, state_dir=STATE, milestone="M001", branch=branch, isolation=isolation)


def notes(bench: Bench) -> Notes:
    assert isinstance(bench.watcher, Notes)
    return bench.watcher


def agent(bench: Bench) -> ScriptedAgent:
    assert isinstance(bench.agent, ScriptedAgent)
    return bench.agent


def events(bench: Bench, *kinds: type) -> Sequence[AnyEvent]:
    return [e for e in bench.journal.everything() if not kinds or isinstance(e, kinds)]


def git(where: Path, *args: str) -> str:
    return run_git(where, *args)


def backups(root: Path) -> list[str]:
    return run_git(root, "for-each-ref", "--format=%(refname)", "refs/gsd/backup").split()
