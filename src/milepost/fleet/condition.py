"""What can be said of one milestone's worker, in a word and with its cause.

Decided from facts only: the kernel's word on its lease and process, what its status file says, and the journal. Dead
means that the process with that very identity is gone; slow and silent are not dead, and what ended with a last word
has not crashed. Source: parallel PR-152, PR-193, PR-308, DV-13, FM-05, FM-06, FM-08, FM-12, section 7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from msgspec import UNSET

from milepost.formats.journal import RunEnded
from milepost.formats.status import Status, WorkerState
from milepost.rules.fleet import Past, Wanted
from milepost.rules.standings import merge_words

SILENT_MS: Final = 30_000
"""A heart that has not beaten for so long (PR-152)."""


class Condition(StrEnum):
    """Our word for a worker, finer than the four of the status file."""

    STARTING = "starting"
    """Its lease is held, and its heart has not beaten yet."""
    SETTING_UP = "setting-up"
    WORKING = "working"
    PAUSING = "pausing"
    """It has the order and its unit is still in flight."""
    PAUSED = "paused"
    STOPPING = "stopping"
    UNRESPONSIVE = "unresponsive"
    """Its process lives, its heart does not beat."""
    CRASHED = "crashed"
    """Its process is gone without a last word."""
    FAILED = "failed"
    """It ended with an error and said so."""
    STOPPED = "stopped"
    BLOCKED = "blocked"
    NEEDS_YOU = "needs-you"
    """It ended, and a person has to look."""
    WAITING = "waiting"
    """A provider or a budget is waited for: by the worker itself, or, when it has ended, by whoever starts it again."""
    OUT_OF_BUDGET = "out-of-budget"
    FINISHED = "finished"
    WAITING_FOR_MERGE = "waiting-for-merge"
    MERGING = "merging"
    CONFLICT = "conflict"
    REFUSED = "refused"
    """Its merge did not happen for another reason than a conflict."""
    MERGED = "merged"
    UNDONE = "undone"
    QUEUED = "queued"
    """No process, and nothing in the way that is known here."""


LIVING: Final = frozenset(
    {
        Condition.STARTING,
        Condition.SETTING_UP,
        Condition.WORKING,
        Condition.PAUSING,
        Condition.PAUSED,
        Condition.STOPPING,
        Condition.UNRESPONSIVE,
    }
)
"""Those of a worker whose process is there."""
_ERRORS: Final = frozenset({Condition.CRASHED, Condition.FAILED})
ORDERED: Final = "ordered"
"""Why it is so when a person wanted it; who that was stands in `Cause.by`."""
_FINAL: Final = (WorkerState.STOPPED, WorkerState.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why it is so. Every field may be empty."""

    what: str = ""
    by: str = ""
    """Who gave the order."""
    at_ms: int = 0
    """Epoch milliseconds; 0: not known."""
    hint: str = ""
    """What to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one milestone at one moment."""

    alive: bool
    """A worker's process is there."""
    merging: bool = False
    """Somebody merges it now."""
    status: Status | None = None
    """Its status file, when that is of the run in question."""
    past: Past
    complete: bool = False
    """Its files say that it is complete."""
    now_ms: int


_Found = tuple[Condition, Cause]


def judge(facts: Facts) -> _Found:
    """The word and the cause. The first that knows answers; the order is the rule."""
    for known in _RULES:
        if found := known(facts):
            return found
    past = facts.past
    return Condition.QUEUED, Cause(what=f"it died before: {past.crash_reason}" if past.crashes else "")


def published(condition: Condition, status: Status | None) -> WorkerState | None:
    """The documented state that goes with it; None: not before the first heartbeat (FM-08)."""
    waits = condition is Condition.WAITING and status is not None and status.doing == Condition.WAITING
    if condition in LIVING or waits:
        return status.state if status is not None else None
    if status is not None and status.state in _FINAL and condition is not Condition.CRASHED:
        return status.state
    return WorkerState.ERROR if condition in _ERRORS else WorkerState.STOPPED


def _merging(facts: Facts) -> _Found | None:
    return (Condition.MERGING, Cause()) if facts.merging else None


def _living(facts: Facts) -> _Found | None:
    if not facts.alive:
        return None
    status = facts.status
    if status is None:
        return Condition.STARTING, Cause(at_ms=facts.past.began_ms)
    if facts.now_ms - status.last_heartbeat > SILENT_MS:
        seconds = (facts.now_ms - status.last_heartbeat) // 1000
        words = f"its process lives, and its heart has not beaten for {seconds} s"
        return Condition.UNRESPONSIVE, Cause(what=words, at_ms=status.last_heartbeat)
    condition = _doing(status)
    if condition is Condition.WAITING:
        return condition, Cause(what=_awaited(status, facts.now_ms))
    return condition, _of_living(condition, status, facts.past)


