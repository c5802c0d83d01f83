"""Waiting for a provider, as the journal tells it: what is waited for, until when, and for how long already.

    attempt ends with provider-error, of a kind that passes ──▶ wait-began ──▶ wait-ended ──▶ the next attempt

A wait belongs to the milestone's run, or to the auto mode; a limit concerns everybody who uses the same model. Both
outlive the process: a run that is started again waits for the rest. A person's `--retry` ends them.
Pure. Source: spec auto 8.10, 10.3 rule 5; field-reports #8.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    CapReset,
    Result,
    RunStarted,
    SessionEnded,
    UsageReported,
    WaitBegan,
    WaitEnded,
)
from milepost.rules.provider_errors import ErrorKind, passing

MOST: Final = 8
"""Waits in a row of one run, without a unit that got further, before it gives up (spec auto 8.10)."""

LIMITS: Final = frozenset({ErrorKind.RATE_LIMIT, ErrorKind.UNKNOWN})
"""Kinds that concern everybody with the same model."""
_SAYS_NOTHING: Final = frozenset({Result.INTERRUPTED, Result.OVER_BUDGET, Result.CRASHED})


class Failed(NamedTuple):
    """A failure that passes, which nobody has waited for yet."""

    unit: str
    """`kind/id`."""
    kind: ErrorKind
    text: str
    at_ms: int
    named_s: float | None
    """Seconds from `at_ms` on that the provider asked for; None: it named no time."""
    model: str


class Standing(NamedTuple):
    """Where a run stands with its provider."""

    failed: Failed | None = None
    """The latest failure, when no wait was begun for it."""
    wait: WaitBegan | None = None
    """The wait that is not over."""
    number: int = 0
    """Failures in a row without a unit that got further, over all runs."""
    tries: int = 0
    """Those of this run."""
    limit: WaitBegan | None = None
    """The latest limit that anybody met."""
    answered: bool = False
    """Whether anybody got an answer of that model since."""


class _Fold:
    def __init__(self, run: str, milestone: str) -> None:
        self.run = run
        self.milestone = milestone
        self.seen = Standing()
        self.workers: set[str] = set()
        self.attempts: dict[str, AttemptStarted] = {}
        self.sessions: dict[str, SessionEnded] = {}

    def take(self, event: AnyEvent) -> None:
        match event:
            case RunStarted(run=run, milestone=milestone) if milestone:
                self.workers.add(run)
            case AttemptStarted():
                self.attempts[event.attempt] = event
            case SessionEnded():
                self.sessions[event.attempt] = event
                if not event.error_kind and self.seen.limit is not None and not self.seen.limit.model:
                    self.seen = self.seen._replace(answered=True)
            case UsageReported() if self._answers(event):
                self.seen = self.seen._replace(answered=True)
            case AttemptEnded():
                self._ended(event)
            case WaitBegan():
                self._began(event)
            case WaitEnded() if self._mine(event.run, event.unit):
                self.seen = self.seen._replace(wait=None)
            case CapReset():
                self._reset(event)
            case _:
                pass

    def _mine(self, run: str, unit: str) -> bool:
        """A worker goes on for whoever worked on its milestone; an auto mode for auto modes."""
        return _milestone(unit) == self.milestone if self.milestone else run not in self.workers

    def _answers(self, event: UsageReported) -> bool:
        limit = self.seen.limit
        return limit is not None and (not limit.model or limit.model == event.model)

    def _ended(self, event: AttemptEnded) -> None:
        begun = self.attempts.pop(event.attempt, None)
        session = self.sessions.pop(event.attempt, None)
        if begun is None or event.result in _SAYS_NOTHING or not self._mine(event.run, _key(begun)):
            return
        kind = _kind(session)
        if event.result is not Result.PROVIDER_ERROR or session is None or not passing(kind):
            self.seen = self.seen._replace(failed=None, wait=None, number=0, tries=0)
            return
        named = (session.resume_at_ms - session.at_ms) / 1000 if session.resume_at_ms else None
        failed = Failed(_key(begun), kind, session.error, event.at_ms, named, session.model)
        tries = self.seen.tries + 1 if event.run == self.run else 0
        self.seen = self.seen._replace(failed=failed, wait=None, number=self.seen.number + 1, tries=tries)

    def _began(self, event: WaitBegan) -> None:
        if self._mine(event.run, event.unit):
            self.seen = self.seen._replace(failed=None, wait=event)
        if event.kind in LIMITS:
            self.seen = self.seen._replace(limit=event, answered=False)

    def _reset(self, event: CapReset) -> None:
        of = self.seen.wait.unit if self.seen.wait else self.seen.failed.unit if self.seen.failed else ""
        if event.unit in ("*", of):
            self.seen = Standing()


def standing(events: Iterable[AnyEvent], *, run: str, milestone: str) -> Standing:
    """Fold the journal for one run. milestone: a worker's own; empty for an auto mode. Never raises."""
    folding = _Fold(run, milestone)
    for event in events:
        folding.take(event)
    return folding.seen


def open_waits(events: Iterable[AnyEvent]) -> tuple[WaitBegan, ...]:
    """The waits that nobody has ended, one a unit, oldest first."""
    found: dict[str, WaitBegan] = {}
    for event in events:
        match event:
            case WaitBegan():
                found.pop(event.unit, None)
                found[event.unit] = event
            case WaitEnded():
                found.pop(event.unit, None)
            case AttemptStarted():
                found.pop(_key(event), None)
            case CapReset(unit=unit):
                found = {} if unit == "*" else {key: wait for key, wait in found.items() if key != unit}
            case _:
                pass
    return tuple(found.values())


def _kind(session: SessionEnded | None) -> ErrorKind:
    known = session is not None and session.error_kind in set(ErrorKind)
    return ErrorKind(session.error_kind) if session is not None and known else ErrorKind.BAD_REQUEST


def _key(begun: AttemptStarted) -> str:
    return f"{begun.kind}/{begun.unit}"


def _milestone(key: str) -> str:
    """`execute-task/M001/S01/T01` → `M001`; a hook's kind has a slash too."""
    parts = key.split("/")
    return parts[2] if parts[0] == "hook" and len(parts) > 2 else parts[1] if len(parts) > 1 else ""
