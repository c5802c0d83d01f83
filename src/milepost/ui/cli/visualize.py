"""`gsd visualize`: progress tree, dependencies and timeline in the terminal. Reads, never writes."""

import shutil
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.ui.cli import arguments, context, looking
from milepost.ui.views import visual

PARTS = ("tree", "dependencies", "timeline")


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    made = arguments.Parser(
        prog=f"{program} visualize", description="The plan with what is done, who waits for whom, and what ran when."
    )
    made.add_argument(
        "part", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; nothing: all of them", type=_part, default=[]
    )
    options = made.parse_args(argv)
    here = looking.around(context.find(program), program)
    width = shutil.get_terminal_size().columns
    sys.stdout.write(visual.text(here, here.plan(), options.part or PARTS, width))
    return ExitCode.DONE


def _part(text: str) -> str:
    found = next((part for part in PARTS if part.startswith(text)), "") if text else ""
    if not found:
        raise arguments.BadOption(f"{text!r} is none of {', '.join(PARTS)}")
    return found
