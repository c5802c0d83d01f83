"""Orders for a running auto mode: posted as files, read between units.

`stop` also comes as SIGTERM, which ends the unit in flight; `pause` waits for the unit to end.
Source: parallel PR-100 to PR-104, auto 5.20.
"""

from milepost.errors import ExitCode
from milepost.formats.signal import Order
from milepost.rules.lifecycle import Stimulus, Worker, after
from milepost.store import mailbox
from milepost.worker.shift import Ending, Shift

_STIMULI = {Order.PAUSE: Stimulus.PAUSE, Order.RESUME: Stimulus.RESUME, Order.STOP: Stimulus.STOP}

ANY = "auto"
"""The mailbox of an auto mode that is not bound to one milestone."""


def pending(shift: Shift) -> Ending | None:
    """What the waiting order means for the run; None: there is none, or it changes nothing here."""
    order = mailbox.claim(shift.state / "parallel", shift.lock or ANY, run=shift.run)
    stimulus = _STIMULI.get(order.signal) if order else None
    if stimulus is None:
        return None
    state = after(after(Worker.RUNNING, stimulus), Stimulus.UNIT_ENDED)
    if state is Worker.PAUSED:
        return Ending(ExitCode.PAUSED, "paused by request", "gsd auto goes on from here.")
    if state is Worker.STOPPED:
        return Ending(ExitCode.INTERRUPTED, "stopped by request", "gsd auto goes on from here.")
    return None
