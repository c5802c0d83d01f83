"""`routing-history.json` on disk: made anew from the journal; one of another program is kept beside it, once.

Source: spec auto 5.14; DESIGN rule 1.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from milepost.formats import routing_history as file_format
from milepost.formats.journal import AnyEvent
from milepost.rules import routing_history
from milepost.store import atomic, regular

NAME = "routing-history.json"
FOREIGN = "routing-history.before.json"
"""Where the file of another program goes."""


def publish(state: Path, events: Sequence[AnyEvent]) -> None:
    """Write the file below the state directory of the project. No link is followed out of it."""
    patterns = {
        name: {str(tier): (count.success, count.fail) for tier, count in tiers.items()}
        for name, tiers in routing_history.patterns(events).items()
    }
    path = state / NAME
    _keep_foreign(path)
    updated = max((event.at_ms for event in events), default=0)
    data = file_format.encode(patterns, routing_history.ratings(events), updated_ms=updated)
    atomic.replace(path, data, durable=False, within=state)


def _keep_foreign(path: Path) -> None:
    try:
        data = regular.read(path)
    except OSError:
        return
    if not file_format.is_ours(data):
        os.replace(path, path.with_name(FOREIGN))
