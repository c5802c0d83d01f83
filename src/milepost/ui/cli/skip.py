"""`gsd skip T03`: something that is not to be done. Source: spec auto 7."""

import argparse
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.fleet import by_hand, skipping
from milepost.model.units import UnitKind
from milepost.rules import targets
from milepost.ui.cli import arguments, sites


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} skip",
        description="Go on without a task, a slice or another unit. A record in its place says so.",
    )
    made.add_argument("what", metavar="UNIT", help="M001/S02/T03, T03, S02, or a unit like reassess-roadmap/M001/S02")
    made.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the record")
    made.add_argument("--undo", action="store_true", help="take it back: the work is due again")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Skip, or take it back."""
    options = parser(program).parse_args(argv)
    site = sites.site(program)
    target = targets.parse(options.what, by_hand.state_of(site))
    if options.undo:
        found = skipping.take_back(target, site)
        sys.stdout.write(f"{_name(found)} is not skipped any more; {program} auto does it.\n")
        return ExitCode.DONE
    found = skipping.skip(target, options.reason, site)
    sys.stdout.write(
        f"{_name(found)} is skipped: {found.path} says so. To take that back: {program} skip {options.what} --undo\n"
    )
    for sid in found.dependents:
        sys.stdout.write(f"  {found.unit.milestone}/{sid} was to build on it, and will have to do without.\n")
    return ExitCode.DONE


def _name(found: skipping.Skipped) -> str:
    whole = found.unit.kind in (UnitKind.EXECUTE_TASK, UnitKind.COMPLETE_SLICE)
    return found.unit.id if whole else str(found.unit)
