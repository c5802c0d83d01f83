"""`gsd triage`: sort the captured thoughts now, instead of at the next seam. Source: spec auto 5.15, 7."""

import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.rules import captures
from milepost.store import notebook
from milepost.ui.cli import context, running, stop
from milepost.worker.errands import TRIAGE


def run(argv: Sequence[str], program: str) -> int:
    """Run the sessions that captures need to be sorted; with --dry-run only list them."""
    made = running.parser(program, TRIAGE)
    made.add_argument("--dry-run", action="store_true", help="list what waits, and run nothing")
    options = made.parse_args(argv)
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    if options.dry_run:
        return _list(state)
    if stop.runner(state) is not None:
        sys.stdout.write("An auto mode is at work; it sorts what waits when its unit has ended.\n")
        return ExitCode.DONE
    return running.run(argv, program, TRIAGE)


def _list(state: Path) -> int:
    waiting = captures.pending(notebook.text(state, notebook.CAPTURES))
    for entry in waiting:
        sys.stdout.write(f"{entry.id}  {entry.text}\n")
    if not waiting:
        sys.stdout.write("No capture waits to be sorted.\n")
    return ExitCode.DONE
