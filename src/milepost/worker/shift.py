"""What one run of the loop is given by its door: the project, its settings, and who does the work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import anyio

from milepost.agents.session import Agent
from milepost.errors import ExitCode
from milepost.formats.preferences import Preferences
from milepost.git.worktrees import worktree_path
from milepost.model.units import Unit
from milepost.process.confine import Confinement
from milepost.rules import routing
from milepost.rules.bounds import UNBOUNDED, Bounds
from milepost.rules.quick import Wish
from milepost.store.journal import Journal
from milepost.store.lease import Lease
from milepost.unit.asking import Answerer, Nobody
from milepost.unit.bench import Bench, Silent, Watcher, Workspace
from milepost.unit.hold import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One run; frozen at the door, so that no setting is decided twice."""

    root: Path
    """The user's checkout."""
    state_dir: str
    run: str
    preferences: Preferences
    agent: Callable[[Mapping[str, int]], Agent]
    """Makes the agent, given how many sessions each unit (`kind/id`) already had."""
    env: Mapping[str, str]
    """Scrubbed environment for gates, hooks and the agent's shell."""
    now_ms: Callable[[], int]
    stop: anyio.Event
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    means: routing.Means = routing.ANY
    secrets: tuple[str, ...] = ()
    caches: tuple[Path, ...] = ()
    """Directories outside the workspace that commands may write: package managers' caches."""
    sandbox: bool = True
    watcher: Watcher = field(default_factory=Silent)
    instructions: tuple[str, ...] = ()
    max_units: int | None = None
    """End paused after so many units; None: no limit. `gsd next` is 1."""
    bounds: Bounds = UNBOUNDED
    """How far the run may go otherwise."""
    lock: str | None = None
    """The only milestone to work on (a parallel worker's); it is not merged here."""
    fleet: str = ""
    """The session of the fleet that a worker belongs to; empty outside one."""
    leases: tuple[Lease, ...] = ()
    """What a worker holds for life; put back when somebody deletes the files."""
    home: Path | None = None
    """The directory of global settings; None: nobody said."""
    port_base: int | None = None
    """First of the ports that are a worker's."""
    stood_on: str = ""
    """The branch that the user stood on when a fleet began: what starts later is merged there too, wherever the user is
    by then. Empty: where the user stands.
    """
    discuss: Unit | None = None
    """The discussion that the run is for; None: the plan says what comes next."""
    goes_on: bool = True
    """After that discussion: work through the plan. False: the run is over then."""
    quick: Wish | None = None
    """The quick task that the run is for; None: the plan says what comes next."""
    answerer: Answerer = field(default_factory=Nobody)
    """Who answers what a session asks."""
    wanted: Callable[[], bool] = lambda: False
    """Whether an order waits for the end of the unit."""
    held_up: Callable[[str, int], None] = lambda _why, _until_ms: None
    """Told for what the next unit waits beside the provider (`Bench.held_up`)."""
    hold: Hold = field(default_factory=Hold)
    """By which a person holds the session in flight."""
    wait_scale: float = 1.0
    """A factor for our own delays before a provider is asked again (`rules.limits.SCALE`)."""
    command: str = "auto"
    variables: frozenset[str] = frozenset()
    """Names of the environment's variables that have a value, credentials too; only the names."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variable → value of keys that a person gave for this run alone; in no environment but that of units that are to
    have them.
    """
    landed: Callable[[str], None] = lambda _: None
    """Told of each milestone that is on its branch, when all of it is written down."""

    @property
    def state(self) -> Path:
        """The project's state directory."""
        return self.root / self.state_dir

    @property
    def box(self) -> Path:
        """`parallel/`: orders, status files, leases."""
        return self.state / "parallel"

    @property
    def own_state(self) -> Path:
        """Where `metrics.json` and `auto.lock` lie: for a worker in its worktree, which may not be there yet."""
        if self.lock is None:
            return self.state
        return worktree_path(self.root, self.lock, state_dir=self.state_dir) / self.state_dir

    @property
    def writer(self) -> str:
        """Whose file of the journal the run itself is written to."""
        return self.lock or "project"

    def journal(self, writer: str) -> Journal:
        """The journal, written as `writer` (a milestone id or `project`)."""
        return Journal(self.state, writer, known_secrets=self.secrets)

    def bench(self, place: Workspace, agent: Agent, *, carried_micro_usd: int) -> Bench:
        """The tools for the units of one milestone."""
        writable = (place.cwd, *self.caches)
        # A command in a worktree that lost its `.git` must not find the user's checkout around it.
        ceiling = {"GIT_CEILING_DIRECTORIES": str(place.cwd.parent)} if place.isolation == "worktree" else {}
        return Bench(
            workspace=place,
            agent=agent,
            preferences=self.preferences,
            journal=self.journal(place.milestone),
            run=self.run,
            now_ms=self.now_ms,
            env={**self.env, **ceiling},
            secrets=self.secrets,
            confine=Confinement(writable=writable) if self.sandbox else None,
            models=self.models,
            means=self.means,
            stop=self.stop,
            watcher=self.watcher,
            instructions=self.instructions,
            carried_micro_usd=carried_micro_usd,
            worker=self.lock is not None,
            fleet=self.fleet,
            run_limit=self.bounds.cost_micro_usd,
            wanted=self.wanted,
            held_up=self.held_up,
            answerer=self.answerer,
            hold=self.hold,
        )


class Ending(NamedTuple):
    """How a run ended: the exit code, the reason in a sentence, and what to type next."""

    code: ExitCode
    reason: str
    hint: str = ""
    passing: bool = False
    """What ended it passes by itself: worth another try later."""
