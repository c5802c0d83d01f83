"""The watch over a run: what its journal says is told to the targets, from a thread that the run never waits for.

    journal ──Tally──▶ rules.notices.due ──▶ send (a process per target) ──▶ notified, in the journal

The journal decides, not a call in the loop: so a notice is sent once, whatever wrote the event, also when the run was
begun again meanwhile. A target that cannot be reached is tried three times and is then a line in the journal, which
`status` and `inbox` show. At the end of a run the last notices have a little time; then they count as not sent.
Source: spec auto 2.9; field-reports #45.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from milepost.formats.journal import AnyEvent, Notified
from milepost.formats.preferences import Notifications
from milepost.rules import notices, secrets
from milepost.rules.limits import scale
from milepost.rules.notices import Notice
from milepost.store.journal import Journal
from milepost.store.tally import Tally
from milepost.ui.notify import send
from milepost.ui.notify.send import Delivery, Job
from milepost.ui.notify.targets import Target

_LOOK_S: Final = 0.5
_AGAIN_S: Final = (2.0, 10.0)
"""Before the second and the third try."""
LAST_S: Final = 30.0
"""So long the end of a run waits for its last notices at most; more than one try of all targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Who tells what to whom."""

    state: Path
    """The project's state directory."""
    project: str
    """Its name, which each title begins with."""
    writer: str
    """Whose journal notices are noted in."""
    run: str
    targets: tuple[Target, ...]
    wanted: Notifications
    tells: Callable[[AnyEvent], bool]
    """Which events are ours to tell of."""
    asks: bool
    """Whether somebody is asked what a session asks."""
    secrets: tuple[str, ...]
    """Values that are never sent."""
    env: Mapping[str, str]
    """Of our own process."""
    now_ms: Callable[[], int]


class Watch:
    """Begin with `start`, end with `close`. Neither raises for what a target does."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._journal = Journal(post.state, post.writer)
        self._tally = Tally(post.state)
        self._targets = post.targets
        self._told: set[str] = set()
        """Keys whose notices are done with here, should the journal not take a line."""
        self._over = threading.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="notices", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def close(self, *, last_s: float = LAST_S) -> None:
        """Tell what is left, and end; what is not sent in `last_s` seconds is noted as that."""
        self._over.set()
        self._thread.join(last_s)
        if self._thread.is_alive():
            self._gone.set()
            late = [
                Delivery(target, notice, ok=False, error="the run ended before it was sent")
                for notice in self._due(Tally(self._post.state))
                for target in self._targets
            ]
            self._note(late)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._tell()
        self._tell()  # What was written since the last look, and how it ended.

    def _tell(self) -> None:
        if found := self._due(self._tally):
            done = self._delivered([self._worded(notice) for notice in found])
            if self._gone.is_set():
                return  # It was noted as not sent.
            self._note(done)
            self._told |= {notice.key for notice in found}

    def _worded(self, notice: Notice) -> Notice:
        """As it leaves the machine: a reason may quote what a command printed."""
        title = secrets.redact(f"{self._post.project}: {notice.title}", self._post.secrets)
        return notice._replace(title=title, body=secrets.redact(notice.body, self._post.secrets))

    def _due(self, tally: Tally) -> list[Notice]:
        try:
            events = tally.events()
        except OSError:
            return []  # It is looked at again.
        found = notices.due(events, self._post.tells, self._post.wanted, asks=self._post.asks)
        return [notice for notice in found if notice.key not in self._told]

    def _delivered(self, found: Sequence[Notice]) -> list[Delivery]:
        """Try all targets at once; then those that failed, again."""
        done: dict[tuple[str, str], Delivery] = {}
        jobs = [Job(target, tuple(found)) for target in self._targets]
        for pause_s in (*_AGAIN_S, 0.0):
            sent = send.send(jobs, self._post.env)
            absent = {each.target for each in sent if each.unavailable}
            self._targets = tuple(target for target in self._targets if target not in absent)
            done |= {(each.target.name, each.notice.key): each for each in sent if each.target not in absent}
            jobs = [Job(target, missing) for target in self._targets if (missing := _missing(target, done))]
            # Nobody waits for another try at the end of a run.
            if not jobs or self._over.wait(pause_s * scale(self._post.env)):
                break
        return list(done.values())

    def _note(self, done: Sequence[Delivery]) -> None:
        for each in done:
            line = Notified(
                at_ms=self._post.now_ms(),
                run=self._post.run,
                kind=each.notice.kind,
                key=each.notice.key,
                target=each.target.name,
                ok=each.ok,
                error=each.error,
            )
            self._append(line)

    def _append(self, line: Notified) -> None:
        for _ in range(3):
            try:
                self._journal.append(line)
            except OSError:
                time.sleep(0.05)  # A full disk is the run's to tell; it must not be told for ever.
            else:
                return


def _missing(target: Target, done: Mapping[tuple[str, str], Delivery]) -> tuple[Notice, ...]:
    return tuple(each.notice for (name, _), each in done.items() if name == target.name and not each.ok)
