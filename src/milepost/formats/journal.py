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
    milestone: str = ""
    """The only milestone of a parallel worker; empty for an auto mode."""
    fleet: str = ""
    """The fleet's session that the worker belongs to; empty outside one."""


class RunEnded(Event, frozen=True, kw_only=True, tag="run-ended"):
    """The process let go, and why."""

    state: str
    """done, blocked, paused, budget, interrupted or error."""
    reason: str
    hint: str = ""
    milestone: str = ""
    """As in `RunStarted`."""
    passing: bool = False
    """What ended it passes by itself (a limit, a provider that is down): worth another try later."""


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
    model: str = ""
    """The first of the line-up."""
    tier: str = ""
    """How hard the unit was taken to be: light, standard or heavy; empty in journals of before."""
    routed: str = ""
    """Why this model; empty: the tier had no say in it."""
    ceiling: str = ""
    """The model that would have been asked without routing."""
    tags: tuple[str, ...] = ()
    """Kinds of work that the task's title names; what is learnt is kept per tag."""


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
    """None: the price is not known, which is not zero; at a flat rate a request has none."""
    flat: bool = False
    """At a flat rate: counted in tokens and windows, not in money."""


class SessionEnded(Event, frozen=True, kw_only=True, tag="session-ended"):
    """The agent's conversation is over; what it left on disk is judged next."""

    attempt: str
    stop: str
    requests: int
    tool_calls: int
    error_kind: str = ""
    error: str = ""
    model: str = ""
    """The model that failed; empty where that is not known."""
    resume_at_ms: int = 0
    """When its provider may be asked again, as it says itself; 0: it names no time."""


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
    scope: str = ""
    """Whose ceiling: empty for the project's, `fleet` for that of all workers, a milestone id for a worker's own."""


class LandingStep(Event, frozen=True, kw_only=True, tag="landing-step"):
    """One step of a milestone's merge, announced before or after its effect."""

    milestone: str
    step: str
    detail: str = ""
    slice: str = ""
    """Set for one slice of the milestone."""


class Landed(Event, frozen=True, kw_only=True, tag="landed"):
    """The milestone is on the target branch, proved."""

    milestone: str
    target: str
    commit: str
    tip: str
    """Last commit of the milestone branch, pinned under `refs/gsd/backup/`."""
    pushed: bool = False
    push_error: str = ""


class LandingEnded(Event, frozen=True, kw_only=True, tag="landing-ended"):
    """A merge from the queue came to an end, whatever it was."""

    milestone: str
    slice: str = ""
    """Set for one slice of a milestone (`merge_strategy: per-slice`)."""
    outcome: str
    """landed, conflict, refused, check-failed, inconclusive, nothing, kept or unresolved."""
    target: str
    target_tip: str = ""
    """What the target was when it was tried; another try makes sense when it, or `tip`, has moved."""
    tip: str = ""
    """What was to be merged."""
    reason: str = ""
    hint: str = ""
    files: tuple[str, ...] = ()
    """Paths in conflict or in the way."""
    details: tuple[str, ...] = ()
    """The same with lines, for people."""
    settled: tuple[str, ...] = ()
    """Conflicts in planning and built files that policy settled, and how."""


class SliceReady(Event, frozen=True, kw_only=True, tag="slice-ready"):
    """A worker finished a slice that is to be merged on its own."""

    milestone: str
    slice: str
    commit: str


class SliceLanded(Event, frozen=True, kw_only=True, tag="slice-landed"):
    """One slice is on the target, proved."""

    milestone: str
    slice: str
    target: str
    commit: str
    tip: str
    """The commit of the milestone branch that was merged."""
    link: str
    """A commit that joins `tip` and `commit`; the branch takes it up at the next boundary."""
    pushed: bool = False
    push_error: str = ""


class Undone(Event, frozen=True, kw_only=True, tag="undone"):
    """A person took a landed milestone back out of its target."""

    milestone: str
    target: str
    commit: str
    """The commit that takes it out."""
    landed: str
    """The commit that had brought it."""


class BroughtIn(Event, frozen=True, kw_only=True, tag="brought-in"):
    """The target was merged into a milestone branch, or could not be."""

    milestone: str
    target: str
    commit: str = ""
    """The new tip of the branch; empty: nothing changed."""
    conflicts: tuple[str, ...] = ()
    """Paths, when it did not fit."""


