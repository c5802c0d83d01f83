"""Recover, land what is finished, derive, decide, do one unit; again.

The loop holds nothing that a restart needs: what is due is read from files, git and the journal each time round.
Landing is level-triggered too: a finished milestone that still has its worktree is landed, whenever that is seen.
Source: DESIGN "The way through the house", spec auto 5.3, 5.9, 5.18, 8.1.
"""

from dataclasses import replace

from milepost import __version__
from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import (
    AttemptStarted,
    Landed,
    RunEnded,
    RunStarted,
)
from milepost.git import anchor, worktrees
from milepost.git.commits import find_attempt
from milepost.git.isolation import IsolationBroken
from milepost.git.put_right import put_right_branch
from milepost.git.repo import head_of
from milepost.model.outcome import Committed, Inconclusive, Outcome, OverBudget, ProviderFailed
from milepost.model.state import State
from milepost.model.units import Unit, UnitKind
from milepost.process import ladder
from milepost.rules.attempts import open_attempts
from milepost.rules.derive import derive
from milepost.rules.dispatch import Dispatch, Halt, decide
from milepost.store import ledger, steering
from milepost.store.snapshot import Snapshot
from milepost.unit import before, remember
from milepost.unit.bench import Bench, Workspace
from milepost.unit.recover import free_reservations, recover
from milepost.unit.transaction import run_unit
from milepost.worker import (
    alerts,
    bringing,
    discussing,
    effects,
    endings,
    errands,
    history,
    hooks,
    landing,
    needed,
    pacing,
    places,
    quick,
    setup,
    station,
    withholding,
)
from milepost.worker.again import prepare, put_back
from milepost.worker.bounds import Watch
from milepost.worker.published import publish
from milepost.worker.shift import Ending, Shift
from milepost.worker.station import Station
from milepost.worker.waiting import Waiting


async def work(shift: Shift, pid: int) -> Ending:
    """Run until nothing is left to do, something needs a person, or somebody says stop. Journals begin and end."""
    _book_begin(shift, pid)
    post = station.of(shift)
    ending = Ending(ExitCode.ERROR, "it died of an error that nobody expected")
    try:
        post.open()
        worker = _Worker(post)
        ending = endings.of_run(await post.accompany(worker.run if shift.quick is None else worker.run_quick), shift)
    except MilepostError as error:
        ending = Ending(error.exit_code, str(error), error.hint)
        raise
    except OSError as error:
        ending = Ending(ExitCode.ERROR, f"{error.filename or ''} {error.strerror or error}".strip())
        raise
    finally:
        try:
            _book_end(ending, shift)
        finally:
            post.close(ending)
    effects.write_state(shift)
    return ending


def _book_begin(shift: Shift, pid: int) -> None:
    shift.journal(shift.writer).append(
        RunStarted(
            at_ms=shift.now_ms(),
            run=shift.run,
            pid=pid,
            version=__version__,
            command=shift.command,
            milestone=shift.lock or "",
            fleet=shift.fleet,
        )
    )


def _book_end(ending: Ending, shift: Shift) -> None:
    shift.journal(shift.writer).append(
        RunEnded(
            at_ms=shift.now_ms(),
            run=shift.run,
            state=ending.code.name.lower(),
            reason=ending.reason,
            hint=ending.hint,
            milestone=shift.lock or "",
            passing=ending.passing,
        )
    )


