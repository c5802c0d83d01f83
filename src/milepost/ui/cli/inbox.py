"""`gsd inbox`: everything that waits for a person, with the reason and the next command. Reads, never writes.

Source: DESIGN "People"; issue "Health".
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.fleet.look import look
from milepost.store import preferences
from milepost.ui.cli import arguments, context
from milepost.ui.views import inbox, inbox_text


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    made = arguments.Parser(prog=f"{program} inbox", description="What waits for you: conflicts, merges, stops.")
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args(argv)
    where = context.find(program)
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir).preferences
    seen = look(Path(where.root, where.state_dir), now_ms=time.time_ns() // 1_000_000)
    rows = inbox.rows(seen, settings.parallel, program)
    sys.stdout.write(
        json.dumps(inbox_text.document(rows)) + "\n" if options.json else inbox_text.text(rows, seen.now_ms)
    )
    return ExitCode.DONE
