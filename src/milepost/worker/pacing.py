"""Waiting for a window: a run whose budget window is used up stands still until enough of it has rolled off.

The wait is said once, journaled, and ends for an order, a signal or the clock (also one that jumped). Whoever waited
goes round the loop once more, so that nothing that happened meanwhile is missed.
Source: issue "Money", field-reports #36.
"""

from datetime import UTC, datetime

import anyio

from milepost.formats.journal import BudgetWaiting
from milepost.model.units import Unit
from milepost.rules import billing, pacing
from milepost.store import mailbox
from milepost.unit import routing
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.worker import orders
from milepost.worker.shift import Shift

POLL_S = 1.0
"""How soon an order or a clock that jumped is noticed."""


async def waited(unit: Unit, bench: Bench, shift: Shift) -> bool:
    """Wait while `unit` does not fit into a window. True: it had to; ask everything anew."""
    flat = billing.all_flat(bench.preferences, routing.route(unit, tree_of(bench), bench).models)
    windows = pacing.windows_of(bench.preferences, flat=flat)
    if not windows:
        return False
    events = bench.journal.everything()
    found = pacing.full(events, windows, unit.type, bench.now_ms())
    if found is None:
        return False
    _tell(found, unit, bench)
    bench.held_up(str(found), found.until_ms)
    try:
        while bench.now_ms() < found.until_ms and not _wanted(bench, shift):
            with anyio.move_on_after(POLL_S):
                await bench.stop.wait()
    finally:
        bench.held_up("", 0)
    return True


def _wanted(bench: Bench, shift: Shift) -> bool:
    """Whether somebody is to be heard before the next unit."""
    if bench.stop.is_set() or bench.wanted():
        return True
    return shift.lock is None and mailbox.pending(shift.box, orders.ANY) is not None


def _tell(found: pacing.Full, unit: Unit, bench: Bench) -> None:
    before = pacing.waiting(bench.journal.everything()).get(bench.run)
    if before is not None and before.unit == unit.key and before.until_ms >= found.until_ms:
        return
    until = datetime.fromtimestamp(found.until_ms / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    bench.watcher.note(f"waiting until {until}: {found}")
    bench.journal.append(
        BudgetWaiting(at_ms=bench.now_ms(), run=bench.run, unit=unit.key, until_ms=found.until_ms, reason=str(found))
    )
