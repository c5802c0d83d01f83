"""`gsd headless query`: the documented JSON on one line, from files alone; writes nothing. Source: spec auto 7.1."""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode
from milepost.rules.derive import derive
from milepost.rules.dispatch import decide
from milepost.store import preferences
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import context
from milepost.ui.views import state as view


def run(argv: Sequence[str], program: str) -> int:
    """Print one line."""
    del argv
    where = context.find(program)
    tree = Snapshot(where.root, where.state_dir)
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir)
    for problem in settings.problems:
        sys.stderr.write(f"{program}: {problem}\n")
    found = derive(tree, lock=None)
    sys.stdout.write(view.query(found, decide(found, tree, settings.preferences), tree) + "\n")
    return ExitCode.DONE
