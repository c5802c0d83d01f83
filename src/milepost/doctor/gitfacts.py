"""What git says of the repository, asked once and without taking a lock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from milepost.doctor.finding import Finding, Severity
from milepost.errors import MilepostError
from milepost.git import left_lock
from milepost.git import repo as repos
from milepost.git.listing import Registered, registered
from milepost.git.refs import BACKUPS
from milepost.git.run import GitUnusable, fields, git
from milepost.process import table
from milepost.rules.staging import is_runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """A lock of git's that stands on disk."""

    path: Path
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One look at a repository."""

    repo: repos.Repo
    worktrees: tuple[Registered, ...]
    """Linked checkouts; the main one is not among them."""
    branches: Mapping[str, str]
    """Branches that GSD, SF or Milepost make, to their commits."""
    backups: tuple[str, ...]
    """Refs that keep former states."""
    notes: tuple[str, ...]
    """Refs by which an interrupted step is ended."""
    operation: str | None
    """A merge, rebase and so on that was left half done in the user's checkout."""
    squash_message: Path | None
    """A left-over `SQUASH_MSG`."""
    locks: tuple[LockFile, ...]
    git_running: bool
    """Whether some git process of this user is alive; only asked when there are locks."""
    nested: tuple[repos.Nested, ...]
    tracked_runtime: tuple[str, ...]
    """Run-time files in the index, relative to the project's root."""


def read(root: Path, state_dir: str, *, now_s: float) -> tuple[Facts | None, Finding | None]:
    """The facts, or why there are none."""
    try:
        return _facts(root, state_dir, now_s), None
    except MilepostError as error:
        return None, _trouble(error)


def _facts(root: Path, state_dir: str, now_s: float) -> Facts:
    found = repos.inspect(root)
    refs = dict(_refs(root))
    locks = tuple(_locks(found, now_s))
    return Facts(
        repo=found,
        worktrees=registered(root)[1:],
        branches={name.removeprefix("refs/heads/"): at for name, at in refs.items() if name.startswith("refs/heads/")},
        backups=tuple(name for name in refs if name.startswith(f"{BACKUPS}/")),
        notes=tuple(name for name in refs if name.startswith("refs/gsd/") and not name.startswith(f"{BACKUPS}/")),
        operation=repos.in_progress(root),
        squash_message=_existing(found.git_dir / "SQUASH_MSG"),
        locks=locks,
        git_running=bool(locks) and any(left_lock.may_be_git(row.pid) for row in table.rows()),
        nested=_nested(root, state_dir),
        tracked_runtime=_tracked_runtime(root, state_dir),
    )


_CODES: Mapping[type[MilepostError], str] = {
    repos.NotARepository: "not_a_repository",
    repos.BareRepository: "bare_repository",
    GitUnusable: "git_unusable",
}


def _trouble(error: MilepostError) -> Finding:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "repository_unreadable")
    return Finding(
        code=code,
        severity=Severity.ERROR,
        message=f"{error}; files are checked, git is not",
        hint=error.hint,
    )


def _refs(root: Path) -> Iterator[tuple[str, str]]:
    patterns = ("refs/heads/milestone", "refs/heads/gsd", "refs/heads/worktree", "refs/gsd")
    for line in git(root, "for-each-ref", "--format=%(refname) %(objectname)", *patterns).out.splitlines():
        name, _, commit = line.rpartition(" ")
        yield name, commit


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def _locks(found: repos.Repo, now_s: float) -> Iterator[LockFile]:
    """`index.lock`, `HEAD.lock` and the like, of the main checkout and of the linked ones."""
    places = {found.git_dir, found.common_dir, *_listed(found.common_dir / "worktrees")}
    for place in sorted(places):
        for path in _listed(place):
            if path.suffix == ".lock":
                try:
                    yield LockFile(path=path, age_s=now_s - path.stat().st_mtime)
                except FileNotFoundError:
                    continue


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def _nested(root: Path, state_dir: str) -> tuple[repos.Nested, ...]:
    ours = f"{state_dir}/worktrees/"
    return tuple(entry for entry in repos.nested(root) if not entry.path.startswith(ours))


def _tracked_runtime(root: Path, state_dir: str) -> tuple[str, ...]:
    head = f"{state_dir}/"
    tracked = fields(git(root, "ls-files", "-z", "--cached", "--", f":(literal){state_dir}").out)
    inside = (path for path in tracked if path.startswith(head))
    return tuple(path for path in inside if is_runtime(path.removeprefix(head)))
