"""`gsd headless query`: the documented JSON on one line, from files alone; writes nothing. Source: spec auto 7.1."""

import os
import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.rules.derive import derive
from milepost.rules.dispatch import decide
from milepost.store import beacons, preferences
from milepost.store.snapshot import Snapshot
from milepost.store.steering import steered
from milepost.ui.cli import context
from milepost.ui.views import state as view
from milepost.ui.views.waiting import honest


def run(argv: Sequence[str], program: str) -> int:
    """Print one line."""
    del argv
    where = context.find(program)
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir)
    for problem in settings.problems:
        sys.stderr.write(f"{program}: {problem}\n")
    tree = Snapshot(where.root, where.state_dir)
    state = derive(tree, lock=None)
    active = state.active_milestone.id if state.active_milestone else None
    workers = beacons.read(os.path.join(where.root, where.state_dir))
    known = [worker.cost_usd for worker in workers if worker.cost_usd is not None]
    total = sum(known) if len(known) == len(workers) else None
    rows = [view.CostRow(*worker) for worker in workers]
    decision = honest(decide(state, steered(tree, active), settings.preferences), state, tree.homes)
    sys.stdout.write(view.query(state, decision, rows, total))
    return ExitCode.DONE
