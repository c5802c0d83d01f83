"""`gsd status`: where the project stands, what runs, what it costs, what waits for a person. Reads, never writes.

`--watch` draws it anew while something runs; `gsd status M002` is about one milestone. Source: parallel PR-245.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.model import money
from milepost.store.tally import Tally
from milepost.ui.cli import arguments, context, looking, screen
from milepost.ui.views import dashboard, fleet_json, milestone_status, story
from milepost.ui.views import state as state_view
from milepost.ui.views.dashboard import Dashboard
from milepost.ui.views.situation import Situation


class NoMilestone(MilepostError):
    """A milestone that is not in the plan."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(prog=f"{program} status", description="Where the project stands and what it cost.")
    made.add_argument("milestone", nargs="?", metavar="MID", help="only this milestone")
    made.add_argument("--json", action="store_true", help="the same as JSON; with --watch one line at each change")
    made.add_argument("--watch", action="store_true", help="again and again, while something runs; Ctrl-C leaves")
    made.add_argument(
        "--interval", type=screen.interval, default=1.0, metavar="SECONDS",
        help="between two looks of --watch (default 1)",
    )  # fmt: skip
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Print it, once or again and again."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    for problem in looking.problems(where):
        sys.stderr.write(f"{program}: {problem}\n")
    tally = Tally(Path(where.root, where.state_dir))

    def look() -> screen.Frame[object]:
        here = looking.around(where, program, tally.events)
        return _milestone(options.milestone, here) if options.milestone else _project(looking.dashboard_of(here, where))

    if options.watch:
        return screen.watch(look, options.interval, as_json=options.json)
    frame = look()
    sys.stdout.write(frame.line if options.json else screen.painted(frame.text, colour=screen.coloured()))
    return ExitCode.DONE


def _project(made: Dashboard) -> screen.Frame[object]:
    return screen.Frame(
        text=dashboard.text(made, screen.width()),
        line=_json(made) + "\n",
        sign=dashboard.signature(made),
        goes_on=bool(made.here.alive),
    )


def _milestone(mid: str, here: Situation) -> screen.Frame[object]:
    if mid not in {entry.id for entry in here.state.registry}:
        raise NoMilestone(f"there is no milestone {mid}", hint=f"{here.program} queue lists them.")
    told = milestone_status.story(mid, here)
    text = story.text(told, screen.width())
    return screen.Frame(text=text, line=json.dumps(told.document) + "\n", sign=text, goes_on=bool(here.alive))


def _json(made: Dashboard) -> str:
    seen, board = made.seen, made.here.board
    rows = [
        {
            "kind": r.kind,
            "attempts": r.attempts,
            "committed": r.committed,
            "tokens": r.spent.tokens,
            "cost": None if r.micro_usd is None else money.to_usd(r.micro_usd),
        }
        for r in seen.rows
    ]
    return json.dumps(
        {
            **json.loads(state_view.query(seen.state, seen.next)),
            "running": seen.running,
            "spent": money.to_usd(seen.books.spent),
            "reserved": money.to_usd(seen.books.reserved),
            "unpricedRequests": seen.books.unpriced,
            "ceiling": None if seen.ceiling is None else money.to_usd(seen.ceiling),
            "units": rows,
            "parallel": fleet_json.document(board) if board.shown else None,
            "lastRun": None
            if seen.last_run is None
            else {"state": seen.last_run.state, "reason": seen.last_run.reason, "hint": seen.last_run.hint},
            **dashboard.document(made),
        }
    )
