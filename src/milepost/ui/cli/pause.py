"""`gsd pause`: let the current unit finish, then stop. Source: parallel PR-100, auto 5.20."""

import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.formats.signal import Order
from milepost.ui.cli import arguments, context, stop


def run(argv: Sequence[str], program: str) -> int:
    """Post the order; the running process reads it when its unit has ended."""
    arguments.Parser(
        prog=f"{program} pause", description="Let the current unit finish, then end auto mode (exit code 3)."
    ).parse_args(argv)
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    holder = stop.runner(state)
    if holder is None:
        return stop.nothing(state, program, "pause")
    stop.order(state / "parallel", Order.PAUSE, holder.run)
    sys.stdout.write(f"Pausing after the current unit (pid {holder.pid}). {program} auto goes on from there.\n")
    return ExitCode.DONE
