"""Which project a command is about: the only place that reads the current directory and the environment.

Imports nothing heavy, since `gsd headless query` goes through here. Source: style R1, R17; DESIGN (dialect).
"""

import os
from typing import NamedTuple

from milepost.errors import MilepostError
from milepost.ui.cli.main import state_dir

_STATE_DIRS = (".gsd", ".sf")


class NoProject(MilepostError):
    """No state directory here or above."""


class Where(NamedTuple):
    """A project, as the door found it."""

    root: str
    """Absolute path of the directory that holds the state directory."""
    state_dir: str
    """`.gsd` or `.sf`."""
    home: str
    """The directory of global settings (`GSD_HOME`, else `~/.gsd`)."""


def find(program: str) -> Where:
    """The project of the current directory or the nearest above it. Raises NoProject.

    Inside `.gsd/worktrees/<MID>/` the project is the one that owns the worktree (spec auto 7).
    """
    here = outside_worktrees(cwd())
    directory = here
    while True:
        for name in (state_dir(program), *_STATE_DIRS):
            if _is_project(os.path.join(directory, name), name):
                return Where(root=directory, state_dir=name, home=home(name))
        above = os.path.dirname(directory)
        if above == directory:
            raise NoProject(f"{here}: no {state_dir(program)}/ here or above", hint=begin(here, program))
        directory = above


def begin(directory: str, program: str) -> str:
    """What makes a project where there is none: in a repository its state directory, elsewhere both."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        above = os.path.dirname(directory)
        if above == directory:
            return f'{program} new-project "…" begins one from an idea; or git init, then {program} init.'
        directory = above
    return f'{program} init makes one; {program} new-project "…" begins it from an idea.'


def _is_project(path: str, name: str) -> bool:
    """Whether a state directory is one, and not that of global settings, which lies in the home directory."""
    if not os.path.isdir(path):
        return False
    return path != home(name) or os.path.isdir(os.path.join(path, "milestones"))


def cwd() -> str:
    """The current directory. Raises NoProject when it was removed under us."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise NoProject("the current directory does not exist any more", hint="cd to the project") from None


def outside_worktrees(directory: str) -> str:
    """`directory` with a tail inside our own worktrees cut off."""
    for name in _STATE_DIRS:
        directory = directory.split(f"/{name}/worktrees/")[0]
    return directory


def home(name: str) -> str:
    """Where global settings lie for a dialect."""
    variable = "GSD_HOME" if name == ".gsd" else "SF_HOME"
    return os.environ.get(variable) or os.path.join(os.path.expanduser("~"), name)
