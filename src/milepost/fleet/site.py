"""What everything in the fleet is given by its door: which project, which settings, whose environment.

Frozen, so that no setting is decided twice; a coordinator that runs for a night takes a new one when the preferences
change on disk. Source: style R17.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from milepost.agents.session import Agent
from milepost.errors import MilepostError
from milepost.formats.preferences import Preferences
from milepost.store.journal import Journal
from milepost.store.lease import Lease
from milepost.unit.bench import Silent, Watcher
from milepost.worker.holding import signed
from milepost.worker.shift import Shift

WRITER = "coordinator"
"""Whose journal a coordinator writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One project, as a coordinator or one of its orders sees it."""

    root: Path
    """The user's checkout."""
    state_dir: str
    """`.gsd` or `.sf`."""
    home: str
    """The directory of global settings."""
    program: str
    """`gsd` or `sf`, for what is said to people."""
    run: str
    """Of this process."""
    preferences: Preferences
    env: Mapping[str, str]
    """The environment that workers inherit."""
    shell: Mapping[str, str]
    """Scrubbed, for checks and hooks."""
    now_ms: Callable[[], int]
    stood_on: str = ""
    """The branch that the user stood on when the coordinator began; empty: nobody coordinates."""
    worker_options: tuple[str, ...] = ()
    """Options of `parallel start` that every worker gets (`--agent …`, `--no-sandbox`)."""
    secrets: tuple[str, ...] = ()
    caches: tuple[Path, ...] = ()
    sandbox: bool = True
    watcher: Watcher = field(default_factory=Silent)

    @property
    def state(self) -> Path:
        """The project's state directory."""
        return self.root / self.state_dir

    @property
    def box(self) -> Path:
        """`parallel/`: orders, status files, leases."""
        return self.state / "parallel"

    def journal(self, writer: str) -> Journal:
        """The journal, written as `writer`."""
        return Journal(self.state, writer, known_secrets=self.secrets)

    def lease(self, name: str) -> Path:
        """The lease file of a milestone, `coordinator`, `merge` or `auto`."""
        return self.box / f"{name}.lease"

    def guard(self, name: str) -> Path:
        """The file whose lock stands in when the lease file is deleted: a journal, which is not thrown away."""
        return self.state / "journal" / f"{_GUARDS.get(name, name)}.jsonl"

    def hold(self, name: str, command: str, *, run: str = "", shared: bool = False) -> Lease:
        """One of the project's leases, for this process; take it with `with`.

        command: what it is held for, as others read it. run: whose lease it will be, when not this process's.
        """
        holder = signed(run or self.run, command, self.now_ms())
        what = f"{self.root}" if name in _GUARDS else name
        return Lease(self.lease(name), what, holder, shared=shared, guard=self.guard(name))

    def shift(self) -> Shift:
        """For the rooms below that prepare places and land milestones; it has no agent, since they need none."""
        isolated = self.preferences.git._replace(isolation="worktree")
        return Shift(
            root=self.root,
            state_dir=self.state_dir,
            run=self.run,
            preferences=self.preferences._replace(git=isolated),
            agent=_nobody,
            env=self.shell,
            now_ms=self.now_ms,
            stop=anyio.Event(),
            secrets=self.secrets,
            caches=self.caches,
            sandbox=self.sandbox,
            watcher=self.watcher,
            command="parallel",
            stood_on=self.stood_on,
        )


_GUARDS = {"auto": "project", "merge": "landing"}


class NoAgent(MilepostError):
    """A coordinator was asked to talk to a model, which it never does."""


def _nobody(_: Mapping[str, int]) -> Agent:
    raise NoAgent("a coordinator has no agent")
