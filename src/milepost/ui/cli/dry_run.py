"""`gsd next --dry-run`: what would be done next. Decides as a run does, starts nothing and writes nothing."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from milepost.errors import ExitCode
from milepost.formats.journal import AnyEvent
from milepost.formats.preferences import Preferences
from milepost.model import money
from milepost.rules import billing, budget, pacing, projection
from milepost.rules.derive import derive
from milepost.rules.dispatch import Decision, Dispatch, decide
from milepost.store import ledger
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot
from milepost.store.steering import steered
from milepost.ui.cli import agents, context, credentials, project
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
        waits=_waits(events, decision, settings, where.home),
        projection=projection.project(costs, projection.slices_left(state.registry, tree)),
    )
    sys.stdout.write(json.dumps(dry_run.document(seen)) + "\n" if as_json else dry_run.text(seen))
    return ExitCode.DONE


def _waits(events: Sequence[AnyEvent], decision: Decision, settings: Preferences, home: str) -> str:
    """Why the next unit would wait; empty: it would not."""
    if not isinstance(decision, Dispatch):
        return ""
    kind = decision.unit.kind
    wanted = agents.Wanted(agent="builtin", model=None, record=None, pace_s=0)
    choice = agents.models(wanted, settings, credentials.environ(home))
    windows = pacing.windows_of(settings, flat=billing.all_flat(settings, choice.get(kind, ())))
    found = pacing.full(events, windows, kind, time.time_ns() // 1_000_000)
    if found is None:
        return ""
    until = datetime.fromtimestamp(found.until_ms / 1000, tz=UTC).astimezone()
    return f"until {until:%Y-%m-%d %H:%M}: {found}"
