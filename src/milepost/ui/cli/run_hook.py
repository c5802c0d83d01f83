"""`gsd run-hook NAME TYPE ID`: run a post-unit hook for a unit now. Source: spec auto 5.16, 7.

The wish is a fact in the journal, so a running auto mode carries it out at the next seam, and a run that dies does
not lose it.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import HookWanted
from milepost.model import ids
from milepost.model.units import ERRANDS, UnitKind
from milepost.store.journal import Journal
from milepost.ui.cli import context, project, running, stop
from milepost.worker.hooks import RUN_HOOK


class NoSuchHook(MilepostError):
    """No post-unit hook has that name, or the unit is none."""


def run(argv: Sequence[str], program: str) -> int:
    """Write the wish down and carry it out."""
    made = running.parser(program, RUN_HOOK)
    made.add_argument("name", metavar="NAME", help="the hook's name in post_unit_hooks")
    made.add_argument("type", metavar="TYPE", help="the type of the unit that it looks at, like execute-task")
    made.add_argument("id", metavar="ID", help="the unit's id: M001, M001/S02 or M001/S02/T03")
    options = made.parse_args(argv)
    where = context.find(program)
    known = [hook.name for hook in project.settings(where, program).preferences.post_unit_hooks]
    if options.name not in known:
        raise NoSuchHook(f"no hook is called {options.name!r}", hint=f"There are: {', '.join(known) or 'none'}")
    _require_unit(options.type, options.id)
    state = Path(where.root, where.state_dir)
    wish = HookWanted(
        at_ms=time.time_ns() // 1_000_000,
        run=f"person-{os.getpid()}",
        hook=options.name,
        kind=options.type,
        unit=options.id,
    )
    Journal(state, "project").append(wish)
    if stop.runner(state) is not None:
        sys.stdout.write("An auto mode is at work; it runs the hook when its unit has ended.\n")
        return ExitCode.DONE
    words = (options.name, options.type, options.id)
    return running.run([word for word in argv if word not in words], program, RUN_HOOK)


def _require_unit(type_: str, unit_id: str) -> None:
    """Raise NoSuchHook or BadId for what is no unit."""
    if type_ not in {kind.value for kind in UnitKind} - ERRANDS:
        raise NoSuchHook(f"no unit type is called {type_!r}", hint=f"One of: {', '.join(UnitKind)}")
    milestone, *parts = unit_id.split("/")
    ids.require_milestone(milestone)
    for part in parts[:2]:
        ids.require_part(part)
