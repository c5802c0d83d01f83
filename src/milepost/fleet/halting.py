"""Telling a worker to stop, and seeing to it that it does: order and SIGTERM, a deadline, then the whole group.

Only the very process that holds the lease is signalled, and never the coordinator that is about to hand one over: the
order waits for the worker then. Source: parallel PR-102 to PR-104, PR-326, FM-13; style R19.
"""

import signal
from typing import Final

from milepost.fleet.processes import STARTING
from milepost.fleet.site import Site
from milepost.formats.journal import Ordered
from milepost.formats.signal import Order, Signal
from milepost.process import ladder, table
from milepost.process.kin import Kin
from milepost.rules.fleet import BY_BUDGET
from milepost.store import mailbox
from milepost.store.lease import Holder

PATIENCE_S: Final = 30.0
"""How long a worker may take to put its unit away."""


def ask(milestone: str, holder: Holder, sender: str, site: Site) -> None:
    """Post the order for that run and send SIGTERM. Idempotent."""
    now = site.now_ms()
    if sender == BY_BUDGET:
        ordered = Ordered(at_ms=now, run=site.run, milestone=milestone, order=Order.STOP, sender=sender)
        site.journal("orders").append(ordered)
    order = Signal(signal=Order.STOP, sent_at=now, sender="coordinator", run=holder.run)
    mailbox.post(site.box, milestone, order)
    if row := _row(holder):
        ladder.send(row, signal.SIGTERM)


async def force(holder: Holder) -> None:
    """End its session by the ladder: TERM, grace, KILL, and what it started with it."""
    if row := _row(holder):
        await ladder.end(Kin(pid=row.pid, start=row.start, mark=f"/{row.pid}-{row.start}-"))


def _row(holder: Holder) -> table.Row | None:
    """The worker that took the lease; None when its number means another one now, or it has not begun yet."""
    if holder.command == STARTING:
        return None  # The record is still that of a coordinator, which would stop itself.
    found = table.row(holder.pid) if holder.pid > 0 else None
    return found if found is not None and found.start == holder.start_ticks else None
