"""What is true now: plan files, journal, leases, status files and refs, as the value that the schedule decides on.

The plan is read again when a run or a landing begins or ends, when somebody orders something, and every few seconds;
who lives is asked of the kernel each time. Source: DESIGN "Parallel" (observe → plan → act), parallel PR-152, FM-05,
FM-09 to FM-12.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations

from milepost.fleet.site import Site
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetReserved,
    Corrected,
    OrderTaken,
    SessionEnded,
    UsageReported,
    Verified,
)
from milepost.formats.status import Status, WorkerState
from milepost.formats.tree import Tree
from milepost.git import refs, repo, worktrees
from milepost.model.ids import milestone_of_directory
from milepost.model.state import State
from milepost.model.units import Unit, UnitKind
from milepost.rules import done, eligibility, fleet, overlap
from milepost.rules.derive import derive
from milepost.rules.eligibility import OUTSIDE, Facts, Report
from milepost.rules.fleet import Fleet
from milepost.rules.standings import Live, Milestone
from milepost.store import beacons, lease
from milepost.store.lease import Holder
from milepost.store.snapshot import Snapshot
from milepost.store.tally import Tally
from milepost.worker import places

STALE_MS = 30_000
"""A heartbeat older than this is none (PR-152)."""
_LOOK_AGAIN_MS = 5_000
_NO_NEWS = frozenset(
    {
        *(AttemptStarted, AttemptEnded, BudgetReserved, BudgetAlerted, Corrected, OrderTaken),
        *(SessionEnded, UsageReported, Verified),
    }
)
"""What workers write down on their way through a milestone; what becomes of it is decided at its end."""
MERGE = "merge"
"""What the lease of a milestone says its holder does, when it is being merged; else a worker has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What the files and refs say; the slow part of an observation."""

    state: State
    report: Report
    homes: Mapping[str, str]
    targets: Mapping[str, str]
    """Milestone with a branch to the name of its target."""
    branches: Mapping[str, str]
    """Every local branch and its tip."""
    complete: frozenset[str]
    unmerged: frozenset[str]
    """Complete where they are worked on, and not on their target."""
    elsewhere: frozenset[str]
    """On their target, which the user's checkout does not have: it stands on another branch."""
    left: frozenset[str]
    """On their target, with a worktree or branch that could not be cleared away."""
    overlaps: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One moment of a fleet."""

    fleet: Fleet
    plans: Plans
    milestones: tuple[Milestone, ...]
    statuses: Mapping[str, Status]
    holders: Mapping[str, Holder]
    """Milestone to whoever holds its lease."""
    events: tuple[AnyEvent, ...]


@dataclass(slots=True)
class Observer:
    """Looks; keeps only what can be read again."""

    site: Site
    tally: Tally = field(init=False)
    _plans: Plans | None = None
    _told: Fleet = field(default_factory=Fleet)
    _seen: int = -1
    _news: tuple[int, frozenset[str]] | None = None
    """What the plan was read at: how much of the journal there was that says something of it, and who lived."""
    _at_ms: int = 0

    def __post_init__(self) -> None:
        self.tally = Tally(self.site.state)

    def look(self) -> Observation:
        """Observe. Raises FormatError for a plan that cannot be read."""
        # First who lives, then what was written: a worker's last word is in the journal before its lease is free.
        holders = _holders(self.site)
        statuses = {status.milestone_id: status for status in beacons.load(self.site.box)}
        events = self.tally.events()
        now = self.site.now_ms()
        if len(events) != self._seen:
            self._told, self._seen = fleet.fold(events), len(events)
        told = self._told
        news = (sum(type(event) not in _NO_NEWS for event in events), frozenset(holders))
        if self._plans is None or news != self._news or now - self._at_ms > _LOOK_AGAIN_MS:
            self._plans, self._at_ms, self._news = read(self.site, told), now, news
        milestones = tuple(
            _milestone(
                entry.id, entry.title, self._plans, told, live(holders.get(entry.id), statuses.get(entry.id), now)
            )
            for entry in self._plans.state.registry
        )
        return Observation(
            fleet=told, plans=self._plans, milestones=milestones, statuses=statuses, holders=holders, events=events
        )

    def forget(self) -> None:
        """Read the plan again next time."""
        self._plans = None


def read(site: Site, told: Fleet) -> Plans:
    """Read the plan and the refs. Raises FormatError."""
    tree = Snapshot(str(site.root), site.state_dir)
    state = derive(tree)
    branches = refs.branches(site.root)
    complete = [e.id for e in state.registry if finished(e.id, tree)]
    unmerged = frozenset(mid for mid in complete if _unmerged(mid, tree, told, branches))
    undone = frozenset(mid for mid, past in told.past.items() if past.undone is not None and mid not in complete)
    elsewhere = _elsewhere(site, told, branches, frozenset(complete))
    landed = (frozenset(complete) - unmerged) | elsewhere
    facts = Facts(landed=landed, undone=undone, unmerged=unmerged, held={})
    report = eligibility.analyze(tree, state, facts)
    open_ = [e.id for e in state.registry if e.id not in landed]
    shift = site.shift()
    begun = [e.id for e in state.registry if worktrees.branch_name(e.id) in branches]
    return Plans(
        state=state,
        report=report,
        homes=tree.homes,
        branches=branches,
        targets={mid: places.target_of(mid, shift) for mid in begun},
        complete=frozenset(complete),
        unmerged=unmerged,
        elsewhere=elsewhere,
        left=frozenset(mid for mid in begun if _is_left(mid, told, branches)),
        overlaps=_overlaps(open_, tree) if site.preferences.parallel.overlap_policy == "serialize" else {},
    )


def _overlaps(milestones: list[str], tree: Tree) -> dict[str, frozenset[str]]:
    """Milestone to those that touch the same files, also when one is finished and only waits to be merged."""
    files = {mid: overlap.touched(tree, mid) for mid in milestones}
    found: dict[str, set[str]] = {}
    for one, other in combinations(milestones, 2):
        if overlap.shared(files[one], files[other]):
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {mid: frozenset(others) for mid, others in found.items()}


def finished(milestone: str, tree: Tree) -> bool:
    """Whether the milestone's own files say that it is complete, its summary included."""
    return done.settled(Unit(UnitKind.COMPLETE_MILESTONE, milestone), tree)


