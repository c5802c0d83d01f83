"""A project where there is none yet: the repository, the state directory, and the first commit that worktrees need.

Nothing of the user's is committed: files that are there and are in no commit are said, and nothing is begun.
Source: spec auto 5.2 (3 and 4), 6.2.
"""

import sys
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import repo
from milepost.git.run import git
from milepost.git.status import dirty
from milepost.ui.cli import context, init
from milepost.ui.cli.main import state_dir


class FilesWithoutHistory(MilepostError):
    """There are files and no commit: no worktree would have them."""

    exit_code = ExitCode.BLOCKED


def ensure(program: str) -> context.Where:
    """The project here or above; made in the current directory when there is none. What is made is said on stderr.

    Raises FilesWithoutHistory, NoIdentity, or what git says against this place.
    """
    try:
        found: context.Where | None = context.find(program)
    except context.NoProject:
        found = None
    here = Path(found.root) if found else Path(context.outside_worktrees(context.cwd()))
    place = _repository(here)
    _first_commit(place, program)
    if found is None:
        name = state_dir(program)
        init.make(place.root, name, commit=True, out=sys.stderr)
        sys.stderr.write(f"Made {name}/ in {place.root}.\n")
    return found or context.find(program)


def _repository(here: Path) -> repo.Repo:
    try:
        return repo.inspect(here)
    except repo.NotARepository:
        git(here, "init", "-q", "-b", "main")
        sys.stderr.write(f"Made a git repository in {here}.\n")
        return repo.inspect(here)


def _first_commit(place: repo.Repo, program: str) -> None:
    """An empty first commit where there is none, so that the files of the project are a change like any other."""
    if place.head.commit is not None:
        return
    name = state_dir(program)
    theirs = [change.path for change in dirty(place.root) if not change.path.startswith((f"{name}/", ".gitignore"))]
    if theirs:
        raise FilesWithoutHistory(
            f"{place.root}: {', '.join(theirs[:3])}{' …' if len(theirs) > 3 else ''}: in no commit yet, so that no "
            "worktree would have them",
            hint='git add . && git commit -m "first commit", then again',
        )
    repo.require_identity(place.root)
    git(place.root, "commit", "-q", "--allow-empty", "--no-verify", "-m", "chore: first commit")
