"""`gsd dispatch uat`: one unit now, through the same transaction as any other. Source: spec auto 7."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from milepost.rules import by_order
from milepost.rules.derive import derive
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import context, running
from milepost.unit.unsettled import require_settled


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
    try:
        options.discuss = by_order.unit(options.what, options.id, derive(tree), tree)
    except by_order.NotNow:
        # It stands on what the files say, and those of a killed run say more than was verified.
        require_settled(Journal(Path(where.root) / where.state_dir, "project").everything())
        raise
    options.goes_on, options.max_units = False, 1
    return running.start(options, program, "dispatch")
