"""`gsd verdict M001/S02 pass`: a person's word on an acceptance test or a validation. Source: spec auto 8.12."""

import argparse
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.fleet import by_hand, verdicts
from milepost.rules import targets
from milepost.ui.cli import arguments, sites


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} verdict",
        description="Say how an acceptance test (M001/S02) or a validation (M001) ended; the next run goes on from it.",
    )
    made.add_argument("what", metavar="ID", help="a finished slice (M001/S02, S02) or a milestone (M001)")
    made.add_argument(
        "verdict",
        choices=("pass", "fail", "needs-attention", "needs-remediation"),
        help="pass or fail of a slice; pass, needs-attention or needs-remediation of a milestone",
    )
    made.add_argument("--note", metavar="TEXT", default="", help="why, or what was wrong; a remedy is planned from it")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Record a verdict."""
    options = parser(program).parse_args(argv)
    site = sites.site(program)
    target = targets.parse(options.what, by_hand.state_of(site))
    path = verdicts.give(target, options.verdict, options.note, site)
    sys.stdout.write(f"{target.id}: {options.verdict}, in {path}. {program} auto goes on from there.\n")
    return ExitCode.DONE
