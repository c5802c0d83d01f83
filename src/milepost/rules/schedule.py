"""What a coordinator does next: a pure function from what is observed to actions.

    observe (files, git, processes) → plan → act → again

The same observation always yields the same plan, so a coordinator that was killed is replaced by one that looks.
Slots are for processes: a worker that waits or does not answer keeps its own. Source: DESIGN "Parallel", parallel
PR-062, PR-120, PR-121, PR-321, DV-04, DV-06, DV-19, section 7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from milepost.errors import ExitCode
from milepost.rules.fleet import Wanted
from milepost.rules.standings import Live, Milestone, Seen, Stage, Standing, standing

_AGAIN: Final = "gsd parallel start"
_PROCESS = frozenset({Stage.STARTING, Stage.RUNNING, Stage.PAUSED, Stage.UNRESPONSIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a worker."""

    milestone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Merge a milestone, or one slice of it."""

    milestone: str
    slice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask the person at the terminal whether a milestone may be merged."""

    milestone: str
    slice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Tell a worker to stop."""

    milestone: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bury:
    """Note that a worker is gone without a terminal record."""

    milestone: str
    run: str


Action: TypeAlias = Start | Land | Ask | Halt | Bury


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Nothing is left to do, or to wait for."""

    code: ExitCode
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now."""

    standings: tuple[Standing, ...]
    actions: tuple[Action, ...]
    finish: Finish | None = None


def plan(seen: Seen) -> Plan:
    """The plan for one moment. Pure; never raises."""
    standings = {m.id: standing(m, seen) for m in seen.milestones}
    actions: list[Action] = [*_burials(seen), *_halts(seen)]
    if not seen.stop_all:
        actions += _merges(seen, standings)
        actions += _starts(seen, standings)
    listed = tuple(standings[m.id] for m in seen.milestones)
    finish = None if actions or seen.merging or seen.preparing else _finish(seen, listed)
    return Plan(standings=listed, actions=tuple(actions), finish=finish)


def _burials(seen: Seen) -> Iterator[Bury]:
    for m in seen.milestones:
        if _unburied(m, seen):
            yield Bury(milestone=m.id, run=m.past.run)


def _unburied(m: Milestone, seen: Seen) -> bool:
    """Its worker is gone, and nobody has counted that as a crash yet."""
    return m.live is Live.NONE and m.past.open_run and m.id not in seen.preparing


def _halts(seen: Seen) -> Iterator[Halt]:
    """As long as they live: who does not go when it is told is ended by force."""
    for m in seen.milestones:
        if m.live is Live.NONE:
            continue
        if seen.stop_all or m.past.wanted is Wanted.STOP:
            yield Halt(milestone=m.id, sender="")
        elif seen.budget_spent:
            yield Halt(milestone=m.id, sender="budget")


def _merges(seen: Seen, standings: Mapping[str, Standing]) -> Iterator[Action]:
    """At most one: the next in the queue."""
    if seen.merging:
        return
    ready = [m for m in seen.milestones if standings[m.id].stage is Stage.TO_MERGE]
    if seen.rules.by_completion:
        ready.sort(key=lambda m: m.past.completed_ms)
    for m in ready:
        if m.leftover or _may_merge(m.id, seen):
            yield Land(milestone=m.id)
            return
    if ready and not seen.asking:
        yield Ask(milestone=ready[0].id)
        return
    if seen.rules.per_slice:
        yield from _slices(seen)


def _slices(seen: Seen) -> Iterator[Action]:
    for m in seen.milestones:
        waiting = m.past.slices[:1] if not m.complete else ()
        for ready in waiting:
            key = f"{m.id}/{ready.slice}"
            failed = m.past.slice_landing
            if key in seen.declined or (failed is not None and failed.target_tip == m.target_tip):
                continue
            if _may_merge(key, seen):
                yield Land(milestone=m.id, slice=ready.slice)
                return
            if seen.rules.auto_merge == "confirm" and seen.can_ask and not seen.asking:
                yield Ask(milestone=m.id, slice=ready.slice)
                return


def _may_merge(key: str, seen: Seen) -> bool:
    return seen.rules.auto_merge == "auto" or key in seen.approved


def _starts(seen: Seen, standings: Mapping[str, Standing]) -> Iterator[Start]:
    if seen.budget_spent:
        return
    taken = {m.id for m in seen.milestones if standings[m.id].stage in _PROCESS}
    unmerged = {m.id for m in seen.milestones if m.complete and not m.on_target}
    for m in seen.milestones:
        if len(taken) >= seen.rules.max_workers:
            return
        if standings[m.id].stage is not Stage.QUEUED or _unburied(m, seen):
            continue
        if seen.rules.serialize and m.overlaps & (taken | unmerged):
            continue
        taken.add(m.id)
        yield Start(milestone=m.id)


def _finish(seen: Seen, standings: tuple[Standing, ...]) -> Finish | None:
    stages = {s.stage for s in standings}
    if stages & (_PROCESS | {Stage.MERGING, Stage.TO_MERGE, Stage.BACKOFF} - _stopped(seen)):
        return None
    if seen.stop_all:
        return Finish(code=ExitCode.INTERRUPTED, reason="stopped by request", hint=f"{_AGAIN} goes on from here.")
    if not standings:
        # A plan that shows nothing any more is not one that is done.
        return Finish(code=ExitCode.BLOCKED, reason="there is no milestone in the plan", hint="gsd status")
    outside = {m.id for m in seen.milestones if m.out_of_plan}
    open_ = [s for s in standings if s.stage is not Stage.DONE and s.id not in outside]
    return _verdict(open_) or _done([s for s in standings if s.id in outside and s.stage is not Stage.DONE])


def _stopped(seen: Seen) -> frozenset[Stage]:
    return frozenset({Stage.TO_MERGE, Stage.BACKOFF}) if seen.stop_all else frozenset()


_ENDINGS: Final = (
    (Stage.BUDGET, ExitCode.BUDGET),
    (Stage.CONFLICT, ExitCode.BLOCKED),
    (Stage.REFUSED, ExitCode.BLOCKED),
    (Stage.FAILED, ExitCode.BLOCKED),
    (Stage.BLOCKED, ExitCode.BLOCKED),
    (Stage.WAITS, ExitCode.PAUSED),
    (Stage.HELD, ExitCode.PAUSED),
    (Stage.QUEUED, ExitCode.BLOCKED),
    (Stage.INELIGIBLE, ExitCode.BLOCKED),
)


def _done(outside: list[Standing]) -> Finish:
    """All that could be worked on is complete; what is not planned is named."""
    if not outside:
        return Finish(code=ExitCode.DONE, reason="all milestones are complete")
    words = "; ".join(f"{s.id}: {s.cause}" for s in outside)
    return Finish(code=ExitCode.DONE, reason=f"all that is planned is complete. {words}")


def _verdict(open_: list[Standing]) -> Finish | None:
    for stage, code in _ENDINGS:
        found = [s for s in open_ if s.stage is stage]
        if found:
            words = "; ".join(f"{s.id}: {s.cause or s.stage}" for s in found)
            return Finish(code=code, reason=words, hint=found[0].hint)
    return None
