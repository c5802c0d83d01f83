"""`gsd inbox`: everything that waits for a person, with the reason and the next command. Reads, never writes.

Source: DESIGN "People"; issue "Health", "Knowing what happened".
"""

import json
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.ui.cli import arguments, context, looking
from milepost.ui.views import inbox_project, inbox_text


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    made = arguments.Parser(
        prog=f"{program} inbox", description="What waits for you: questions, conflicts, failed gates, stops, drafts."
    )
    made.add_argument("--json", action="store_true", help="the same as a JSON list")
    options = made.parse_args(argv)
    here = looking.around(context.find(program), program)
    rows = inbox_project.rows(here)
    sys.stdout.write(
        json.dumps(inbox_text.document(rows)) + "\n" if options.json else inbox_text.text(rows, here.now_ms)
    )
    return ExitCode.DONE