def _awaited(status: Status, now_ms: int) -> str:
    """For what a worker waits; without a word of its own it is the provider."""
    reason = "" if status.reason is UNSET else status.reason
    if status.wakes_at is UNSET:
        return reason
    minutes, seconds = divmod(max(0, status.wakes_at - now_ms) // 1000, 60)
    left = f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"
    return f"{reason}; it goes on in {left}" if reason else f"the provider is asked again in {left}"


def _doing(status: Status) -> Condition:
    said = "" if status.doing is UNSET else status.doing
    if said == "ended":
        return Condition.STOPPING
    if said in LIVING or said == Condition.WAITING:
        return Condition(said)
    return Condition.PAUSED if status.state is WorkerState.PAUSED else Condition.WORKING


def _of_living(condition: Condition, status: Status, past: Past) -> Cause:
    reason = "" if status.reason is UNSET else status.reason
    ordered = {Condition.PAUSED: Wanted.PAUSE, Condition.PAUSING: Wanted.PAUSE, Condition.STOPPING: Wanted.STOP}
    if condition in ordered and past.wanted is ordered[condition]:
        return Cause(what=ORDERED, by=past.wanted_by, at_ms=past.wanted_at_ms)
    return Cause(what=reason)


def _landed(facts: Facts) -> _Found | None:
    past = facts.past
    if past.landed is not None and past.landed.at_ms >= past.began_ms:
        words = f"on {past.landed.target} as {past.landed.commit[:10]}"
        if past.landed.push_error:
            words += f", NOT pushed: {past.landed.push_error}"
        return Condition.MERGED, Cause(what=words, at_ms=past.landed.at_ms)
    if past.undone is not None and past.undone.at_ms >= past.began_ms:
        return Condition.UNDONE, Cause(what=f"taken back out of {past.undone.target}", at_ms=past.undone.at_ms)
    return None


def _not_landed(facts: Facts) -> _Found | None:
    last = facts.past.landing
    if last is None or last.at_ms < facts.past.began_ms:
        return None
    condition = Condition.CONFLICT if last.outcome in ("conflict", "unresolved") else Condition.REFUSED
    return condition, Cause(what=merge_words(last), at_ms=last.at_ms, hint=last.hint)


def _complete(facts: Facts) -> _Found | None:
    """However its last run ended: the files say that nothing is left but to merge, and they were verified."""
    at_ms = facts.past.ended.at_ms if facts.past.ended is not None else 0
    whole = facts.complete and not facts.past.unsettled
    return (Condition.WAITING_FOR_MERGE, Cause(what="complete", at_ms=at_ms)) if whole else None


def _ended(facts: Facts) -> _Found | None:
    """The terminal record of the latest run is the truth about a process that is gone (FM-12)."""
    ended = facts.past.ended
    if ended is None:
        return None
    if facts.past.budget_stop and ended.state == "interrupted":
        return Condition.OUT_OF_BUDGET, _why(ended)
    if ended.passing:
        return Condition.WAITING, _why(ended)
    return _ENDINGS.get(ended.state, Condition.FAILED), _why(ended, facts.past)


_ENDINGS: Final = {
    "done": Condition.FINISHED,
    "blocked": Condition.BLOCKED,
    "paused": Condition.NEEDS_YOU,
    "budget": Condition.OUT_OF_BUDGET,
    "interrupted": Condition.STOPPED,
}
"""State of a `RunEnded` → word; `error` and what nobody knows is a failure."""


def _why(ended: RunEnded, past: Past | None = None) -> Cause:
    if past is not None and past.wanted is Wanted.STOP and ended.state == "interrupted":
        return Cause(what=ORDERED, by=past.wanted_by, at_ms=ended.at_ms, hint=ended.hint)
    return Cause(what=ended.reason, at_ms=ended.at_ms, hint=ended.hint)


def _last_word(facts: Facts) -> _Found | None:
    """A status file that is final, of a run whose end could not be journaled, or of another program."""
    status = facts.status
    if status is None or status.state not in _FINAL:
        return None
    reason = "" if status.reason is UNSET else status.reason
    found = Condition.FAILED if status.state is WorkerState.ERROR else Condition.STOPPED
    if found is Condition.FAILED and status.pid <= 0:
        reason = reason or "it could not be started"
    return found, Cause(what=reason, at_ms=status.last_heartbeat)


def _crashed(facts: Facts) -> _Found | None:
    past, status = facts.past, facts.status
    if past.lost:
        return Condition.CRASHED, Cause(what=past.crash_reason, at_ms=past.last_crash_ms)
    if status is not None:
        return Condition.CRASHED, Cause(what=_gone(status), at_ms=status.last_heartbeat)
    if past.open_run:
        return Condition.CRASHED, Cause(what="it is gone without a last word", at_ms=past.began_ms)
    return None


def _gone(status: Status) -> str:
    unit = f", in {status.current_unit.type} {status.current_unit.id}" if status.current_unit else ""
    return f"pid {status.pid} is gone without a last word{unit}"


_RULES: tuple[Callable[[Facts], _Found | None], ...] = (
    _merging,
    _living,
    _landed,
    _not_landed,
    _complete,
    _ended,
    _last_word,
    _crashed,
)
