"""The `Site` of a command: where it stands, which settings hold, whose environment. The fleet's only door to these.

Source: style R1, R17.
"""

import os
import sys
import time
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.fleet.site import Site
from milepost.git import repo
from milepost.model.words import counted
from milepost.process import environment
from milepost.store import preferences
from milepost.ui.cli import context, surroundings
from milepost.unit.bench import Silent, Watcher

_SILENT = Silent()


class BadSettings(MilepostError):
    """The preferences have errors; all of them are said, and nothing was started."""


class NotAtTheRoot(MilepostError):
    """The state directory lies in a subdirectory of its repository, where no worktree would have it."""

    exit_code = ExitCode.BLOCKED


def site(
    program: str,
    *,
    options: tuple[str, ...] = (),
    sandbox: bool = True,
    watcher: Watcher = _SILENT,
    strict: bool = True,
) -> Site:
    """The project here. strict: settings with errors end the command. Raises NoProject, NotAtTheRoot, BadSettings."""
    where = context.find(program)
    root = repo.inspect(Path(where.root)).root
    if os.path.realpath(where.root) != str(root):
        raise NotAtTheRoot(
            f"{where.root}/{where.state_dir} is not at the root of its repository, which is {root}",
            hint=f"Move {where.state_dir}/ there, or make {where.root} a repository of its own.",
        )
    loaded = preferences.load(where.root, where.home, state_dir=where.state_dir)
    for problem in loaded.problems:
        sys.stderr.write(f"{program}: {problem}\n")
    if loaded.errors and strict:
        raise BadSettings(
            f"{counted(len(loaded.errors), 'error')} in the preferences; nothing was started", hint="Mend them first."
        )
    return Site(
        root=root,
        state_dir=where.state_dir,
        home=where.home,
        program=program,
        run=f"r{time.time_ns() // 1_000_000:013d}-{os.urandom(3).hex()}",
        preferences=loaded.preferences,
        env=dict(os.environ),
        shell=environment.scrubbed(os.environ, extra={}),
        now_ms=lambda: time.time_ns() // 1_000_000,
        worker_options=options,
        secrets=surroundings.secret_values(os.environ),
        caches=surroundings.caches(os.environ),
        sandbox=sandbox,
        watcher=watcher,
    )
