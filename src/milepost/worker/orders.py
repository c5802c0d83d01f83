"""Orders for a run: posted as files, taken from `parallel/<MID>.signal.json`.

A run of `gsd auto` reads them between units, and a pause ends it. A parallel worker takes them five times a second in
every state, says so at once, and obeys where it may: a stop ends the session in flight, pause and rebase wait for the
end of the unit, a pause lasts until resume or stop. Source: parallel PR-084, PR-086, PR-100 to PR-104, FM-29, FM-41.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from msgspec import UNSET

from milepost.errors import ExitCode
from milepost.formats.journal import OrderTaken
from milepost.formats.signal import Order, Signal
from milepost.formats.status import LastOrder, WorkerState
from milepost.rules.lifecycle import Stimulus, Worker, after
from milepost.store import mailbox
from milepost.worker.heartbeat import Heartbeat
from milepost.worker.shift import Ending, Shift

_STIMULI: Final[Mapping[Order, Stimulus]] = {
    Order.PAUSE: Stimulus.PAUSE,
    Order.RESUME: Stimulus.RESUME,
    Order.STOP: Stimulus.STOP,
}

ANY = "auto"
"""The mailbox of an auto mode that is not bound to one milestone."""


def pending(shift: Shift) -> Ending | None:
    """What the waiting order means for an auto mode; None: there is none, or it changes nothing here."""
    order = mailbox.claim(shift.box, ANY, run=shift.run)
    stimulus = _STIMULI.get(order.signal) if order else None
    if stimulus is None:
        return None
    state = after(after(Worker.RUNNING, stimulus), Stimulus.UNIT_ENDED)
    if state is Worker.PAUSED:
        return Ending(ExitCode.PAUSED, "paused by request", "gsd auto goes on from here.")
    if state is Worker.STOPPED:
        return Ending(ExitCode.INTERRUPTED, "stopped by request", "gsd auto goes on from here.")
    return None


class Desk:
    """Where a parallel worker's orders arrive: `look` is for the heart's thread, all else for the loop."""

    def __init__(
        self, shift: Shift, milestone: str, heart: Heartbeat, *, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """on_change: called from either thread when an order was taken, or the state changed."""
        self._on_change = on_change
        self.shift = shift
        self.milestone = milestone
        self.heart = heart
        self.state = Worker.RUNNING
        self.stopped_by = ""
        """Why the run is to end at once; empty: it is not."""
        self._phase, self._reason = "starting", ""
        self._rebase = False
        self._lock = threading.Lock()

    def look(self) -> None:
        """Take the waiting order. Raises OSError."""
        found = mailbox.claim_all(self.shift.box, self.milestone, run=self.shift.run)
        for path in found.bad:
            self.shift.watcher.note(f"an order that cannot be read was put aside as {path.name}")
        if found.order is not None:
            self._take(found.order)

    def begin(self, phase: str, reason: str = "") -> None:
        """Say what the worker does while nobody orders otherwise: `setting-up`, `working`; and why."""
        with self._lock:
            self._phase, self._reason = phase, reason
            self._tell()

    def end_at_once(self, why: str) -> None:
        """As a stop order, for another reason."""
        with self._lock:
            self.stopped_by = self.stopped_by or why
            self.state = after(self.state, Stimulus.STOP)
            self._tell()

    def unit_ended(self) -> None:
        """A boundary is reached, at which a pause takes effect."""
        with self._lock:
            self.state = after(self.state, Stimulus.UNIT_ENDED)
            self._tell()

    def take_rebase(self) -> bool:
        """Whether the target is to be brought in now; asking takes the wish away."""
        with self._lock:
            wanted, self._rebase = self._rebase, False
        return wanted

    def waiting(self) -> bool:
        """Whether something is to be obeyed before the next unit begins."""
        return self._rebase or self.state is not Worker.RUNNING

    def _take(self, order: Signal) -> None:
        at_ms = self.shift.now_ms()
        with self._lock:
            if order.signal is Order.REBASE:
                self._rebase = True
            else:
                self.state = after(self.state, _STIMULI[order.signal])
            if order.signal is Order.STOP:
                self.stopped_by = self.stopped_by or "stopped by request"
            self.heart.say(last_order=LastOrder(signal=str(order.signal), sent_at=order.sent_at, taken_at=at_ms))
            self._tell()
        # It is obeyed also where it cannot be written down.
        with suppress(OSError):
            self.shift.journal(self.milestone).append(
                OrderTaken(
                    at_ms=at_ms,
                    run=self.shift.run,
                    milestone=self.milestone,
                    order=str(order.signal),
                    sent_at_ms=order.sent_at,
                )
            )

    def _tell(self) -> None:
        paused = self.state is Worker.PAUSED
        self.heart.say(
            state=WorkerState.PAUSED if paused else WorkerState.RUNNING,
            doing=_DOING.get(self.state, self._phase),
            reason="paused by request" if paused else self._reason or UNSET,
        )
        self._on_change()


_DOING: Final[Mapping[Worker, str]] = {
    Worker.PAUSING: "pausing",
    Worker.PAUSED: "paused",
    Worker.STOPPING: "stopping",
    Worker.STOPPED: "stopping",
}
