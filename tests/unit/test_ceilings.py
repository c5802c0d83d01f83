"""Claiming, watching and waiting for money beside other workers. Time is trio's mock clock."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
import trio.testing

from milepost.agents.session import Ended, Event, SessionSpec, Stop, ToolResult, Usage
from milepost.agents.tools.catalogue import ToolPolicy
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    Result,
    RunEnded,
    RunStarted,
    SessionEnded,
    UsageReported,
    WorkerLost,
)
from milepost.formats.preferences import Parallel, Preferences
from milepost.model.outcome import Committed, Interrupted, OverBudget
from milepost.model.units import UnitKind
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.testing.scripted import Hang, Say, Spend, Step
from milepost.unit.bench import Bench
from milepost.unit.ceilings import reserve
from milepost.unit.converse import Conversation, converse
from milepost.unit.transaction import run_unit
from milepost.unit.transcript import Transcript
from unit.workbench import STATE, TASK, Notes, bench_for, events, honest, notes, write

pytestmark = pytest.mark.anyio

SESSION = "f-1"
KIND = UnitKind.EXECUTE_TASK


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def prefer(own: float | None = None, fleet: float | None = None, enforcement: str = "pause") -> Preferences:
    parallel = Parallel()._replace(budget_ceiling=fleet)
    made = Preferences()._replace(budget_ceiling=own, parallel=parallel)
    return made._replace(budget_enforcement=enforcement)  # type: ignore[arg-type]


def worker(project: Path, preferences: Preferences, *steps: Step, **changes: object) -> Bench:
    """M001's worker in the session, run r-1."""
    facts: dict[str, object] = {"preferences": preferences, "worker": True, "fleet": SESSION, "isolation": "none"}
    bench = bench_for(project, {"*": steps or honest()}, **(facts | changes))
    bench.journal.append(begun(bench.run, "M001"))
    return bench


def begun(run: str, milestone: str, fleet: str = SESSION) -> RunStarted:
    return RunStarted(at_ms=1, run=run, pid=1, version="", command="auto", milestone=milestone, fleet=fleet)


def used(attempt: str, run: str, micro_usd: int) -> UsageReported:
    return UsageReported(at_ms=1, run=run, attempt=attempt, model="m", input=1, output=1, micro_usd=micro_usd)


class Sibling:
    """Another worker: its journal and, while it lives, its lease."""

    def __init__(self, project: Path, milestone: str = "M002", run: str = "r-2", fleet: str = SESSION) -> None:
        self.state = project / STATE
        self.milestone, self.run = milestone, run
        self.journal = Journal(self.state, milestone)
        self.journal.append(begun(run, milestone, fleet))

    def lives(self) -> Lease:
        path = self.state / "parallel" / f"{self.milestone}.lease"
        guard = self.state / "journal" / f"{self.milestone}.jsonl"
        return Lease(path, self.milestone, Holder(pid=1, run=self.run), guard=guard)

    def reserves(self, micro_usd: int, attempt: str = "b") -> None:
        self.says(BudgetReserved(at_ms=1, run=self.run, attempt=attempt, micro_usd=micro_usd))
        self.says(
            AttemptStarted(
                at_ms=1, run=self.run, attempt=attempt, kind=str(KIND), unit=f"{self.milestone}/S01/T01", base="",
                branch="", fingerprint="", number=1,
            )
        )  # fmt: skip

    def spends(self, micro_usd: int, attempt: str = "b") -> None:
        self.says(used(attempt, self.run, micro_usd))

    def ends(self, attempt: str = "b") -> None:
        self.says(AttemptEnded(at_ms=1, run=self.run, attempt=attempt, result=Result.COMMITTED))

    def says(self, event: AnyEvent) -> None:
        self.journal.append(event)


async def later(seconds: float, *acts: Callable[[], object]) -> None:
    await anyio.sleep(seconds)
    for act in acts:
        act()


def claimed(bench: Bench) -> list[BudgetReserved]:
    return [e for e in events(bench, BudgetReserved) if isinstance(e, BudgetReserved) and e.run == bench.run]


