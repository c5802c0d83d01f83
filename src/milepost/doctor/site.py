"""Everything a check may look at, read once: files, settings, state, journal, git, and who is at work.

Reading changes nothing: no lock is taken that stays, no index is refreshed, no file is written.
"""

from dataclasses import dataclass
from pathlib import Path

from milepost.doctor import crew as crews
from milepost.doctor import gitfacts
from milepost.doctor.crew import Crew
from milepost.doctor.finding import Finding
from milepost.doctor.gitfacts import Facts
from milepost.doctor.readable import Readable
from milepost.formats.journal import AnyEvent
from milepost.model.state import State
from milepost.rules.derive import derive
from milepost.store import preferences
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot


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
    executor_window: int = 0
    """Context window of the model that would execute tasks, in tokens; 0: nobody knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A project at one moment."""

    place: Place
    tree: Readable
    state: State
    settings: preferences.Loaded
    events: tuple[AnyEvent, ...]
    """The journal of all writers."""
    crew: Crew
    """Who is at work here right now."""
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
    def box(self) -> Path:
        """Where leases, status files and orders are."""
        return self.state_path / "parallel"

    @property
    def now_ms(self) -> int:
        """Epoch milliseconds of the look."""
        return int(self.place.now_s * 1000)

    @property
    def worktrees(self) -> Path:
        """Where milestones have their checkouts."""
        return self.state_path / "worktrees"

    def in_box(self, *patterns: str) -> list[Path]:
        """Plain files of the box whose names fit one of the patterns."""
        found = {path for pattern in patterns for path in self.box.glob(pattern)} if self.box.is_dir() else set()
        return sorted(path for path in found if path.is_file())

    def shown(self, path: Path) -> str:
        """An absolute path as a person would type it at the root."""
        return self.tree.shorten(str(path))


def read(place: Place, *, ours: frozenset[str] = frozenset()) -> Site:
    """The project as it is now. Never raises for what its files say.

    ours: leases that the caller holds itself.
    """
    state_path = place.root / place.state_dir
    before = crews.read(state_path, ours=ours)
    tree = Readable(Snapshot(str(place.root), place.state_dir))
    facts, trouble = gitfacts.read(place.root, place.state_dir, now_s=place.now_s)
    state, settings = derive(tree, lock=None), preferences.load(str(place.root), place.home, state_dir=place.state_dir)
    events = _events(state_path)
    return Site(
        place=place,
        tree=tree,
        state=state,
        settings=settings,
        events=events,
        # Whoever ended or began while the files were read counts as at work: nothing said of them may be untrue.
        crew=before.joined(crews.read(state_path, ours=ours)),
        git=facts,
        git_trouble=trouble,
    )


def _events(state_path: Path) -> tuple[AnyEvent, ...]:
    """The journal; empty when it cannot be opened, which the check of the journal then says."""
    try:
        return Journal(state_path, "project").everything()
    except OSError:
        return ()
