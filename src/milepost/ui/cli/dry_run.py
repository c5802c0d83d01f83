"""`gsd next --dry-run`: what would be done next. Decides as a run does, starts nothing and writes nothing."""

import json
import sys
from pathlib import Path

from milepost.errors import ExitCode
from milepost.model import money
from milepost.rules import budget, projection
from milepost.rules.derive import derive
from milepost.rules.dispatch import decide
from milepost.store import ledger
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot
from milepost.store.steering import steered
from milepost.ui.cli import context, project
from milepost.ui.views import dry_run, spending
from milepost.ui.views.waiting import honest


def run(program: str, *, as_json: bool) -> int:
    """Print it."""
    where = context.find(program)
    settings = project.settings(where, program).preferences
    state_path = Path(where.root, where.state_dir)
    tree = Snapshot(where.root, where.state_dir)
    state = derive(tree, lock=None)
    active = state.active_milestone.id if state.active_milestone else None
    decision = honest(decide(state, steered(tree, active), settings), state, tree.homes)
    events = Journal(state_path, "project").everything()
    ceiling = None if settings.budget_ceiling is None else money.from_usd(settings.budget_ceiling)
    books = budget.books(events, carried=ledger.carried(state_path))
    costs = tuple(projection.finished_slices(events).values())
    seen = dry_run.Outlook(
        state=state,
        next=decision,
        like_it=dry_run.like(spending.attempts(events), decision),
        spent=books.spent,
        left=None if ceiling is None else max(0, ceiling - books.committed),
        ceiling=ceiling,
        projection=projection.project(costs, projection.slices_left(state.registry, tree)),
    )
    sys.stdout.write(json.dumps(dry_run.document(seen)) + "\n" if as_json else dry_run.text(seen))
    return ExitCode.DONE
