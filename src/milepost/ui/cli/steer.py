"""`gsd steer TEXT`: change course. The session that runs is told at once, the plan is rewritten after it.

Source: spec auto 2.23, 5.15; parallel PR-244.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, FormatError
from milepost.fleet import processes
from milepost.formats import overrides
from milepost.formats.journal import OrderGiven
from milepost.model.moments import iso
from milepost.rules.derive import derive
from milepost.store import notebook
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import arguments, capture, context, stop


def run(argv: Sequence[str], program: str) -> int:
    """Append an order to the project's OVERRIDES.md, which is also what a running session listens to."""
    says = "Change course: the running session is told within a second, the plan is brought in line after its unit."
    made = arguments.Parser(prog=f"{program} steer", description=says)
    made.add_argument("text", nargs="*", metavar="TEXT", help="what is to be different from now on")
    text = capture.said(made.parse_args(argv).text, program, "steer")
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    now_ms = time.time_ns() // 1_000_000
    given = overrides.Override(at=iso(now_ms), change=text.strip(), scope="active", applied_at=_current(where))
    # First, since a session that is at work in this checkout may not write there: so it is known who did.
    order = OrderGiven(at_ms=now_ms, run="person", order_at=given.at, change=given.change)
    Journal(state, "project").append(order)
    notebook.steer(state, given)
    goes_on = "the session that runs is told now, and " if _at_work(state) else "when it goes on, "
    sys.stdout.write(f"Noted: {goes_on}the plan is brought in line at the next boundary.\n")
    return ExitCode.DONE


def _at_work(state: Path) -> bool:
    return stop.runner(state) is not None or bool(processes.runners(state))


def _current(where: context.Where) -> str:
    """The active task, slice or milestone; empty where the plan does not say."""
    try:
        state = derive(Snapshot(where.root, where.state_dir))
    except FormatError:
        return ""
    parts = (state.active_milestone, state.active_slice, state.active_task)
    return "/".join(part.id for part in parts if part)
