"""What is to be done about a running session: facts and times in, a message or an end out.

    soft    one message: time is short, go on only for real progress, else round off
    idle    nothing happened for so long: a message, twice at most, then the end
    hard    a last message shortly before, then the end
    context a message when the model's window is nearly full

Times are seconds the session really had: a machine that slept, a process that stood still and a person who was asked
cost it nothing. A tool that runs is no silence until it is older than the idle limit. Source: spec auto 5.10.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from milepost.formats.preferences import AutoSupervisor
from milepost.model.outcome import TimedOut

IDLE_REMINDERS = 2
"""Messages to a silent session before it is ended (spec auto 5.10)."""

CONTEXT_PERCENT = 70
"""Share of the window at which the session is told to round off (spec auto 5.10)."""

_LONGEST_GRACE_S = 300.0
_MOST_SCALING = 6.0
"""A task that says it takes a week does not get a week."""
_MINUTES: Final = {"d": 8 * 60.0, "h": 60.0, "m": 1.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([dhm])", re.IGNORECASE)


class Why(StrEnum):
    """What a message to a running session, or its end, was for."""

    SOFT = "soft"
    IDLE = "idle"
    HARD = "hard"
    CONTEXT = "context"
    CONTEXT_PAUSE = "context-pause"
    """The run is to pause after this unit (`context_pause_threshold`)."""


class Limits(NamedTuple):
    """The limits of one session, in seconds, scaled to its task."""

    soft_s: float
    idle_s: float
    hard_s: float

    @property
    def grace_s(self) -> float:
        """How long before the hard limit the last message comes."""
        return min(_LONGEST_GRACE_S, self.hard_s / 5)

    @property
    def poll_s(self) -> float:
        """How often it makes sense to look."""
        return max(0.05, min(15.0, self.soft_s / 10, self.idle_s / 10, self.grace_s / 4))


class Watched(NamedTuple):
    """How a session stands."""

    ran_s: float
    """Time it had so far."""
    silent_s: float
    """Time since anything happened: an event, or a message to a silent session."""
    soft: bool = False
    """The soft message was sent."""
    idle: int = 0
    """Messages for its silence so far."""
    hard_s: float | None = None
    """`ran_s` when the last message was sent; None: it was not."""


class Steer(NamedTuple):
    """Say something to the session."""

    why: Why


class End(NamedTuple):
    """End the session."""

    why: Why
    seconds: float
    """The limit that passed."""


def minutes_of(estimate: str) -> float | None:
    """The minutes in `est:` words (`45m`, `1h30m`, `~2 hours`, `1d` of eight hours); None: they say none."""
    parts = _PART.findall(estimate)
    return sum(float(number) * _MINUTES[unit.lower()] for number, unit in parts) or None


def limits(settings: AutoSupervisor, estimate: str = "") -> Limits:
    """The limits of a session. A task estimated longer than the hard limit stretches all three alike, sixfold at most.

    estimate: the task's `est:`, empty when it has none.
    """
    hard = settings.hard_timeout_minutes
    stretched = min(_MOST_SCALING, max(1.0, (minutes_of(estimate) or 0) / hard))
    soft, idle = settings.soft_timeout_minutes, settings.idle_timeout_minutes
    return Limits(soft * 60 * stretched, idle * 60 * stretched, hard * 60 * stretched)


def due(seen: Watched, limit: Limits) -> Steer | End | None:
    """What is to be done now; after a `Steer` it is worth asking again. Pure."""
    silent = seen.silent_s >= limit.idle_s
    if silent and seen.idle >= IDLE_REMINDERS:
        return End(Why.IDLE, limit.idle_s)
    if seen.hard_s is not None and seen.ran_s >= seen.hard_s + limit.grace_s:
        return End(Why.HARD, limit.hard_s)
    if seen.hard_s is None and seen.ran_s >= limit.hard_s - limit.grace_s:
        return Steer(Why.HARD)
    if silent:
        return Steer(Why.IDLE)
    # After the last message the milder one has nothing to add.
    if not seen.soft and seen.hard_s is None and seen.ran_s >= limit.soft_s:
        return Steer(Why.SOFT)
    return None


def context(percent: float, threshold: float, *, told: Why | None) -> Why | None:
    """What a request that filled `percent` of the window asks for; None: nothing, or nothing more.

    threshold: `context_pause_threshold`, 0 for none. told: what was said about it already.
    """
    if threshold and percent >= threshold:
        return None if told is Why.CONTEXT_PAUSE else Why.CONTEXT_PAUSE
    return Why.CONTEXT if percent >= CONTEXT_PERCENT and told is None else None


def message(why: Why, limit: Limits, seen: Watched, *, owed: Sequence[str], notes: str = "", percent: int = 0) -> str:
    """The words to the session.

    owed: what the unit must still leave, as paths with what is wrong. notes: where work that stays unfinished is
    written down for the next session; empty: nowhere in particular. percent: of the window, for `context`.
    """
    left_s = max(0.0, (limit.hard_s - seen.ran_s) if seen.hard_s is None else limit.grace_s)
    says = _says(why, ran_s=seen.ran_s, silent_s=seen.silent_s, left_s=left_s, percent=percent)
    return "\n\n".join(part for part in (says, _owed(owed), _notes(notes)) if part)


def _says(why: Why, *, ran_s: float, silent_s: float, left_s: float, percent: int) -> str:
    match why:
        case Why.SOFT:
            return (
                f"You have been at this for {span(ran_s)}; the session is ended in {span(left_s)}. Go on only while "
                "you make real progress. Otherwise do the least that verifies what is there, and round off now."
            )
        case Why.IDLE:
            return (
                f"Nothing has happened for {span(silent_s)}. If something hangs, leave it and take another way. Finish "
                "the lasting output of this unit first, before anything else."
            )
        case Why.HARD:
            return f"Last chance: the session is ended in {span(left_s)}, whatever it is doing. Write what counts now."
        case Why.CONTEXT | Why.CONTEXT_PAUSE:
            return (
                f"Your context window is {percent} % full. Round off now: finish what you are writing and begin "
                "nothing new."
            )


def ended(outcome: TimedOut) -> str:
    """Which limit ended a session."""
    limit = span(outcome.minutes * 60)
    return f"no progress for {limit}" if outcome.idle else f"the limit of {limit} passed"


def span(seconds: float) -> str:
    """Seconds for people: `30 minutes`, `1 minute`, `12 s`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _owed(owed: Sequence[str]) -> str:
    return "This unit must still leave:\n" + "\n".join(f"- {line}" for line in owed) if owed else ""


def _notes(notes: str) -> str:
    if not notes:
        return ""
    return (
        f"What you cannot finish: do not report it as done. Say in {notes} what is done, what is left and what is next."
    )