@pytest.mark.spec(id="PR-063")
@pytest.mark.spec(id="FM-35")
async def test_what_fits_is_reserved_at_once(project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    with sibling.lives():
        sibling.reserves(900_000)
        assert await reserve("a", KIND, bench) is None
    assert [claim.micro_usd for claim in claimed(bench)] == [100_000]
    assert notes(bench).said == []


@pytest.mark.spec(id="FM-35")
async def test_money_that_a_sibling_only_holds_is_waited_for(project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    sibling.reserves(950_000)
    with sibling.lives():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later, 900, lambda: sibling.spends(200_000), sibling.ends)
            began = anyio.current_time()
            assert await reserve("a", KIND, bench) is None
            assert anyio.current_time() - began >= 900
    [claim] = claimed(bench)
    assert claim.micro_usd == 200_000, "what the sibling's unit cost is the estimate now"
    [said] = notes(bench).said
    assert said == (
        "waiting for money: $0.950 of $1.00 is spent or reserved by units that are still at work "
        "(the budget of all workers)"
    )


@pytest.mark.spec(id="PR-063")
async def test_the_wait_ends_when_the_sibling_really_spent_it(project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    sibling.reserves(950_000)
    with sibling.lives():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later, 60, lambda: sibling.spends(940_000), sibling.ends)
            outcome = await reserve("a", KIND, bench)
    assert outcome == OverBudget(940_000, 1_000_000, "fleet", "parallel.budget_ceiling")
    assert claimed(bench) == []


@pytest.mark.parametrize("record", ["nothing", "lost", "ended", "old"])
@pytest.mark.spec(id="FM-35")
async def test_what_the_dead_reserved_is_neither_counted_nor_waited_for(record: str, project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    sibling.reserves(950_000)
    match record:
        case "lost":
            sibling.says(WorkerLost(at_ms=2, run="c", milestone="M002", worker_run="r-2", reason="killed"))
        case "ended":
            sibling.says(RunEnded(at_ms=2, run="r-2", state="paused", reason="", milestone="M002"))
        case "old":
            with sibling.lives():
                pass
    began = anyio.current_time()
    assert await reserve("a", KIND, bench) is None
    assert (anyio.current_time(), notes(bench).said) == (began, [])


async def test_a_lease_that_somebody_deleted_still_says_that_the_sibling_lives(project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    sibling.reserves(950_000)
    with sibling.lives():
        (sibling.state / "parallel" / "M002.lease").unlink()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later, 60, lambda: sibling.spends(10), sibling.ends)
            began = anyio.current_time()
            assert await reserve("a", KIND, bench) is None
            assert anyio.current_time() - began >= 60


async def test_a_stop_ends_the_wait(project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    sibling.reserves(950_000)
    with sibling.lives():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later, 30, bench.stop.set)
            outcome = await run_unit(TASK, bench)
    assert isinstance(outcome, Interrupted)
    assert (claimed(bench), [e for e in events(bench, AttemptStarted) if e.run == "r-1"]) == ([], [])


async def test_an_order_is_heard_while_waiting(project: Path) -> None:
    asked: list[bool] = []
    bench = worker(project, prefer(fleet=1), wanted=lambda: bool(asked))
    sibling = Sibling(project)
    sibling.reserves(950_000)
    with sibling.lives():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later, 30, lambda: asked.append(True))
            outcome = await run_unit(TASK, bench)
    assert outcome == OverBudget(950_000, 1_000_000, "fleet", "parallel.budget_ceiling", waiting=True)
    assert claimed(bench) == []


async def test_those_who_wait_never_wait_for_each_other(project: Path) -> None:
    """Five want what two can have: all get it one after the other, since who waits holds nothing."""
    benches = []
    with ExitStack() as leases:
        for number in range(1, 6):
            sibling = Sibling(project, f"M00{number}", f"r-{number}")
            leases.enter_context(sibling.lives())
            first = bench_for(project, preferences=prefer(fleet=0.5), worker=True, fleet=SESSION, isolation="none")
            place = replace(first.workspace, milestone=f"M00{number}")
            benches.append(
                replace(first, workspace=place, journal=Journal(project / STATE, f"M00{number}"), run=f"r-{number}")
            )
        kept = Sibling(project, "M009", "r-9")
        kept.reserves(400_000)
        leases.enter_context(kept.lives())
        done: list[str] = []

        async def work(bench: Bench) -> None:
            name = f"of-{bench.run}"
            assert await reserve(name, KIND, bench) is None
            await anyio.sleep(60)
            bench.journal.append(used(name, bench.run, 50_000))
            bench.journal.append(AttemptEnded(at_ms=1, run=bench.run, attempt=name, result=Result.COMMITTED))
            done.append(bench.run)

        async with anyio.create_task_group() as tasks:
            for bench in benches:
                tasks.start_soon(work, bench)
            tasks.start_soon(later, 300, kept.ends)
    assert sorted(done) == ["r-1", "r-2", "r-3", "r-4", "r-5"]
    assert sum(any("waiting" in said for said in notes(bench).said) for bench in benches) >= 3


@pytest.mark.spec(id="FM-34")
@pytest.mark.spec(id="PR-142")
async def test_a_workers_own_ceiling_counts_its_milestone_only(project: Path) -> None:
    old = Sibling(project, "M000", "r-0", fleet="f-0")
    old.reserves(1)
    old.spends(90_000_000)
    old.ends()
    (project / STATE / "metrics.json").write_text('{"version":1,"projectStartedAt":1,"units":[{"cost":99}]}')
    bench = worker(project, prefer(own=1, fleet=5), carried_micro_usd=99_000_000)
    assert [ceiling.scope for ceiling in bench.ceilings] == ["fleet", "M001"]
    assert await reserve("a", KIND, replace(bench, preferences=prefer(own=100, fleet=100))) is None
    bench.journal.append(AttemptEnded(at_ms=2, run="r-1", attempt="a", result=Result.COMMITTED))
    bench.journal.append(used("earlier", "r-1", 950_000))
    outcome = await reserve("b", UnitKind.PLAN_SLICE, bench)
    assert outcome == OverBudget(950_000, 1_000_000, "M001", "budget_ceiling")


async def test_only_a_warning_reserves_and_refuses_nothing(project: Path) -> None:
    bench, sibling = worker(project, prefer(own=1, fleet=1, enforcement="warn")), Sibling(project)
    sibling.reserves(5_000_000)
    sibling.spends(5_000_000)
    assert await reserve("a", KIND, bench) is None
    assert len(claimed(bench)) == 1


async def test_an_auto_mode_waits_for_nobody(project: Path) -> None:
    """It is alone in the project: whatever is still reserved was left by something that died."""
    bench, sibling = bench_for(project, preferences=prefer(own=1), isolation="none"), Sibling(project)
    with sibling.lives():
        sibling.reserves(950_000)
        assert await reserve("a", KIND, bench) is None
    sibling.spends(950_000, "c")
    assert await reserve("b", KIND, bench) == OverBudget(1_050_000, 1_000_000)


@pytest.mark.spec(id="PR-197")
async def test_raising_the_ceiling_lets_the_work_go_on(project: Path) -> None:
    bench, sibling = worker(project, prefer(fleet=1)), Sibling(project)
    sibling.reserves(1)
    sibling.spends(1_000_000)
    sibling.ends()
    assert await run_unit(TASK, bench) == OverBudget(1_000_000, 1_000_000, "fleet", "parallel.budget_ceiling")
    assert [e for e in events(bench, AttemptStarted) if e.run == "r-1"] == []
    assert isinstance(await run_unit(TASK, replace(bench, preferences=prefer(fleet=3))), Committed)


class Watching(Notes):
    """Lets a sibling spend at certain events of ours."""

    def __init__(self, when: type, act: Callable[[], object]) -> None:
        super().__init__()
        self.when, self.act = when, act

    def session_event(self, event: Event) -> None:
        super().session_event(event)
        if isinstance(event, self.when):
            self.act()


async def talk(bench: Bench) -> Conversation:
    place = bench.workspace
    spec = SessionSpec(
        unit=TASK, cwd=place.cwd, system="", prompt="Do it.", models=(), policy=ToolPolicy.ALL, state_dir=STATE,
        env=bench.env, output_dir=place.root_state / "runtime/outputs",
    )  # fmt: skip
    with Transcript(place.root_state, TASK) as transcript:
        return await converse(spec, "a", bench, transcript)


def mine(bench: Bench) -> list[int | None]:
    return [e.micro_usd for e in events(bench, UsageReported) if isinstance(e, UsageReported) and e.run == "r-1"]


@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="DV-02")
@pytest.mark.spec(id="FM-35")
async def test_a_sibling_that_spends_the_rest_stops_this_worker_at_its_next_request(project: Path) -> None:
    sibling = Sibling(project)
    watcher = Watching(Usage, lambda: sibling.spends(990_000) if len(watcher.events) == 1 else None)
    bench = worker(
        project, prefer(fleet=1), *[Spend(micro_usd=9_000)] * 5, Say("never"), watcher=watcher
    )  # fmt: skip
    found = await talk(bench)
    assert mine(bench) == [9_000, 9_000], "the second was on its way when the ceiling was passed"
    assert found.over is not None
    assert (found.over.committed, found.over.scope) == (1_008_000, "fleet")
    [closed] = events(bench, SessionEnded)
    assert isinstance(closed, SessionEnded)
    assert (closed.stop, closed.requests) == (str(Stop.CANCELLED), 2)