class FleetStarted(Event, frozen=True, kw_only=True, tag="fleet-started"):
    """A coordinator took the project."""

    session: str
    """Whose spending counts together; goes on over restarts until everything is done."""
    pid: int
    max_workers: int
    adopted: tuple[str, ...] = ()
    """Milestones whose workers were alive."""


class FleetEnded(Event, frozen=True, kw_only=True, tag="fleet-ended"):
    """The coordinator let go, and why. `state` done closes the session."""

    session: str
    state: str
    """done, blocked, paused, budget, interrupted or error."""
    reason: str
    hint: str = ""


class WorkerSpawned(Event, frozen=True, kw_only=True, tag="worker-spawned"):
    """A worker's process was started for a milestone."""

    milestone: str
    session: str
    worker_run: str
    """The run id it was given; its own events carry it."""
    pid: int
    host: str = ""
    boot_id: str = ""
    start_ticks: int = 0


class WorkerLost(Event, frozen=True, kw_only=True, tag="worker-lost"):
    """A worker is gone without a terminal record, or could not be started."""

    milestone: str
    worker_run: str
    reason: str


class Ordered(Event, frozen=True, kw_only=True, tag="ordered"):
    """Somebody gave an order. What is wanted of a milestone is the last of pause, resume and stop."""

    milestone: str
    """`*` for all."""
    order: str
    """pause, resume, stop, rebase, panic, retry."""
    sender: str


class OrderTaken(Event, frozen=True, kw_only=True, tag="order-taken"):
    """A worker took an order."""

    milestone: str
    order: str
    sent_at_ms: int


class SetUp(Event, frozen=True, kw_only=True, tag="set-up"):
    """The environment of a worktree was made ready, or could not be."""

    milestone: str
    recipe: str
    """`uv`, `npm`, …, or `configured`."""
    lock_hash: str
    ok: bool
    reason: str = ""
    duration_ms: int = 0


class Steered(Event, frozen=True, kw_only=True, tag="steered"):
    """A running session was spoken to: by a person, or for its time or its context."""

    attempt: str
    text: str
    """What was said, or its first line."""
    why: str = "person"
    """person, soft, idle, hard, context, or context-pause: the run is to pause after the unit."""
    percent: int = 0
    """How full the latest request had made the model's context window."""


class OrderGiven(Event, frozen=True, kw_only=True, tag="order-given"):
    """A person changed course (`gsd steer`): what `OVERRIDES.md` says besides is of nobody's hand while a unit runs."""

    order_at: str
    """The moment that heads the entry, ISO."""
    change: str


class Rated(Event, frozen=True, kw_only=True, tag="rated"):
    """A person said whether the model of a unit was more than it needed, right, or too little."""

    kind: str
    unit: str
    tier: str
    rating: str
    """over, ok or under."""
    tags: tuple[str, ...] = ()


class Asked(Event, frozen=True, kw_only=True, tag="asked"):
    """A session asks a person, and waits."""

    attempt: str
    question: str
    """The question's id."""
    unit: str
    text: str
    options: tuple[str, ...] = ()


class Answered(Event, frozen=True, kw_only=True, tag="answered"):
    """What came of a question."""

    attempt: str
    question: str
    text: str = ""
    by: str = ""
    """`terminal` or a channel; empty: nobody answered, and the agent decided."""


class MilestoneAdded(Event, frozen=True, kw_only=True, tag="milestone-added"):
    """A new milestone got its id."""

    milestone: str
    title: str
    split_from: str = ""
    """The milestone whose discussion found that there is more than one."""


class VerdictGiven(Event, frozen=True, kw_only=True, tag="verdict-given"):
    """A person judged an acceptance test or a validation."""

    unit: str
    """`M001` or `M001/S02`."""
    verdict: str
    note: str = ""


class UnitSkipped(Event, frozen=True, kw_only=True, tag="unit-skipped"):
    """A person said that something is not to be done, or took that back."""

    kind: str
    unit: str
    reason: str = ""
    taken_back: bool = False


class UnitsUndone(Event, frozen=True, kw_only=True, tag="units-undone"):
    """A person took units of an open milestone back out of its branch."""

    units: tuple[str, ...]
    """`kind/id` each."""
    commits: tuple[str, ...]
    """What was reverted, newest first."""
    commit: str = ""
    """The commit that takes them out; empty: only files outside git changed."""


