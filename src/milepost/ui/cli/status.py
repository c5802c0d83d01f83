"""`gsd status`: where the project stands, what it cost, what waits for a person. Reads, never writes."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.fleet.look import look
from milepost.model import money
from milepost.rules.derive import derive
from milepost.rules.dispatch import decide
from milepost.store import ledger, preferences
from milepost.store.snapshot import Snapshot
from milepost.store.steering import steered
from milepost.ui.cli import arguments, context, stop
from milepost.ui.views import fleet, fleet_json, overview
from milepost.ui.views import state as state_view
from milepost.ui.views.waiting import honest


def run(argv: Sequence[str], program: str) -> int:
    """Print it."""
    made = arguments.Parser(prog=f"{program} status", description="Where the project stands and what it cost.")
    made.add_argument("--json", action="store_true", help="the same as JSON")
    options = made.parse_args(argv)
    where = context.find(program)
    tree = Snapshot(where.root, where.state_dir)
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir)
    for problem in settings.problems:
        sys.stderr.write(f"{program}: {problem}\n")
    state_path = Path(where.root, where.state_dir)
    state = derive(tree, lock=None)
    active = state.active_milestone.id if state.active_milestone else None
    decision = honest(decide(state, steered(tree, active), settings.preferences), state, tree.homes)
    ceiling = settings.preferences.budget_ceiling
    board = fleet.board(look(state_path, now_ms=_now_ms()), settings.preferences, program)
    seen = overview.overview(
        state,
        decision,
        board.seen.events,
        running=_running(state_path) or _workers(board),
        ceiling=None if ceiling is None else money.from_usd(ceiling),
        carried=ledger.carried(state_path),
    )
    if options.json:
        sys.stdout.write(_json(seen, board, state_view.query(state, decision)) + "\n")
    else:
        sys.stdout.write(overview.text(seen, program))
        sys.stdout.write("".join(f"{line}\n" for line in ["", *fleet.brief(board)] if board.shown))
    return ExitCode.DONE


def _running(state: Path) -> str:
    holder = stop.runner(state)
    if holder is None:
        return ""
    lock = ledger.read_lock(state)
    doing = f": {lock.unit_type} {lock.unit_id}, since {lock.unit_started_at}" if lock else ""
    return f"pid {holder.pid}{doing}"


def _workers(board: fleet.Board) -> str:
    return f"parallel workers: {', '.join(w.milestone for w in board.seen.workers if w.alive)}" if board.living else ""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _json(seen: overview.Overview, board: fleet.Board, query: str) -> str:
    rows = [
        {
            "kind": r.kind,
            "attempts": r.attempts,
            "committed": r.committed,
            "tokens": r.tokens,
            "cost": None if r.micro_usd is None else money.to_usd(r.micro_usd),
        }
        for r in seen.rows
    ]
    return json.dumps(
        {
            **json.loads(query),
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
        }
    )
