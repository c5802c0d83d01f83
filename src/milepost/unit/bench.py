"""What every unit of one worker works with; nothing here changes during a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio

from milepost.agents.session import Agent, Event
from milepost.formats.preferences import Preferences
from milepost.model.units import Unit
from milepost.process.confine import Confinement
from milepost.rules import budget, routing
from milepost.store.journal import Journal
from milepost.unit.asking import Answerer, Nobody
from milepost.unit.clock import Awake, Clock
from milepost.unit.hold import Hold
from milepost.unit.told import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where the work of one milestone happens, always said, never taken from the current directory."""

    root: Path
    """The user's checkout."""
    cwd: Path
    """Where agent and gates work: the milestone's worktree, or `root` in modes branch and none."""
    state_dir: str
    """`.gsd` or `.sf`."""
    milestone: str
    branch: str
    isolation: str
    """worktree, branch or none."""

    @property
    def state(self) -> Path:
        """The state directory that is the milestone's home."""
        return self.cwd / self.state_dir

    @property
    def root_state(self) -> Path:
        """The project's state directory: journal, activity, locks, metrics."""
        return self.root / self.state_dir


class Watcher(Protocol):
    """Somebody who is told how a unit gets on (a terminal, a status file). Must not raise."""

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """A unit was begun."""

    def session_event(self, event: Event) -> None:
        """The agent did something."""

    def note(self, text: str) -> None:
        """A sentence for people: a correction, a gate's verdict, an alert."""


class Silent:
    """A watcher that watches nothing."""

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """Nothing."""

    def session_event(self, event: Event) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One worker's tools."""

    workspace: Workspace
    agent: Agent
    preferences: Preferences
    journal: Journal
    run: str
    now_ms: Callable[[], int]
    env: Mapping[str, str]
    """Scrubbed environment of gates and of the agent's shell."""
    secrets: tuple[str, ...] = ()
    """Values that must never be written to disk."""
    confine: Confinement | None = None
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Unit kind → models, the first preferred; `execution_simple` → those of light tasks."""
    means: routing.Means = routing.ANY
    """Whether a person named one model for all, and which others could be asked."""
    stop: anyio.Event
    """Set when the unit in flight is to be ended."""
    watcher: Watcher = field(default_factory=Silent)
    instructions: tuple[str, ...] = ()
    """Texts of the agent-instruction files, the global one first."""
    carried_micro_usd: int = 0
    """Spent according to ledger rows that other programs wrote."""
    worker: bool = False
    """A parallel worker, which keeps its own ledger and lock file in its worktree (PR-025, PR-026)."""
    fleet: str = ""
    """The session that a worker belongs to; empty for one that a person started by hand."""
    answerer: Answerer = field(default_factory=Nobody)
    """Who answers what a session asks."""
    run_limit: int | None = None
    """Micro-USD that this run may cost; None: no limit of its own."""
    wanted: Callable[[], bool] = lambda: False
    """Whether somebody wants to be heard before the next unit begins: a wait for money ends for it."""
    held_up: Callable[[str, int], None] = lambda _why, _until_ms: None
    """Told for what the next unit waits, and until when (epoch ms; 0: not known); an empty text: no longer."""
    hold: Hold = field(default_factory=Hold)
    """By which a person holds the session in flight."""
    clock: Clock = field(default_factory=Awake)
    """What the time limits of a session are measured with."""

    told: Told = field(default_factory=Told)
    """What hooks make of the unit that is about to start."""

    @property
    def ceilings(self) -> tuple[budget.Ceiling, ...]:
        """What the units must keep below: the project's ceiling, or that of all workers and the milestone's own."""
        known = budget.ceilings_of(
            self.preferences,
            milestone=self.workspace.milestone,
            session=self.fleet if self.worker else None,
            carried=self.carried_micro_usd,
        )
        return known if self.run_limit is None else (*known, budget.of_run(self.run, self.run_limit))

    @property
    def ledger_state(self) -> Path:
        """The state directory where `metrics.json` and `auto.lock` lie."""
        return self.workspace.state if self.worker else self.workspace.root_state
