"""`gsd inbox`: everything that waits for a person, with the reason and the next command. Reads, never writes.

Source: DESIGN "People"; issue "Health", "Knowing what happened".
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, FormatError
from milepost.fleet.look import look
from milepost.store import preferences
from milepost.ui.cli import arguments, context, looking
from milepost.ui.views import inbox, inbox_project, inbox_text
from milepost.ui.views.inbox import Kind, Row


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    made = arguments.Parser(
        prog=f"{program} inbox", description="What waits for you: questions, conflicts, failed gates, stops, drafts."
    )
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args(argv)
    where = context.find(program)
    try:
        here = looking.around(where, program)
        rows, now_ms = inbox_project.rows(here), here.now_ms
    except FormatError as error:
        rows, now_ms = _unreadable(error, where, program)
    sys.stdout.write(json.dumps(inbox_text.document(rows)) + "\n" if options.json else inbox_text.text(rows, now_ms))
    return ExitCode.DONE


def _unreadable(error: FormatError, where: context.Where, program: str) -> tuple[tuple[Row, ...], int]:
    """What can be said while a document cannot be read, which is the first thing that waits."""
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir).preferences
    seen = look(Path(where.root, where.state_dir), now_ms=time.time_ns() // 1_000_000)
    torn = Row(kind=Kind.BLOCKED, milestone="", reason=str(error), next=error.hint or f"Mend it, then {program} auto.")
    return (torn, *inbox.rows(seen, settings.parallel, program)), seen.now_ms
