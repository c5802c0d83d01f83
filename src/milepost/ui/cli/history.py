"""`gsd history`: the latest units with what they took, and cost by phase, slice, model, tier, unit, day or agent.

Reads the journal, never writes; works while a run is going on. Source: spec auto 7, 5.12.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from milepost.errors import ExitCode
from milepost.model import money
from milepost.rules import pacing
from milepost.rules.derive import derive
from milepost.rules.projection import slices_left
from milepost.store import ledger, preferences
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import arguments, context
from milepost.ui.views import history
from milepost.ui.views.spending import By


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} history", description="The latest units and what they took.", allow_abbrev=False
    )
    made.add_argument("latest", metavar="N", nargs="?", type=_count, default=20, help="so many attempts (20)")
    made.add_argument("--cost", action="store_true", help="what was spent, what is left, and what is to come")
    for by in By:
        made.add_argument(f"--{by}", action="store_true", help=f"a table of cost and tokens by {by}")
    made.add_argument("--milestone", metavar="ID", default="", help="only this milestone (M001)")
    made.add_argument("--since", metavar="DATE", default="", help="only what began then or later (2026-11-20)")
    made.add_argument("--failed", action="store_true", help="only attempts that did not end with a commit")
    made.add_argument("--utc", action="store_true", help="times and days in UTC, not in local time")
    made.add_argument("--json", action="store_true", help="everything as one JSON object")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    options = parser(program).parse_args(argv)
    asked = history.Asked(
        latest=options.latest,
        milestone=options.milestone,
        since_ms=_since_ms(options.since, utc=options.utc),
        failed=options.failed,
        zone=UTC if options.utc else None,
    )
    seen = _look(asked, program)
    if options.json:
        sys.stdout.write(json.dumps(history.document(seen, asked)) + "\n")
    else:
        tables = [by for by in By if getattr(options, by.value)]
        sys.stdout.write(history.text(seen, tables, cost=options.cost, asked=asked))
    return ExitCode.DONE


def _look(asked: history.Asked, program: str) -> history.History:
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    tree = Snapshot(where.root, where.state_dir)
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir).preferences
    ceiling = settings.budget_ceiling
    events = Journal(state, "project").everything()
    return history.history(
        events,
        asked,
        slices_left=slices_left(derive(tree, lock=None).registry, tree),
        ceiling=None if ceiling is None else money.from_usd(ceiling),
        carried=ledger.carried(state),
        windows=pacing.lines(events, settings, time.time_ns() // 1_000_000),
    )


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 up")
    return number


def _since_ms(text: str, *, utc: bool) -> int:
    """Epoch milliseconds of a date or a date with a time. Raises BadOption."""
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        hint = "A date is 2026-11-20, or 2026-11-20T18:30."
        raise arguments.BadOption(f"argument --since: {text!r} is no date", hint=hint) from None
    if at.tzinfo is None and utc:
        at = at.replace(tzinfo=UTC)
    return int(at.timestamp() * 1000)
