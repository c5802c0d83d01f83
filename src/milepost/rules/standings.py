"""Where each milestone of a fleet stands, and why: from what is observed to one word with its cause.

    done  ineligible  queued  starting  running  paused  unresponsive  held  backoff
    blocked  failed  budget  to-merge  waits  merging  conflict  refused

The first rule that knows answers; the order is the rule. Pure. Source: DESIGN rule 10, parallel PR-062, PR-065,
PR-120 to PR-124, PR-193, PR-197, FM-12, FM-20, FM-93.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from milepost.formats.journal import LandingEnded
from milepost.rules.fleet import DIED, Past, Wanted

BACKOFF_MS: Final = (2_000, 10_000, 30_000, 60_000)
"""After the first, second … crash in a row."""
PARK_MS: Final = (30_000, 60_000, 120_000, 300_000)
"""After something passing (auto 8.10: exponential, up to five minutes)."""
STAGGER_MS: Final = 2_000
"""Between parked workers that wake, so that they do not meet the same limit at once (gsd-2#4373)."""
MAX_PARKS: Final = 12
REFUSED_AGAIN_MS: Final = 20_000
"""A merge that the user's checkout was in the way of is tried again after this, while others still work."""
GIVEN_UP_AFTER_TRIES: Final = 3


class Live(StrEnum):
    """Whether somebody works on a milestone now."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    UNRESPONSIVE = "unresponsive"
    """Its process lives and its heart does not beat."""


class Stage(StrEnum):
    """Where a milestone stands in the fleet."""

    DONE = "done"
    INELIGIBLE = "ineligible"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    UNRESPONSIVE = "unresponsive"
    HELD = "held"
    """A person paused or stopped it and no process is there."""
    BACKOFF = "backoff"
    """It is started again at a known time."""
    BLOCKED = "blocked"
    """Its worker ended and said what a person must do."""
    FAILED = "failed"
    """It crashed too often in a row."""
    BUDGET = "budget"
    TO_MERGE = "to-merge"
    """Complete; its turn in the merge queue comes by itself."""
    WAITS = "waits"
    """Complete; a person has to say that it may be merged."""
    MERGING = "merging"
    CONFLICT = "conflict"
    REFUSED = "refused"
    """Its merge ended otherwise, and trying again without a change would not help."""


NEEDS_A_PERSON: Final = frozenset(
    {Stage.BLOCKED, Stage.FAILED, Stage.CONFLICT, Stage.REFUSED, Stage.HELD, Stage.PAUSED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One milestone, as observed."""

    id: str
    title: str
    on_target: bool = False
    """Landed, and its files on the target say complete."""
    complete: bool = False
    """Its files, wherever their home is, say complete."""
    ineligible: str = ""
    """Why it may not be started; empty: it may."""
    out_of_plan: bool = False
    """Ineligible in a way that nobody waits for: parked, unplanned, a ghost."""
    live: Live = Live.NONE
    overlaps: frozenset[str] = frozenset()
    """Milestones that touch the same files."""
    leftover: bool = False
    """It landed before this coordinator began, and its worktree or branch could not be cleared away then."""
    tip: str = ""
    target_tip: str = ""
    """Where its branch and its target are now: what a merge that failed may be tried again for."""
    past: Past = field(default_factory=Past)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings that the plan depends on."""

    max_workers: int = 2
    serialize: bool = False
    auto_merge: str = "confirm"
    by_completion: bool = False
    per_slice: bool = False
    max_restarts: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that is observed at one moment."""

    milestones: tuple[Milestone, ...]
    """In working order."""
    rules: Rules
    now_ms: int
    budget_spent: bool = False
    """The ceiling of all workers is reached, and enforced."""
    raised_ms: int = 0
    """When the ceilings were last seen to change."""
    merging: str = ""
    """The milestone whose merge runs now."""
    preparing: frozenset[str] = frozenset()
    """Milestones whose place is being made by this coordinator."""
    approved: frozenset[str] = frozenset()
    """Milestones whose merge a person said yes to."""
    can_ask: bool = False
    """Somebody sits at a terminal."""
    declined: frozenset[str] = frozenset()
    asking: str = ""
    """What a person is being asked about now: `M001`, or `M001/S01`."""
    stop_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a milestone stands, and why."""

    id: str
    title: str
    stage: Stage
    cause: str = ""
    hint: str = ""
    at_ms: int = 0
    """When something happens by itself (BACKOFF); 0: not known, or nothing does."""


def standing(m: Milestone, seen: Seen) -> Standing:
    """Judge one milestone."""
    stage, cause, hint, at_ms = _judged(m, seen)
    return Standing(id=m.id, title=m.title, stage=stage, cause=cause, hint=hint, at_ms=at_ms)


_Verdict: TypeAlias = tuple[Stage, str, str, int]


def _judged(m: Milestone, seen: Seen) -> _Verdict:
    """First answer wins; the order is the rule."""
    for judge in _JUDGES:
        if found := judge(m, seen):
            return found
    if seen.budget_spent:
        return Stage.BUDGET, _SPENT, _RAISE, 0
    return Stage.QUEUED, "", "", 0


_NOT_SO: Final = "its worker said it is done, and its files do not say so"
_SPENT: Final = "the ceiling of all workers is reached"
_RAISE: Final = "Raise parallel.budget_ceiling, then gsd parallel start."
_AGAIN: Final = "gsd parallel start"


def _gone(m: Milestone, seen: Seen) -> _Verdict | None:
    if not m.on_target or m.live is not Live.NONE:
        return None
    if m.leftover and seen.merging != m.id:
        return Stage.TO_MERGE, "it landed, and its worktree is still there", "", 0
    return Stage.DONE, "Already complete.", "", 0


def _merging(m: Milestone, seen: Seen) -> _Verdict | None:
    if seen.merging == m.id and m.complete:
        return Stage.MERGING, "", "", 0
    return (Stage.STARTING, "its place is being made", "", 0) if m.id in seen.preparing else None


def _living(m: Milestone, seen: Seen) -> _Verdict | None:
    del seen
    match m.live:
        case Live.NONE:
            return None
        case Live.PAUSED:
            return Stage.PAUSED, _by(m.past), f"gsd parallel resume {m.id}", 0
        case Live.UNRESPONSIVE:
            return Stage.UNRESPONSIVE, "its process lives and does not answer", f"gsd parallel stop {m.id}", 0
        case live:
            return Stage(live), "", "", 0


def _by(past: Past) -> str:
    return f"{past.wanted} ordered by {past.wanted_by}" if past.wanted is not Wanted.RUN else ""


def _complete(m: Milestone, seen: Seen) -> _Verdict | None:
    if not m.complete or m.past.unsettled:
        return None
    if m.past.landing is not None and not _worth_another_try(m, m.past.landing, seen):
        stage = Stage.CONFLICT if m.past.landing.outcome in ("conflict", "unresolved") else Stage.REFUSED
        return stage, merge_words(m.past.landing), m.past.landing.hint, 0
    if seen.rules.auto_merge == "auto" or m.id in seen.approved:
        return Stage.TO_MERGE, "", "", 0
    if seen.rules.auto_merge == "confirm" and seen.can_ask and m.id not in seen.declined:
        return Stage.TO_MERGE, "", "", 0
    return Stage.WAITS, f"complete; auto_merge is {seen.rules.auto_merge}", f"gsd parallel merge {m.id}", 0


def merge_words(last: LandingEnded) -> str:
    """How a merge ended, in a sentence with its files."""
    files = f": {', '.join(last.files[:5])}{' …' if len(last.files) > 5 else ''}" if last.files else ""
    return (last.reason or f"{last.outcome} with {last.target}") + files


def _worth_another_try(m: Milestone, last: LandingEnded, seen: Seen) -> bool:
    if m.tip != last.tip or m.target_tip != last.target_tip:
        return last.outcome != "conflict" or m.tip != last.tip
    if last.outcome == DIED:
        return m.past.merge_deaths < GIVEN_UP_AFTER_TRIES
    if last.outcome != "refused":
        return False
    others = any(o.live is not Live.NONE for o in seen.milestones if o.id != m.id)
    return others and seen.now_ms - last.at_ms >= REFUSED_AGAIN_MS


def _barred(m: Milestone, seen: Seen) -> _Verdict | None:
    del seen
    if m.ineligible and not (m.complete and m.past.unsettled):
        return Stage.INELIGIBLE, m.ineligible, "", 0
    if m.past.wanted is not Wanted.RUN:
        return Stage.HELD, _by(m.past), f"gsd parallel resume {m.id}", 0
    return None


def _ended(m: Milestone, seen: Seen) -> _Verdict | None:
    """What the terminal record of the latest run means."""
    ended = m.past.ended
    if ended is None or ended.state == "error":
        return None
    if ended.state == "budget" or (m.past.budget_stop and ended.state == "interrupted"):
        if not seen.budget_spent and seen.raised_ms > ended.at_ms:
            return None
        own = ended.state == "budget"
        return Stage.BUDGET, ended.reason if own else _SPENT, (own and ended.hint) or _RAISE, 0
    if ended.state == "done":
        return (
            Stage.FAILED,
            "its worker said it is done, and its files do not say so",
            f"gsd parallel start --retry {m.id}",
            0,
        )
    if not ended.passing:
        return Stage.BLOCKED, ended.reason, ended.hint, 0
    if m.past.parks > MAX_PARKS:
        return Stage.BLOCKED, f"{ended.reason} ({m.past.parks} times in a row)", _AGAIN, 0
    return _waiting(ended.at_ms, _step(PARK_MS, m.past.parks) + _turn(m, seen), ended.reason, seen)


def _turn(m: Milestone, seen: Seen) -> int:
    parked = [o.id for o in seen.milestones if o.past.ended is not None and o.past.ended.passing]
    return parked.index(m.id) * STAGGER_MS if m.id in parked else 0


def _crashed(m: Milestone, seen: Seen) -> _Verdict | None:
    past = m.past
    if not past.crashes:
        return None
    if past.crashes > seen.rules.max_restarts:
        cause = f"it died {past.crashes} times in a row; last: {past.crash_reason}"
        look = past.ended.hint if past.ended is not None and past.ended.hint else "Look at .gsd/parallel/logs"
        return Stage.FAILED, cause, f"{look.rstrip('.')}, then gsd parallel start --retry {m.id}", 0
    return _waiting(past.last_crash_ms, _step(BACKOFF_MS, past.crashes), past.crash_reason, seen)


def _waiting(since_ms: int, for_ms: int, cause: str, seen: Seen) -> _Verdict | None:
    """Not yet again. What ended in the future ended before the clock was set back, which is long enough."""
    ends = since_ms + for_ms
    return (Stage.BACKOFF, cause, "", ends) if since_ms <= seen.now_ms < ends else None


def _step(steps: tuple[int, ...], number: int) -> int:
    return steps[min(max(number, 1), len(steps)) - 1]


_JUDGES: Final[tuple[Callable[[Milestone, Seen], _Verdict | None], ...]] = (
    _gone,
    _merging,
    _living,
    _complete,
    _barred,
    _ended,
    _crashed,
)
