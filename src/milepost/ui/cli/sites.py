"""The `Site` of a command: where it stands, which settings hold, whose environment. The fleet's only door to these.

Source: style R1, R17.
"""

import os
import time

from milepost.fleet.site import Site
from milepost.process import environment
from milepost.ui.cli import context, credentials, project, surroundings
from milepost.unit.bench import Silent, Watcher

_SILENT = Silent()


def site(
    program: str,
    *,
    options: tuple[str, ...] = (),
    sandbox: bool = True,
    watcher: Watcher = _SILENT,
) -> Site:
    """The project here. Raises NoProject, NotAtTheRoot, BadSettings."""
    where = context.find(program)
    root = project.at_root(where).root
    loaded = project.settings(where, program)
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
        secrets=credentials.of_project(where),
        caches=surroundings.caches(os.environ),
        sandbox=sandbox,
        watcher=watcher,
    )