class _Worker:
    """One run. Fields hold only what can be made again from disk."""

    def __init__(self, post: Station) -> None:
        self.post = post
        self.shift = post.shift
        self.units = 0
        self.failed = ""
        """What went wrong in the latest unit; empty: nothing."""
        self.benches: dict[str, Bench] = {}
        self.errands = errands.Errands(self.shift)
        self.waiting = Waiting(post)
        self.bounds = Watch(self.shift)

    async def run_quick(self) -> Ending:
        over = await quick.run(self.post, self._recover_all, self._dispatch)
        return (_unpushed(self.shift) if over.code is ExitCode.DONE else None) or over

    async def run(self) -> Ending:
        if ending := await self._recover_all():
            return ending
        self.post.begin("working")
        while True:
            if ending := await self.post.between(self.benches.get(self.shift.lock or "")):
                return ending
            if self.post.moved():
                self.benches.clear()
            home = Snapshot(str(self.shift.root), self.shift.state_dir)
            state = derive(home, lock=self.shift.lock, assigned=bool(self.shift.fleet))
            talk = discussing.due(self.shift) or await self._errand(state, home)
            if isinstance(talk, Ending):
                return talk
            if talk is errands.AGAIN:
                continue
            if talk is None and self.shift.lock is None and (due := landing.due(state, home, self.shift)):
                if ending := await landing.land(due, home, self.shift):
                    return ending
                self.benches.pop(due, None)
                continue
            milestone = state.active_milestone.id if state.active_milestone else ""
            effects.carry_orders(home, milestone, self.shift)
            decision = talk or decide(state, steering.steered(home, milestone), self.shift.preferences)
            if ending := self.bounds.reached(decision, state, home):
                return ending
            if isinstance(decision, Halt):
                return _unpushed(self.shift) or endings.of_halt(decision, state)
            if ending := await self._dispatch(decision):
                return ending

    async def _errand(self, state: State, home: Snapshot) -> errands.Found:
        """A unit that does not come from the plan, or why the run is over; None: there is no errand."""
        milestone = self.errands.milestone(state, home)
        if milestone and milestone not in self.benches:
            made = await self._bench(milestone)
            return made if isinstance(made, Ending) else errands.AGAIN
        found = self.errands.due(state, self.benches[milestone]) if milestone else None
        return found or self.errands.over()

    async def _recover_all(self, only: str = "") -> Ending | None:
        """Settle what an earlier process left open, before anybody derives: in every milestone, or of `only`."""
        if left := await ladder.end_orphans():
            self.shift.watcher.note(f"processes that a killed run had left behind were ended: {left}")
        if ending := landing.complete_published(self.shift):
            return ending
        journal = self.shift.journal(self.shift.writer)
        # A worker settles its own milestone only: others are at work on theirs.
        mine = journal.own() if self.shift.lock else journal.everything()
        lost = free_reservations(mine, journal, run=self.shift.run, at_ms=self.shift.now_ms())
        for attempt in lost:
            before.drop(self.shift.state, attempt)
        events = journal.own() if self.shift.lock else journal.everything()
        effects.catch_up(events, self.shift)
        opened = [started for started in open_attempts(events) if only in ("", _milestone(started))]
        for started in opened:
            _back_on_branch(started, self.shift)
        for milestone in dict.fromkeys(map(_milestone, opened)):
            bench = await self._bench(milestone)
            if isinstance(bench, Ending):
                return bench
            for unit, outcome in await recover(bench):
                if isinstance(outcome, Inconclusive) and (only or unit.kind is not UnitKind.QUICK):
                    return self.post.stopped() or endings.of_outcome(unit, outcome)
        return None

    async def _dispatch(self, decision: Dispatch) -> Ending | None:
        unit = decision.unit
        if unit.milestone not in self.benches:
            # The place may hold more than the root showed (a branch without a worktree): look again from there.
            found = await self._bench(unit.milestone)
            return found if isinstance(found, Ending) else None
        bench = self.benches[unit.milestone]
        if effects.apply(decision, bench):
            return None
        if self.shift.max_units is not None and self.units >= self.shift.max_units:
            return endings.of_limit(unit, self.failed)
        prepared = hooks.prepared(unit, bench, self.shift)
        if prepared is None:
            return None
        unit, bench = prepared
        if lacking := needed.missing(unit, bench, self.shift):
            return lacking
        ready = await self.waiting.before(bench)
        if not isinstance(ready, Bench):
            return ready
        diagnostic, capped = history.may_start(unit, bench)
        if capped:
            return capped
        if await pacing.waited(unit, bench, self.shift):
            return None
        prepare(unit, bench, self.shift)
        able = needed.furnished(unit, withholding.withheld(ready, self.shift), self.shift)
        outcome = await run_unit(unit, able, diagnostic=diagnostic)
        put_back(unit, outcome, bench, self.shift)
        self.post.unit_ended()
        if isinstance(outcome, ProviderFailed) and outcome.passing and not self.post.stopped():
            return self.waiting.failed(unit, outcome, bench)
        if isinstance(outcome, OverBudget) and outcome.waiting:
            return None
        self.units += 1
        self.failed = "" if isinstance(outcome, Committed) else f"{unit}: {endings.words(outcome)}"
        _say(unit, outcome, bench)
        landing.without_merge(unit, outcome, bench, self.shift)
        discussing.after(unit, outcome, self.shift)
        self.benches = discussing.still_fit(unit, self.benches)
        await remember.learn(unit, outcome, bench)
        alerts.alert(bench)
        publish(outcome, bench, self.shift)
        if stopped := self.post.stopped():
            self.post.interrupted(bench)
            return stopped
        return endings.of_outcome(unit, outcome) or history.wound_up(unit, bench)

    async def _bench(self, milestone: str) -> Bench | Ending:
        """The tools for a milestone's units; an ending when its place cannot be made ready."""
        if milestone not in self.benches:
            agent = self.shift.agent(history.played(self.shift))  # What it lacks is said before a place is made.
            place = await places.enter(milestone, self.shift)
            if self.shift.lock is not None:
                bringing.settle(place, self.shift.journal(milestone).own())
            # Somebody waits to be asked, and nothing is run yet: dependencies come when the discussion is held.
            first = discussing.comes_first(self.shift)
            ready = setup.Ready(env=setup.environment(place, self.shift)) if first else await self._ready(place)
            if isinstance(ready, setup.NotReady):
                return self.post.stopped() or endings.of_set_up(ready)
            # What the project cost before is not held against a worker.
            carried = 0 if self.shift.lock else ledger.carried(self.shift.state)
            bench = self.shift.bench(place, agent, carried_micro_usd=carried)
            self.benches[milestone] = replace(bench, env={**bench.env, **ready.env})
            discussing.catch_up(bench, self.shift)
            discussing.split_off(milestone, self.shift)
        return self.benches[milestone]

    async def _ready(self, place: Workspace) -> setup.Ready | setup.NotReady:
        """Set up a worktree before anything is paid for."""
        self.post.begin("setting-up")
        ready = await setup.prepare(place, self.shift, home=self.shift.home)
        self.post.begin("working")
        return ready


