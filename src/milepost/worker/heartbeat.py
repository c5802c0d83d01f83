"""A parallel worker's own word on itself, `parallel/<MID>.status.json`, from a thread that nothing else holds up.

It beats every two seconds, and at once when something changes, whatever a model, a gate or the event loop is busy
with. A beat says that the process lives; `last_progress` says when the agent last did something. The same thread
looks for orders five times a second and sees to it that the lease is still there. The file is written by its worker
only, and what it says at the end stays. Source: parallel PR-030, PR-300, PR-308, FM-04 to FM-08, section 7.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from milepost.agents.session import Event, Usage
from milepost.formats.journal import AnyEvent, AttemptEnded, Result, UsageReported
from milepost.formats.status import CurrentUnit, Status, WorkerState
from milepost.model import money
from milepost.model.units import Unit
from milepost.store import beacons
from milepost.unit.bench import Watcher

BEAT_S = 2.0
"""Between two beats; readers call a worker silent after 30 s (PR-152)."""
LOOK_S = 0.2
"""Between two looks for orders."""

_PATIENCE_S = 5.0
"""How long a beat may take that is under way at the end; only a disk that hangs takes longer."""


class Heartbeat:
    """A watcher that tells the status file, and everything on to another watcher."""

    def __init__(self, box: Path, first: Status, *, now_ms: Callable[[], int], onward: Watcher) -> None:
        """box: the project's `parallel/` directory. first: what is known before the first beat."""
        self._box = box
        self._status = first
        self._now_ms = now_ms
        self._onward = onward
        self._progress_ms = 0
        self._spent = 0
        self._unpriced = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._over = threading.Event()
        self._silenced = False
        self._chores: tuple[Callable[[], None], ...] = ()
        self._thread = threading.Thread(target=self._live, daemon=True, name="heartbeat")

    def start(self, *chores: Callable[[], None]) -> None:
        """Publish for the first time and go on. chores: done in the thread at each look; they may raise OSError."""
        self._chores = chores
        with suppress(OSError):
            self._publish()
        self._thread.start()

    def end(self, state: WorkerState, reason: str) -> None:
        """Stop beating; the last word is `state` and stays in the file."""
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)
        self.say(state=state, reason=reason, doing="ended", current_unit=None)
        with suppress(OSError):
            self._publish()

    def silence(self) -> None:
        """Write nothing any more: the file is another worker's now."""
        self._silenced = True

    def say(self, **changes: object) -> None:
        """Change what the file says, at once. Names are those of `formats.status.Status`."""
        with self._lock:
            self._status = msgspec.structs.replace(self._status, **changes)
        self._wake.set()

    def count(self, events: Iterable[AnyEvent]) -> None:
        """Take units and cost from the milestone's own journal, all runs of it."""
        known = tuple(events)
        prices = [event.micro_usd for event in known if isinstance(event, UsageReported) and not event.flat]
        done = sum(isinstance(event, AttemptEnded) and event.result is Result.COMMITTED for event in known)
        self._spent, self._unpriced = sum(price or 0 for price in prices), prices.count(None)
        self.say(completed_units=done, **self._cost())

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """It is the current one from now on."""
        self._progress_ms = self._now_ms()
        self.say(current_unit=CurrentUnit(type=unit.type, id=unit.id, started_at=self._progress_ms))
        self._onward.unit_started(unit, attempt, number)

    def unit_ended(self, events: Iterable[AnyEvent]) -> None:
        """No unit is current; `events` is the milestone's own journal."""
        self.say(current_unit=None)
        self.count(events)

    def session_event(self, event: Event) -> None:
        """Progress; a request's price is said at once."""
        self._progress_ms = self._now_ms()
        if isinstance(event, Usage):
            self._spent += event.micro_usd or 0
            self._unpriced += event.micro_usd is None and not event.flat
            self.say(**self._cost())
        self._onward.session_event(event)

    def note(self, text: str) -> None:
        """Nothing for the file."""
        self._onward.note(text)

    def _cost(self) -> dict[str, object]:
        return {"cost": money.to_usd(self._spent), "cost_known": not self._unpriced}

    def _live(self) -> None:
        last = time.monotonic()
        while not self._over.is_set():
            changed = self._wake.wait(LOOK_S)
            self._wake.clear()
            for chore in self._chores:
                # A full disk ends the unit, where it is said; here it must not end the heart.
                with suppress(OSError):
                    chore()
            if changed or time.monotonic() - last >= BEAT_S:
                last = time.monotonic()
                with suppress(OSError):
                    self._publish()

    def _publish(self) -> None:
        if self._silenced:
            return
        with self._lock:
            progress = self._progress_ms or msgspec.UNSET
            self._status = msgspec.structs.replace(self._status, last_heartbeat=self._now_ms(), last_progress=progress)
            beacons.publish(self._box, self._status)
