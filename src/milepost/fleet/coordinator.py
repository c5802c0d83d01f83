"""The coordinator: observe, plan, act, again, until nothing is left to do or to wait for.

It schedules and never works: workers are processes, and so is each merge. What it keeps are handles of its own
children, the places it is making and what the person at its terminal said; all else is looked at each time, so a
`kill -9` changes nothing for the workers and the next start goes on. Source: DESIGN "Parallel"; parallel PR-010 to
PR-012, PR-318 to PR-321, DV-06, DV-19, FM-17, FM-18, FM-20.
"""

import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import halting, merge_child, preflight, spawn
from milepost.fleet.forecasts import Forecaster
from milepost.fleet.observe import Observation, Observer
from milepost.fleet.orchestrator_file import Publisher
from milepost.fleet.site import WRITER, Site
from milepost.fleet.spawn import Child
from milepost.formats.journal import FleetEnded, FleetStarted, LandingEnded, WorkerLost, WorkerSpawned
from milepost.rules import budget, fleet, schedule
from milepost.rules.fleet import DIED
from milepost.rules.schedule import Action, Ask, Bury, Finish, Halt, Land, Plan, Start
from milepost.rules.standings import Live, Rules, Seen, Stage
from milepost.unit.converse import ending_together

TICK_S = 0.5
_AGAIN_S = 2.0
_PATIENCE = 30
"""Rounds that may fail in a row, for a minute."""


class Audience(Protocol):
    """Somebody who is told how the fleet gets on (a terminal, a log). Must not raise."""

    can_ask: bool
    """Whether `ask` reaches a person."""

    def plan(self, plan: Plan, seen: Observation) -> None:
        """What holds now; called each round."""

    def note(self, text: str) -> None:
        """A sentence for people."""

    def ask(self, question: str, still: Callable[[], bool]) -> bool | None:
        """Put a yes-or-no question; blocks until it is answered, or `still` says that it does not stand: None."""


