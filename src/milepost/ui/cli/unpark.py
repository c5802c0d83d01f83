"""`gsd unpark MID`: take a milestone up again that was set aside. Source: spec auto 2.25, 7."""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.model.ids import require_milestone
from milepost.ui.cli import arguments, context
from milepost.ui.cli.new_milestone import site_of
from milepost.worker import queueing


def run(argv: Sequence[str], program: str) -> int:
    """Unpark it."""
    made = arguments.Parser(prog=f"{program} unpark", description="Take a milestone up again that was set aside.")
    made.add_argument("id", metavar="MID", help="which one")
    mid = require_milestone(made.parse_args(argv).id)
    why = queueing.unpark(mid, site_of(context.find(program), program))
    sys.stdout.write(f"{mid} is in the queue again{f' (not committed: {why})' if why else ''}.\n")
    return ExitCode.DONE
