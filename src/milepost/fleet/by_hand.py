"""What a person changes in the plan of a milestone, between units: written at its one home and committed there.

    nobody else at work on it → files written → committed on the milestone's branch

The commit is made beside whatever is staged or changed (`git.planning`), so the user's own checkout keeps its state.
A milestone that has no place of its own yet is changed in the project; its files are committed when the place is made.
Source: DESIGN rules 1 and 5; spec auto 7 (undo, skip, verdict).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.fleet.site import Site
from milepost.git import refs, repo
from milepost.git.ignored import ignored
from milepost.git.planning import commit_planning
from milepost.model.state import State
from milepost.rules.derive import derive
from milepost.store import atomic
from milepost.store.snapshot import Snapshot


class NotHere(MilepostError):
    """The milestone's files are not where they can be changed now; nothing was."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A milestone that nobody else works on."""

    site: Site
    milestone: str
    cwd: Path
    """The checkout that holds its files."""
    branch: str
    """Its branch, `milestone/M001`; that of the checkout when it has none of its own."""
    own: bool
    """Whether `cwd` is a worktree of its own."""

    @property
    def state(self) -> Path:
        """The state directory that is its home."""
        return self.cwd / self.site.state_dir

    @property
    def tree(self) -> Snapshot:
        """Its files, read afresh."""
        return Snapshot(str(self.cwd), self.site.state_dir, homes={})

    def write(self, texts: Mapping[str, str | None], message: str) -> str:
        """Write files (None: remove) given by path below the state directory, and commit them.

        Returns the commit; empty when the files are not in git, or will be committed when the place is made.
        """
        for path, text in texts.items():
            if text is None:
                (self.state / path).unlink(missing_ok=True)
            else:
                data = text.encode("utf-8", "surrogateescape")
                (self.state / path).parent.mkdir(parents=True, exist_ok=True)
                atomic.replace(self.state / path, data, within=self.state)
        settings = self.site.preferences.git
        if not texts or not settings.commit_docs or (settings.isolation == "worktree" and not self.own):
            return ""
        inside = [f"{self.site.state_dir}/{path}" for path in texts]
        return "" if ignored(self.cwd, inside[0]) else commit_planning(self.cwd, inside, message) or ""


def state_of(site: Site) -> State:
    """The project as its files tell it."""
    return derive(Snapshot(str(site.root), site.state_dir))


@contextmanager
def desk(milestone: str, site: Site, command: str) -> Iterator[Desk]:
    """Hold a milestone while the block runs. Raises LeaseHeld while a run or a worker has it, NotHere."""
    with site.hold("auto", command, shared=True), site.hold(milestone, command):
        yield find(milestone, site)


def find(milestone: str, site: Site) -> Desk:
    """Where a milestone is, for looking. Raises NotHere."""
    home = Snapshot(str(site.root), site.state_dir).homes.get(milestone)
    cwd = Path(home).parent if home else site.root
    branch = f"milestone/{milestone}"
    exists = refs.branch_tip(site.root, branch) is not None
    head = repo.head_of(cwd).branch
    if exists and head != branch:
        raise NotHere(
            f"{milestone} has a branch ({branch}), and {cwd} is not on it",
            hint=f"gsd auto makes its place again; or: git -C {cwd} switch {branch}",
        )
    return Desk(site=site, milestone=milestone, cwd=cwd, branch=branch if exists else head or "", own=home is not None)
