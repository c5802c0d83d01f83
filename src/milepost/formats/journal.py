"""`journal/<writer>.jsonl`: the facts of a run, one JSON object a line, never rewritten.

    {"event":"attempt-started","atMs":1763760000000,"run":"r-…","attempt":"a-…","kind":"execute-task",…}

A struct here is both the value that rules reason with and the line on disk. A tag, once written, never changes.
What was spent and done has its home here; metrics, status and reports are folds over it. Source: DESIGN rule 1.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec


class Result(StrEnum):
    """How an attempt at a unit ended."""

    COMMITTED = "committed"
    UNFINISHED = "unfinished"
    """The session ended and the unit's artifacts are not there."""
    VERIFY_FAILED = "verify-failed"
    INCONCLUSIVE = "inconclusive"
    """The gate itself broke; nothing is held against the agent."""
    OVER_BUDGET = "over-budget"
    PROVIDER_ERROR = "provider-error"
    TIMED_OUT = "timed-out"
    INTERRUPTED = "interrupted"
    """A person or a signal stopped it."""
    CRASHED = "crashed"
    """Closed by a later start: the process died and the artifacts were not there."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", rename="camel"):
    """What every line says."""

    at_ms: int
    """Epoch milliseconds, UTC."""
    run: str
    """The run that wrote the line."""


class RunStarted(Event, frozen=True, kw_only=True, tag="run-started"):
    """A process took the project (or one milestone of it)."""

    pid: int
    version: str
    command: str


class RunEnded(Event, frozen=True, kw_only=True, tag="run-ended"):
    """The process let go, and why."""

    state: str
    """done, blocked, paused, budget, interrupted or error."""
    reason: str
    hint: str = ""


class AttemptStarted(Event, frozen=True, kw_only=True, tag="attempt-started"):
    """Intent, written before any effect."""

    attempt: str
    kind: str
    unit: str
    base: str
    """Commit the worktree stood on."""
    branch: str
    """Branch that the work is committed to."""
    fingerprint: str
    """Hash of the unit's inputs; attempts are capped per unit and fingerprint."""
    number: int
    """1 for the first attempt at this unit, counted over restarts."""
    agent: str = ""
    transcript: str = ""
    """Path below the state directory."""
    prompt_chars: int = 0


class BudgetReserved(Event, frozen=True, kw_only=True, tag="budget-reserved"):
    """Money set aside for an attempt before it may spend."""

    attempt: str
    micro_usd: int


class UsageReported(Event, frozen=True, kw_only=True, tag="usage-reported"):
    """One model request: an increment."""

    attempt: str
    model: str
    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    micro_usd: int | None = None
    """None: the price is not known, which is not zero."""


class SessionEnded(Event, frozen=True, kw_only=True, tag="session-ended"):
    """The agent's conversation is over; what it left on disk is judged next."""

    attempt: str
    stop: str
    requests: int
    tool_calls: int
    error_kind: str = ""
    error: str = ""


class Corrected(Event, frozen=True, kw_only=True, tag="corrected"):
    """Something the agent did that is not its to do, and that was put right."""

    attempt: str
    what: str
    paths: tuple[str, ...] = ()
    backup: str = ""
    """Ref or path under which the former state is kept."""


class Verified(Event, frozen=True, kw_only=True, tag="verified"):
    """The gate's word on an attempt."""

    attempt: str
    verdict: str
    source: str
    checks: int
    reason: str = ""
    evidence: str = ""
    tree: str = ""
    flags: tuple[str, ...] = ()


class AttemptEnded(Event, frozen=True, kw_only=True, tag="attempt-ended"):
    """The attempt is closed; the rest of its reservation is free again."""

    attempt: str
    result: Result
    reason: str = ""
    commit: str = ""


class CapReset(Event, frozen=True, kw_only=True, tag="cap-reset"):
    """A person said: count the attempts of this unit from here."""

    unit: str
    """`kind/id`; `*` for every unit."""


class BudgetAlerted(Event, frozen=True, kw_only=True, tag="budget-alerted"):
    """A level of the ceiling was crossed and said so once."""

    percent: int
    ceiling_micro_usd: int


class LandingStep(Event, frozen=True, kw_only=True, tag="landing-step"):
    """One step of a milestone's merge, announced before or after its effect."""

    milestone: str
    step: str
    detail: str = ""


class Landed(Event, frozen=True, kw_only=True, tag="landed"):
    """The milestone is on the target branch, proved."""

    milestone: str
    target: str
    commit: str
    tip: str
    """Last commit of the milestone branch, pinned under `refs/gsd/backup/`."""
    pushed: bool = False
    push_error: str = ""


AnyEvent: TypeAlias = (
    RunStarted
    | RunEnded
    | AttemptStarted
    | BudgetReserved
    | UsageReported
    | SessionEnded
    | Corrected
    | Verified
    | AttemptEnded
    | CapReset
    | BudgetAlerted
    | LandingStep
    | Landed
)