def _unmerged(milestone: str, tree: Snapshot, told: Fleet, branches: Mapping[str, str]) -> bool:
    """Whether a complete milestone is still to be merged, or its merge to be finished."""
    past, tip = told.of(milestone), branches.get(worktrees.branch_name(milestone))
    if _is_left(milestone, told, branches):
        return False
    return milestone in tree.homes or (past.landing_begun and tip is not None)


def _is_left(milestone: str, told: Fleet, branches: Mapping[str, str]) -> bool:
    """Whether what is there of a milestone is what is left of its landing."""
    landed = told.of(milestone).landed
    return landed is not None and landed.tip == branches.get(worktrees.branch_name(milestone))


def _elsewhere(site: Site, told: Fleet, branches: Mapping[str, str], complete: frozenset[str]) -> frozenset[str]:
    """Milestones that landed while the user stood, or before the user went, on a branch that lacks the landing."""
    found = {mid: past.landed for mid, past in told.past.items() if past.landed is not None and mid not in complete}
    head = repo.head_of(site.root).commit if found else None
    if head is None:
        return frozenset()
    return frozenset(
        mid
        for mid, landed in found.items()
        if (tip := branches.get(landed.target))
        and refs.resolve(site.root, landed.commit)
        and refs.is_ancestor(site.root, landed.commit, tip)
        and not refs.is_ancestor(site.root, landed.commit, head)
    )


def _holders(site: Site) -> dict[str, Holder]:
    """Milestone to whoever holds its lease, by the kernel's word."""
    names: set[str] = set()
    for directory, suffix in ((site.box, ".lease"), (site.state / "journal", ".jsonl")):
        with suppress(OSError):
            names |= {name.removesuffix(suffix) for name in os.listdir(directory) if name.endswith(suffix)}
    ids = sorted(name for name in names if milestone_of_directory(name) == name)
    found = {mid: lease.holder(site.lease(mid), site.guard(mid)) for mid in ids}
    return {mid: holder for mid, holder in found.items() if holder is not None}


def live(holder: Holder | None, status: Status | None, now_ms: int) -> Live:
    """Whether a worker is at it. The lease says that it lives; its own file says how it is."""
    if holder is None or holder.command.startswith(MERGE):
        return Live.NONE
    if status is None or (holder.pid and status.run != holder.run) or status.doing in ("starting", "setting-up"):
        return Live.STARTING
    if now_ms - status.last_heartbeat > STALE_MS:
        return Live.UNRESPONSIVE
    return Live.PAUSED if status.state is WorkerState.PAUSED else Live.RUNNING


def _milestone(mid: str, title: str, plans: Plans, told: Fleet, living: Live) -> Milestone:
    barred = next((e for e in plans.report.ineligible if e.id == mid), None)
    complete = mid in plans.complete
    return Milestone(
        id=mid,
        title=title,
        on_target=mid in plans.elsewhere or (complete and mid not in plans.unmerged),
        complete=complete,
        ineligible=barred.reason if barred else "",
        out_of_plan=barred is not None and barred.cause in OUTSIDE,
        live=living,
        overlaps=plans.overlaps.get(mid, frozenset()),
        leftover=mid in plans.left and (told.started is None or told.of(mid).landed_ms < told.started.at_ms),
        tip=plans.branches.get(worktrees.branch_name(mid), ""),
        target_tip=plans.branches.get(plans.targets.get(mid, ""), ""),
        past=told.of(mid),
    )
