"""`gsd dispatch uat`: one unit now, through the same transaction as any other. Source: spec auto 7."""

import argparse
from collections.abc import Sequence

from milepost.rules import by_order
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import context, running


def parser(program: str) -> argparse.ArgumentParser:
    """The options: what, and those of a run."""
    made = running.parser(program, "dispatch")
    made.description = (
        "Do one unit now, whether or not it is its turn, with the gate, the budget and the caps of any unit."
    )
    made.add_argument("what", metavar="WHAT", help=f"{', '.join(by_order.WORDS)}, or a unit type like run-uat")
    made.add_argument("id", metavar="ID", nargs="?", default="", help="of which milestone, slice or task (M001/S02)")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Find the unit, and do it."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    tree = Snapshot(where.root, where.state_dir)
    options.discuss = by_order.unit(options.what, options.id, derive(tree), tree)
    options.goes_on, options.max_units = False, 1
    return running.start(options, program, "dispatch")