@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="DV-02")
async def test_what_is_spent_while_a_tool_runs_stops_the_next_request(project: Path) -> None:
    sibling = Sibling(project)
    watcher = Watching(Usage, lambda: sibling.spends(1_200_000))
    steps = [Spend(micro_usd=9_000), write("a.txt", "a\n"), Spend(micro_usd=9_000), Hang()]
    bench = worker(project, prefer(fleet=1), *steps, watcher=watcher)
    found = await talk(bench)
    assert mine(bench) == [9_000]
    assert (project / "a.txt").exists()
    assert found.over is not None
    assert isinstance(watcher.events[-1], ToolResult)


@pytest.mark.spec(id="PR-142")
async def test_what_a_sibling_spends_is_nothing_to_a_workers_own_ceiling(project: Path) -> None:
    sibling = Sibling(project)
    watcher = Watching(Usage, lambda: sibling.spends(5_000_000))
    bench = worker(project, prefer(own=1, fleet=100), *[Spend(micro_usd=300_000)] * 5, watcher=watcher)
    found = await talk(bench)
    assert mine(bench) == [300_000] * 4
    assert found.over is not None
    assert (found.over.committed, found.over.ceiling, found.over.scope) == (1_200_000, 1_000_000, "M001")


async def test_only_a_warning_stops_nothing_in_mid_unit(project: Path) -> None:
    sibling = Sibling(project)
    sibling.spends(5_000_000)
    bench = worker(project, prefer(own=1, fleet=1, enforcement="warn"), *[Spend(micro_usd=900_000)] * 3)
    found = await talk(bench)
    assert (found.over, len(mine(bench))) == (None, 3)
    assert isinstance(notes(bench).events[-1], Ended)


async def test_a_price_that_is_not_known_counts_at_the_reservation(project: Path) -> None:
    sibling = Sibling(project)
    sibling.spends(940_000)
    bench = worker(project, prefer(fleet=1), Spend(micro_usd=None), Spend(micro_usd=None), Say("Done."))
    bench.journal.append(BudgetReserved(at_ms=1, run="r-1", attempt="a", micro_usd=50_000))
    assert (await talk(bench)).over is None
    more = worker(project, prefer(fleet=1), Spend(micro_usd=10_001), Hang())
    found = await talk(more)
    assert found.over is None, "its own reservation covers that"
