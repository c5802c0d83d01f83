"""What a unit's records must not hold, as it stands when the unit begins: a person may have put a key into `.env`.

Source: spec auto 2.13, DESIGN rule 10.
"""

from dataclasses import replace

from milepost.store import dotenv
from milepost.store.journal import Journal
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.worker.shift import Shift


def withheld(bench: Bench, shift: Shift) -> Bench:
    """The bench with the values of the project's `.env` among its secrets."""
    names = dotenv.named(Snapshot(str(shift.root), shift.state_dir))
    known = tuple(dict.fromkeys((*shift.secrets, *dotenv.secret_values(shift.root, names))))
    if known == bench.secrets:
        return bench
    journal = Journal(bench.workspace.root_state, bench.workspace.milestone, known_secrets=known)
    return replace(bench, secrets=known, journal=journal)