class CaptureTriaged(Event, frozen=True, kw_only=True, tag="capture-triaged"):
    """A captured thought was sorted. `milestone` is where it is acted upon; its end stands in CAPTURES.md."""

    capture: str
    classification: str
    milestone: str
    slice: str = ""
    attempt: str = ""
    """The triage that said so."""


class HookWanted(Event, frozen=True, kw_only=True, tag="hook-wanted"):
    """A person wants a post-unit hook to run now, for a unit."""

    hook: str
    kind: str
    unit: str


class Redone(Event, frozen=True, kw_only=True, tag="redone"):
    """A hook wants its unit done again: the box is unticked and the summary set aside, then the plan has it as open."""

    unit: str
    """`kind/id`."""
    hook: str
    attempt: str
    """The attempt at the unit that is not good enough."""
    note: str = ""
    """The file that says why, below the state directory of the milestone's home; it is set aside."""


class HookFired(Event, frozen=True, kw_only=True, tag="hook-fired"):
    """A pre-dispatch hook skipped a unit, or put a unit of another type before it."""

    hook: str
    action: str
    """skip or replace."""
    unit: str
    """`kind/id` of what was due."""
    booked: str = ""
    """`kind/id` of what took its place."""


class BudgetWaiting(Event, frozen=True, kw_only=True, tag="budget-waiting"):
    """A window is used up; the run waits, and looks again at that time."""

    unit: str
    """`kind/id` of what would be next."""
    until_ms: int
    """Epoch milliseconds, UTC."""
    reason: str


class WaitBegan(Event, frozen=True, kw_only=True, tag="wait-began"):
    """A provider failed in a way that passes by itself; its unit is tried again later, at no cost."""

    unit: str
    """`kind/id`."""
    kind: str
    """A value of `rules.provider_errors.ErrorKind`."""
    text: str
    resume_at_ms: int
    """Nobody is asked before; a restart changes nothing about it."""
    number: int
    """Which failure in a row it is, without a unit that got further; counted over restarts."""
    model: str = ""
    """The model that failed; empty where that is not known."""


class WaitEnded(Event, frozen=True, kw_only=True, tag="wait-ended"):
    """The time has come; the unit is tried again."""

    unit: str


class SkillUsed(Event, frozen=True, kw_only=True, tag="skill-used"):
    """A session read a skill, or was given it."""

    attempt: str
    skill: str


class Notified(Event, frozen=True, kw_only=True, tag="notified"):
    """A person was told of something, or was to be told and could not be reached."""

    kind: str
    """A value of `rules.notices.Kind`."""
    key: str
    """What it was about; told once."""
    target: str
    """The name of the target; never its address, which is a secret."""
    ok: bool
    error: str = ""


class QuickAsked(Event, frozen=True, kw_only=True, tag="quick-asked"):
    """A person wants one small piece of work done outside the milestones."""

    quick: str
    """Its key: `quick-1-fix-the-typo`."""
    text: str
    """What is wanted, in the person's words."""
    target: str
    """The branch that it is for."""


class QuickDiscarded(Event, frozen=True, kw_only=True, tag="quick-discarded"):
    """A person does not want a quick task any more, or it could not even begin."""

    quick: str
    reason: str = ""
    """Why it could not begin; empty: a person said so."""
    tip: str = ""
    """The last commit of its branch, kept under `refs/gsd/backup/`; empty: there was none."""
    work: str = ""
    """A ref that keeps what was not committed; empty: there was nothing."""


class Held(Event, frozen=True, kw_only=True, tag="held"):
    """A person holds a session: no request is made and nothing is paid until they let it go."""

    attempt: str


class LetGo(Event, frozen=True, kw_only=True, tag="let-go"):
    """A session that was held goes on in the same conversation."""

    attempt: str


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
    | LandingEnded
    | SliceReady
    | SliceLanded
    | Undone
    | BroughtIn
    | FleetStarted
    | FleetEnded
    | WorkerSpawned
    | WorkerLost
    | Ordered
    | OrderTaken
    | SetUp
    | WaitBegan
    | WaitEnded
    | BudgetWaiting
    | VerdictGiven
    | UnitSkipped
    | UnitsUndone
    | Asked
    | Answered
    | MilestoneAdded
    | Steered
    | OrderGiven
    | Rated
    | SkillUsed
    | CaptureTriaged
    | HookWanted
    | Redone
    | HookFired
    | Notified
    | QuickAsked
    | QuickDiscarded
    | Held
    | LetGo
)
