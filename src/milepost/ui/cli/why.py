"""`gsd why`: what made it so: who, when, the evidence, what it cost. Reads, never writes. Source: DESIGN rule 10."""

import json
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.ui.cli import arguments, context, looking, screen
from milepost.ui.views import inbox_project, story, why


def run(argv: Sequence[str], program: str) -> int:
    """Explain."""
    made = arguments.Parser(
        prog=f"{program} why",
        description="Why something is as it is: the project, a milestone, a unit, or what was spent.",
    )
    made.add_argument(
        "about", nargs="*", metavar="ABOUT",
        help="M001, M001/S01/T02, execute-task/M001/S01/T02, T02, quick/1, cost, cost M001, or the state that you"
        " wonder about (paused, blocked, …); nothing: the project",
    )  # fmt: skip
    made.add_argument("--json", action="store_true", help="the same as one JSON object")
    options = made.parse_args(argv)
    here = looking.around(context.find(program), program)
    told = why.explain(options.about, here, inbox_project.rows(here))
    sys.stdout.write(json.dumps(told.document) + "\n" if options.json else story.text(told, screen.width()))
    return ExitCode.DONE
