"""A run of the loop for tests: real git, a scripted agent, a clock that counts."""

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import anyio

from milepost.agents.session import Agent
from milepost.formats.preferences import Git, Preferences
from milepost.formats.signal import Order, Signal
from milepost.model.units import Unit, UnitKind
from milepost.process import environment
from milepost.store import mailbox
from milepost.testing import projects
from milepost.testing.scripted import Script, ScriptedAgent
from milepost.worker.shift import Shift
from unit.workbench import START_MS, Notes, honest

QUICK = Preferences()._replace(
    phases=Preferences().phases._replace(
        skip_research=True, skip_slice_research=True, skip_reassess=True, skip_milestone_validation=True
    )
)


def prefer(**git: object) -> Preferences:
    """Quick preferences with some of `git.*` changed."""
    return QUICK._replace(git=Git()._replace(**git))  # type: ignore[arg-type]


def all_honest(**shape: object) -> dict[str, Script]:
    """An honest agent for every unit of `projects.tiny(**shape)`."""
    made: dict[str, Script] = {}
    for key in projects.units(**shape):  # type: ignore[arg-type]
        kind, _, path = key.partition("/")
        made[key] = honest(Unit(UnitKind(kind), path))
    return made


def shift_for(root: Path, script: Mapping[str, Script] | None = None, **changes: object) -> Shift:
    """A run. script: by default an honest agent for one slice with one task."""
    numbers = count(START_MS)
    chosen = all_honest() if script is None else script

    def agent(played: Mapping[str, int]) -> Agent:
        return ScriptedAgent(chosen, played=played)

    facts: dict[str, object] = {
        "root": root, "state_dir": ".gsd", "run": "r-1", "preferences": QUICK, "agent": agent,
        "env": environment.scrubbed(os.environ, extra={}), "now_ms": lambda: next(numbers), "stop": anyio.Event(),
        "sandbox": False, "watcher": Notes(), "wait_scale": 0.0,
    }  # fmt: skip
    return Shift(**(facts | changes))  # type: ignore[arg-type]


def said(shift: Shift) -> str:
    assert isinstance(shift.watcher, Notes)
    return shift.watcher.text


def post(shift: Shift, order: Order, *, run: str = "r-1", to: str = "auto") -> None:
    mailbox.post(shift.state / "parallel", to, Signal(signal=order, sent_at=1, sender="person", run=run))
