"""`gsd queue`: which milestone comes when, and what it waits for; from files alone. Source: parallel PR-191, PR-212."""

import json
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import arguments, context
from milepost.ui.views import queue


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    made = arguments.Parser(prog=f"{program} queue", description="The milestones in order, and what each waits for.")
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args(argv)
    where = context.find(program)
    registry = derive(Snapshot(where.root, where.state_dir), lock=None).registry
    sys.stdout.write(json.dumps(queue.document(registry)) + "\n" if options.json else queue.text(registry))
    return ExitCode.DONE
