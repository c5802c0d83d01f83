"""`gsd park MID`: set a milestone aside, so that it is neither worked on nor counted. Source: spec auto 2.25, 7."""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.model.ids import require_milestone
from milepost.ui.cli import arguments, context
from milepost.ui.cli.new_milestone import site_of
from milepost.worker import queueing


def run(argv: Sequence[str], program: str) -> int:
    """Park it."""
    made = arguments.Parser(prog=f"{program} park", description="Set a milestone aside until it is taken up again.")
    made.add_argument("id", metavar="MID", help="which one")
    made.add_argument("--reason", default="", metavar="TEXT", help="why, for whoever reads it later")
    options = made.parse_args(argv)
    mid = require_milestone(options.id)
    why = queueing.park(mid, options.reason, site_of(context.find(program), program))
    sys.stdout.write(f"{mid} is parked{f' (not committed: {why})' if why else ''}. {program} unpark {mid} ends that.\n")
    return ExitCode.DONE