@dataclass(slots=True)
class Coordinator:
    """One run of a coordinator; its lease is held by whoever made it."""

    site: Callable[[], Site]
    """Says the project anew; called each round, so that changed preferences count."""
    audience: Audience
    stop: anyio.Event
    """Set when a signal says that everything is to be stopped."""
    fresh: bool = False
    """Count the spending of all workers from zero: a new session."""
    session: str = ""
    children: dict[str, Child] = field(default_factory=dict)
    merge: merge_child.Merge | None = None
    preparing: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    asking: str = ""
    halted: dict[tuple[str, str], float] = field(default_factory=dict)
    """Milestone and run to when it was told to stop."""
    troubles: int = 0
    """Rounds in a row that could not be done."""
    limits: budget.Limits | None = None
    raised_ms: int = 0
    forecaster: Forecaster = field(default_factory=Forecaster)
    looking: bool = False
    """A probe for conflicts is under way."""
    picture: Publisher = field(default_factory=Publisher)
    wake: anyio.Event = field(default_factory=anyio.Event)

    async def run(self) -> Finish:
        """Coordinate until the end. Raises FormatError for a plan that cannot be read."""
        site = self.site()
        observer = Observer(site)
        self._begin(observer)
        ended = Finish(code=ExitCode.ERROR, reason="it died of an error that nobody expected")
        try:
            async with ending_together() as tasks:
                tasks.start_soon(self._wake_for_children)
                ended = await self._rounds(observer, tasks)
        except (MilepostError, OSError) as error:
            ended = Finish(code=ExitCode.ERROR, reason=str(error), hint=getattr(error, "hint", ""))
            raise
        finally:
            self._end(ended, site)
        return ended

    def _begin(self, observer: Observer) -> None:
        """Settle what an earlier coordinator left, then take the project."""
        site, seen = observer.site, observer.look()
        for action in schedule.plan(self._seen(seen, site)).actions:
            if isinstance(action, Bury):
                self._bury(action, site)
        known = "" if self.fresh else seen.fleet.session
        self.session = known or f"f{site.now_ms():013d}-{os.urandom(3).hex()}"
        adopted = tuple(m.id for m in seen.milestones if m.live is not Live.NONE)
        for milestone in adopted:
            self.audience.note(f"{milestone} is being worked on already (pid {seen.holders[milestone].pid}): adopted")
        site.journal(WRITER).append(
            FleetStarted(
                at_ms=site.now_ms(),
                run=site.run,
                session=self.session,
                pid=os.getpid(),
                max_workers=_rules(site).max_workers,
                adopted=adopted,
            )
        )

    def _end(self, ended: Finish, site: Site) -> None:
        self.picture.close(site)
        site.journal(WRITER).append(
            FleetEnded(
                at_ms=site.now_ms(),
                run=site.run,
                session=self.session,
                state=ended.code.name.lower(),
                reason=ended.reason,
                hint=ended.hint,
            )
        )

    async def _rounds(self, observer: Observer, tasks: TaskGroup) -> Finish:
        while True:
            try:
                finish = self._round(observer, tasks)
            except (MilepostError, OSError) as error:
                finish = None
                await self._endure(error)
            else:
                self.troubles = 0
            if finish is not None:
                return finish
            with anyio.move_on_after(TICK_S):
                await self.wake.wait()
            self.wake = anyio.Event()

    def _round(self, observer: Observer, tasks: TaskGroup) -> Finish | None:
        observer.site = site = self.site()
        self._reap(observer)
        seen = observer.look()
        plan = schedule.plan(self._seen(seen, site))
        if self.asking and self.asking not in _askable(plan, seen):
            self.asking = ""  # It was merged from another terminal.
        self.audience.plan(plan, seen)
        self.picture.publish(seen, self.session, site)
        for action in plan.actions:
            self._act(action, seen, site, tasks)
        if plan.finish is None and not self.looking and self.forecaster.due(seen, site.now_ms()):
            self.looking = True
            tasks.start_soon(self._safely, self._look_ahead, seen, site)
        return self._pushed(plan.finish, seen, site)

    def _pushed(self, finish: Finish | None, seen: Observation, site: Site) -> Finish | None:
        """A run whose landings the remote did not take has not ended well."""
        late = fleet.unpushed(seen.fleet)
        if finish is None or finish.code is not ExitCode.DONE or not late:
            return finish
        remote, target = site.preferences.git.remote, late[-1].target
        names = ", ".join(landed.milestone for landed in late)
        reason = f"{names}: on {target}, but {remote} does not have it: {late[-1].push_error}"
        return Finish(code=ExitCode.BLOCKED, reason=reason, hint=f"Mend that, then: git push {remote} {target}")

    async def _endure(self, error: MilepostError | OSError) -> None:
        """A plan that somebody is in the middle of editing, or a full disk, does not end the night: workers go on.

        Raises `error` when it lasts.
        """
        self.troubles += 1
        if self.troubles > _PATIENCE:
            raise error
        if self.troubles == 1:
            self.audience.note(f"cannot coordinate just now: {error}")
        await anyio.sleep(_AGAIN_S)

    async def _safely(self, work: Callable[..., Awaitable[None]], *given: object) -> None:
        """Run a task whose failure is said, and ends nothing else."""
        try:
            await work(*given)
        except (MilepostError, OSError) as error:
            self.audience.note(str(error))
        self.wake.set()

    def _seen(self, seen: Observation, site: Site) -> Seen:
        limits = budget.limits_of(site.preferences)
        if limits != self.limits:
            self.limits, self.raised_ms = limits, site.now_ms()
        return Seen(
            milestones=seen.milestones,
            rules=_rules(site),
            now_ms=site.now_ms(),
            budget_spent=budget.spent(seen.events, self.session, site.preferences),
            raised_ms=self.raised_ms,
            merging=self.merge.milestone if self.merge else "",
            preparing=frozenset(self.preparing),
            approved=frozenset(self.approved),
            declined=frozenset(self.declined),
            asking=self.asking,
            can_ask=self.audience.can_ask,
            stop_all=self.stop.is_set() or seen.fleet.stop_all,
        )

    def _act(self, action: Action, seen: Observation, site: Site, tasks: TaskGroup) -> None:
        match action:
            case Start(milestone=milestone):
                self.preparing.add(milestone)
                tasks.start_soon(self._safely, self._start, milestone, _title(milestone, seen), site)
            case Land(milestone=milestone, slice=slice_id):
                self.merge = merge_child.start(milestone, slice_id, site)
            case Ask(milestone=milestone, slice=slice_id):
                self.asking = f"{milestone}/{slice_id}" if slice_id else milestone
                tasks.start_soon(self._safely, self._ask, milestone, self.asking, seen)
            case Halt(milestone=milestone, sender=sender):
                self._halt(milestone, sender, seen, site, tasks)
            case Bury():
                self._bury(action, site)

    async def _start(self, milestone: str, title: str, site: Site) -> None:
        run = f"r{site.now_ms():013d}-{os.urandom(3).hex()}"
        try:
            found = await preflight.start(milestone, title, run, self.session, site)
            match found:
                case Child():
                    self.children[milestone] = found
                    site.journal(WRITER).append(_spawned(found, self.session, site))
                    self.audience.note(f"{milestone} started (pid {found.who.pid})")
                case preflight.Failed(reason=reason, hint=hint):
                    self.audience.note(f"{milestone} could not be started: {reason}{f' — {hint}' if hint else ''}")
                case preflight.Finished():
                    self.audience.note(f"{milestone} is complete already; it only waits to be merged")
        finally:
            self.preparing.discard(milestone)

    async def _ask(self, milestone: str, key: str, seen: Observation) -> None:
        target = seen.plans.targets.get(milestone, "its target")
        question = f"Merge {key} ({_title(milestone, seen)}) into {target}?"
        try:
            ask = partial(self.audience.ask, question, lambda: self.asking == key)
            yes = await to_thread.run_sync(ask, abandon_on_cancel=True)
            if yes is not None:
                (self.approved if yes else self.declined).add(key)
        finally:
            if self.asking == key:
                self.asking = ""

    async def _look_ahead(self, seen: Observation, site: Site) -> None:
        try:
            for sentence in await to_thread.run_sync(self.forecaster.look, seen, site, abandon_on_cancel=True):
                self.audience.note(sentence)
        finally:
            self.looking = False

    def _halt(self, milestone: str, sender: str, seen: Observation, site: Site, tasks: TaskGroup) -> None:
        holder = seen.holders[milestone]
        asked = self.halted.get((milestone, holder.run))
        if asked is None:
            self.halted[milestone, holder.run] = time.monotonic()
            halting.ask(milestone, holder, sender, site)
        elif time.monotonic() - asked > halting.PATIENCE_S:
            self.halted[milestone, holder.run] = time.monotonic()
            tasks.start_soon(self._safely, halting.force, holder)

    def _bury(self, action: Bury, site: Site) -> None:
        child = self.children.get(action.milestone)
        reason = "its process is gone"
        if child and child.run == action.run:
            reason = _end_of(child.process.returncode, spawn.log(site.box, child.milestone, child.run, "err"))
        lost = WorkerLost(
            at_ms=site.now_ms(), run=site.run, milestone=action.milestone, worker_run=action.run, reason=reason
        )
        site.journal(WRITER).append(lost)
        self.audience.note(f"{action.milestone} crashed: {reason}")

    def _reap(self, observer: Observer) -> None:
        """Collect children that ended. Whether a worker did well is in the journal, not in its exit code."""
        for child in self.children.values():
            child.process.poll()
        if self.merge is None or self.merge.process.poll() is None:
            return
        done, self.merge = self.merge, None
        self.approved.discard(f"{done.milestone}/{done.slice}" if done.slice else done.milestone)
        observer.forget()
        told = _told(done, observer)
        if told is not None:
            self._settled(told)
        else:
            site = observer.site
            err = spawn.log(site.box, done.milestone, "merge", "err")
            died = LandingEnded(
                at_ms=site.now_ms(),
                run=site.run,
                milestone=done.milestone,
                slice=done.slice,
                outcome=DIED,
                target="",
                reason=f"the merge ended without a word ({_end_of(done.process.returncode, err)})",
                hint=f"Look at {err}",
            )
            site.journal(WRITER).append(died)

    def _settled(self, ended: LandingEnded) -> None:
        """Say what a merge settled by itself, and that one slice is there."""
        if ended.slice and ended.outcome == "landed":
            self.audience.note(f"{ended.milestone}/{ended.slice} is merged: on {ended.target}")
        for one in ended.settled:
            self.audience.note(f"{ended.milestone}: settled {one}")

    async def _wake_for_children(self) -> None:
        with anyio.open_signal_receiver(signal.SIGCHLD) as signals:
            async for _ in signals:
                # Most children are git, of our own looking: a round for each of them would never come to an end.
                if self._has_lost_one():
                    self.wake.set()

    def _has_lost_one(self) -> bool:
        """Whether a worker or the merge has ended since this was asked last."""
        running = [one.process for one in (*self.children.values(), self.merge) if one is not None]
        return any(process.returncode is None and process.poll() is not None for process in running)


