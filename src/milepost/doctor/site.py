"""Everything a check may look at, read once: files, settings, state, journal, git, and who is at work.

Reading changes nothing: no lock is taken that stays, no index is refreshed, no file is written.
"""

from dataclasses import dataclass
from pathlib import Path

from milepost.doctor import gitfacts
from milepost.doctor.finding import Finding
from milepost.doctor.gitfacts import Facts
from milepost.doctor.readable import Readable
from milepost.formats.journal import AnyEvent
from milepost.model.state import State
from milepost.rules.derive import derive
from milepost.store import lease, preferences
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot

LEASE = ("parallel", "auto.lease")
"""The lease of auto mode, below the state directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which project, as the door found it."""

    root: Path
    """The directory that holds the state directory."""
    state_dir: str
    """`.gsd` or `.sf`."""
    home: str
    """The directory of global settings."""
    cwd: Path
    """Where the person stands; a directory above it is not removed."""
    now_s: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A project at one moment."""

    place: Place
    tree: Readable
    state: State
    settings: preferences.Loaded
    events: tuple[AnyEvent, ...]
    """The journal of all writers."""
    runner: lease.Holder | None
    """Who runs auto mode here right now."""
    git: Facts | None
    """None where git cannot be asked; `git_trouble` says why."""
    git_trouble: Finding | None

    @property
    def root(self) -> Path:
        """The project's root."""
        return self.place.root

    @property
    def state_dir(self) -> str:
        """The state directory's name."""
        return self.place.state_dir

    @property
    def state_path(self) -> Path:
        """The project's own state directory."""
        return self.place.root / self.place.state_dir

    @property
    def worktrees(self) -> Path:
        """Where milestones have their checkouts."""
        return self.state_path / "worktrees"

    def shown(self, path: Path) -> str:
        """An absolute path as a person would type it at the root."""
        return self.tree.shorten(str(path))


def read(place: Place, *, alone: bool = False) -> Site:
    """The project as it is now. Never raises for what its files say.

    alone: the caller holds the lease itself, so nobody else is at work.
    """
    tree = Readable(Snapshot(str(place.root), place.state_dir))
    state_path = place.root / place.state_dir
    facts, trouble = gitfacts.read(place.root, place.state_dir, now_s=place.now_s)
    return Site(
        place=place,
        tree=tree,
        state=derive(tree, lock=None),
        settings=preferences.load(str(place.root), place.home, state_dir=place.state_dir),
        events=_events(state_path),
        runner=None if alone else _runner(state_path),
        git=facts,
        git_trouble=trouble,
    )


def _events(state_path: Path) -> tuple[AnyEvent, ...]:
    """The journal; empty when it cannot be opened, which the check of the journal then says."""
    try:
        return Journal(state_path, "project").everything()
    except OSError:
        return ()


def _runner(state_path: Path) -> lease.Holder | None:
    """Who holds the lease; nobody where it cannot be asked, and then it cannot be taken for mending either."""
    try:
        return lease.holder(state_path.joinpath(*LEASE))
    except OSError:
        return None