def _back_on_branch(started: AttemptStarted, shift: Shift) -> None:
    """A session that was killed after it left its branch: HEAD goes back before the worktree is asked for."""
    where = worktrees.worktree_path(shift.root, _milestone(started), state_dir=shift.state_dir)
    try:
        if anchor.hold(shift.root, where, shift.state / "runtime" / "set-aside" / started.attempt):
            shift.watcher.note(f"put right: the .git of {where.name} had been replaced; it is back")
    except IsolationBroken:
        return  # Asking for the worktree says what to do about it.
    if not (where / ".git").is_file() or head_of(where).branch == started.branch:
        return
    if find_attempt(where, started.branch, started.base, started.attempt) is not None:
        return
    if found := put_right_branch(where, started.branch, started.base, owner=_milestone(started)):
        shift.watcher.note(f"put right: {found.sentence}; it is back and the files are kept")


def _milestone(started: AttemptStarted) -> str:
    return started.unit.split("/")[0]


def _unpushed(shift: Shift) -> Ending | None:
    """A landing that the remote did not take does not stop the work, but the run does not end well."""
    landings = [e for e in shift.journal("project").everything() if isinstance(e, Landed) and e.run == shift.run]
    if not landings or not (last := landings[-1]).push_error:
        return None
    remote = shift.preferences.git.remote
    words = f"{last.milestone} is on {last.target}, but {remote} does not have it: {last.push_error}"
    return Ending(ExitCode.BLOCKED, words, f"Mend that, then: git push {remote} {last.target}")


def _say(unit: Unit, outcome: Outcome, bench: Bench) -> None:
    bench.watcher.note(f"{unit}: {endings.words(outcome)}")
