"""`gsd rate over|ok|under [UNIT]`: whether a unit's model was more than it needed, right, or too little.

It is learnt from: a tier that is too low for units of a kind is not used for them. Source: spec auto 5.14 (feedback).
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Rated
from milepost.rules import routing_history
from milepost.rules.complexity import Tier
from milepost.store import routing_file
from milepost.store.journal import Journal
from milepost.ui.cli import arguments, context, project


class NothingToRate(MilepostError):
    """No unit has ended, or not the one that was named."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} rate", description="Say whether a unit's model was more than it needed, right, or too little."
    )
    made.add_argument("rating", choices=("over", "ok", "under"), help="over: a cheaper one would do; under: it failed")
    made.add_argument("unit", metavar="UNIT", nargs="?", default="", help="M001/S01/T01 or KIND/ID; else the last one")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Write the rating down."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    routed = project.settings(where, program).preferences.dynamic_routing.enabled
    state = Path(where.root, where.state_dir)
    journal = Journal(state, "project")
    found = _find(options.unit, journal.everything(), program)
    now = time.time_ns() // 1_000_000
    rated = Rated(
        at_ms=now,
        run=f"r{now:013d}-{os.urandom(3).hex()}",
        kind=found.kind,
        unit=found.unit,
        tier=found.tier or str(Tier.STANDARD),
        rating=options.rating,
        tags=found.tags,
    )
    journal.append(rated)
    events = journal.everything()
    routing_file.publish(state, events)
    sys.stdout.write(_text(rated, found, events) + ("" if routed else _OFF))
    return ExitCode.DONE


_OFF = "  It counts when `dynamic_routing.enabled` is true, which it is not now.\n"


def _find(unit: str, events: Sequence[AnyEvent], program: str) -> AttemptStarted:
    """The last attempt that ended, of one unit or of any. Raises NothingToRate."""
    ended = {event.attempt for event in events if isinstance(event, AttemptEnded)}
    found = [
        event
        for event in events
        if isinstance(event, AttemptStarted)
        and event.attempt in ended
        and unit in ("", event.unit, f"{event.kind}/{event.unit}")
    ]
    if not found:
        words = f"{unit} has not been worked on" if unit else "no unit has ended yet"
        raise NothingToRate(f"{words}, so there is nothing to rate", hint=f"{program} history shows what was done.")
    return found[-1]


def _text(rated: Rated, found: AttemptStarted, events: Sequence[AnyEvent]) -> str:
    by = f" by {found.model}" if found.model else ""
    head = f"{rated.kind} {rated.unit}, done as {rated.tier} work{by}, is rated {rated.rating}.\n"
    known, tier = routing_history.patterns(events), Tier(rated.tier)
    if tier is not Tier.HEAVY and routing_history.failing(known, rated.kind, rated.tags, tier):
        return f"{head}  The next {rated.tier} {rated.kind} is done as {tier.up} work.\n"
    return head
