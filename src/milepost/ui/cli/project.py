"""What every command that changes something asks of the project first: its root, and settings without errors."""

import os
import sys
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import repo
from milepost.model.words import counted
from milepost.store import preferences
from milepost.ui.cli.context import Where


class BadSettings(MilepostError):
    """The preferences have errors; all of them are said, and nothing was started."""


class NotAtTheRoot(MilepostError):
    """The state directory lies in a subdirectory of its repository, where no worktree would have it."""

    exit_code = ExitCode.BLOCKED


def at_root(where: Where) -> repo.Repo:
    """The repository, whose root the project must be. Raises NotAtTheRoot."""
    place = repo.inspect(Path(where.root))
    if os.path.realpath(where.root) != str(place.root):
        raise NotAtTheRoot(
            f"{where.root}/{where.state_dir} is not at the root of its repository, which is {place.root}",
            hint=f"Move {where.state_dir}/ there, or make {where.root} a repository of its own.",
        )
    return place


def settings(where: Where, program: str) -> preferences.Loaded:
    """The preferences; what is wrong with them is said. Raises BadSettings for errors."""
    loaded = preferences.load(where.root, where.home, state_dir=where.state_dir)
    for problem in loaded.problems:
        sys.stderr.write(f"{program}: {problem}\n")
    if loaded.errors:
        raise BadSettings(
            f"{counted(len(loaded.errors), 'error')} in the preferences; nothing was started", hint="Mend them first."
        )
    return loaded