def _askable(plan: schedule.Plan, seen: Observation) -> set[str]:
    """What a person may be asked about: milestones whose turn it is, and finished slices."""
    whole = {s.id for s in plan.standings if s.stage is Stage.TO_MERGE}
    return whole | {f"{m.id}/{ready.slice}" for m in seen.milestones for ready in m.past.slices}


def _rules(site: Site) -> Rules:
    parallel = site.preferences.parallel
    return Rules(
        max_workers=parallel.max_workers,
        serialize=parallel.overlap_policy == "serialize",
        auto_merge=parallel.auto_merge,
        by_completion=parallel.merge_order == "by-completion",
        per_slice=parallel.merge_strategy == "per-slice",
        max_restarts=parallel.max_restarts,
    )


def _title(milestone: str, seen: Observation) -> str:
    return next((m.title for m in seen.milestones if m.id == milestone), "")


def _spawned(child: Child, session: str, site: Site) -> WorkerSpawned:
    return WorkerSpawned(
        at_ms=site.now_ms(),
        run=site.run,
        milestone=child.milestone,
        session=session,
        worker_run=child.run,
        pid=child.who.pid,
        host=child.who.host,
        boot_id=child.who.boot_id,
        start_ticks=child.who.start_ticks,
    )


def _told(done: merge_child.Merge, observer: Observer) -> LandingEnded | None:
    """What the merge wrote down about its end."""
    wanted = (done.milestone, done.slice)
    ended = (e for e in reversed(observer.tally.events()) if isinstance(e, LandingEnded) and e.at_ms >= done.at_ms)
    return next((e for e in ended if (e.milestone, e.slice) == wanted), None)


def _end_of(code: int | None, err: Path) -> str:
    """How a child of ours died, with the last thing it said on stderr; what to type next is indented there."""
    try:
        lines = err.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    said = [line for line in lines if line.strip() and not line.startswith(" ")][-1:]
    return f"{_status(code)}{': ' + said[0] if said else ''}"


def _status(code: int | None) -> str:
    if code is None:
        return "its process is gone"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
