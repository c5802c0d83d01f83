"""What one run did: units finished, those of them that it only settled, its sessions, and what all of it took.

A unit is finished when its attempt was committed. One that an earlier run had begun, and whose work was found on disk,
is finished without a session of this run and without its price. Source: spec auto 7.1.
"""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result
from milepost.model import asides
from milepost.model.words import counted
from milepost.ui.views import spending
from milepost.ui.views.spending import Spent


class Totals(NamedTuple):
    """Of one run."""

    units: int = 0
    """Finished ones."""
    settled: int = 0
    """The part of `units` that earlier runs had paid for."""
    sessions: int = 0
    """Attempts at units that it began, finished or not."""
    spent: Spent = spending.NOTHING
    """Also what was asked beside the work."""


def of_run(events: Iterable[AnyEvent], run: str) -> Totals:
    """Fold. Pure."""
    mine = [event for event in events if event.run == run]
    begun = {event.attempt for event in mine if isinstance(event, AttemptStarted)}
    ends = (e for e in mine if isinstance(e, AttemptEnded) and e.result is Result.COMMITTED)
    done = {event.attempt for event in ends if asides.of(event.attempt) is None}
    spent = spending.whole(spending.attempts(mine))
    return Totals(units=len(done), settled=len(done - begun), sessions=len(begun), spent=spent)


def words(totals: Totals) -> str:
    """`3 units done`; where it is not that simple: `2 units done (1 settled from an earlier run) in 3 sessions`."""
    settled = f" ({totals.settled} settled from an earlier run)" if totals.settled else ""
    as_usual = totals.sessions == totals.units - totals.settled
    sessions = "" if as_usual else f" in {counted(totals.sessions, 'session')}"
    return f"{counted(totals.units, 'unit')} done{settled}{sessions}"
