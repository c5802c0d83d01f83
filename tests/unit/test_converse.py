"""One session driven to its end, whoever ends it. Time is trio's mock clock: nothing here waits for real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
import trio.testing

from milepost.agents.session import Ended, ErrorKind, Event, SessionSpec, Stop, Text, Usage
from milepost.agents.tools.catalogue import ToolPolicy
from milepost.errors import MilepostError
from milepost.formats.journal import BudgetReserved, SessionEnded, UsageReported
from milepost.formats.preferences import Preferences
from milepost.testing.scripted import Fail, Hang, Say, Sleep, Spend, Step
from milepost.unit.bench import Bench
from milepost.unit.converse import Conversation, converse, ending_together
from milepost.unit.transcript import Transcript
from unit.workbench import STATE, TASK, Notes, bench_for, events, honest, notes, write

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def bench_of(project: Path, *steps: Step, **changes: object) -> Bench:
    return bench_for(project, {"*": steps}, isolation="none", **changes)


def spec_of(bench: Bench) -> SessionSpec:
    place = bench.workspace
    return SessionSpec(
        unit=TASK, cwd=place.cwd, system="", prompt="Do it.", models=(), policy=ToolPolicy.ALL, state_dir=STATE,
        env=bench.env, output_dir=place.root_state / "runtime/outputs",
    )  # fmt: skip


async def talk(bench: Bench) -> Conversation:
    with Transcript(bench.workspace.root_state, TASK) as transcript:
        return await converse(spec_of(bench), "a-1", bench, transcript)


def closing(bench: Bench) -> SessionEnded:
    [found] = events(bench, SessionEnded)
    assert isinstance(found, SessionEnded)
    return found


def ceiling(usd: float, enforcement: str = "pause") -> Preferences:
    return Preferences()._replace(budget_ceiling=usd, budget_enforcement=enforcement)  # type: ignore[arg-type]


async def test_a_session_that_ends_by_itself(project: Path) -> None:
    bench = bench_of(
        project, Spend(input=5, micro_usd=7), write("a.txt", "a\n"), Spend(input=2), Say("All "), Say("done.")
    )
    found = await talk(bench)
    assert (found.ended.stop, found.last_words) == (Stop.END, "All done.")
    assert (found.over, found.timed_out, found.interrupted) == (None, False, False)
    assert [(e.input, e.micro_usd, e.attempt) for e in events(bench, UsageReported)] == [
        (5, 7, "a-1"),
        (2, None, "a-1"),
    ]  # type: ignore[union-attr]
    end = closing(bench)
    assert (end.stop, end.requests, end.tool_calls, end.error_kind) == ("end", 2, 1, "")
    assert isinstance(notes(bench).events[-1], Ended)


async def test_what_the_provider_does_wrong_is_a_value(project: Path) -> None:
    bench = bench_of(project, Spend(micro_usd=1), Fail(ErrorKind.RATE_LIMIT, "slow down"))
    found = await talk(bench)
    assert found.ended.error is not None
    assert (found.ended.stop, found.ended.error.text) == (Stop.ERROR, "slow down")
    assert (closing(bench).error_kind, closing(bench).error) == (str(ErrorKind.RATE_LIMIT), "slow down")


async def test_the_hard_limit_ends_a_session_that_hangs(project: Path) -> None:
    bench = bench_of(project, Spend(micro_usd=1), write("a.txt", "a\n"), Hang())
    began = anyio.current_time()
    found = await talk(bench)
    limit_s = bench.preferences.auto_supervisor.hard_timeout_minutes * 60
    assert limit_s <= anyio.current_time() - began < limit_s + 30
    assert (found.timed_out, found.interrupted, found.ended.stop) == (True, False, Stop.CANCELLED)
    assert (closing(bench).requests, closing(bench).tool_calls) == (1, 1)


@pytest.mark.spec(id="DV-32")
async def test_a_session_within_the_limit_is_not_hurried(project: Path) -> None:
    found = await talk(bench_of(project, Sleep(29 * 60), Say("Done.")))
    assert (found.timed_out, found.ended.stop) == (False, Stop.END)


async def test_the_ceiling_passed_in_mid_unit_ends_it(project: Path) -> None:
    uses = [Spend(input=1, micro_usd=400_000)] * 5
    bench = bench_of(project, *uses, write("late.txt", "x\n"), preferences=ceiling(1))
    bench.journal.append(BudgetReserved(at_ms=1, run="r", attempt="a-1", micro_usd=900_000))
    found = await talk(bench)
    assert found.over is not None
    assert (found.over.committed, found.over.ceiling) == (1_200_000, 1_000_000)
    assert not (project / "late.txt").exists()
    assert len(events(bench, UsageReported)) == 3
    assert (closing(bench).stop, closing(bench).requests) == ("cancelled", 3)


async def test_what_was_spent_before_counts(project: Path) -> None:
    bench = bench_of(project, Spend(micro_usd=10), Hang(), preferences=ceiling(1), carried_micro_usd=600_000)
    old = UsageReported(at_ms=1, run="r", attempt="older", model="m", input=1, output=1, micro_usd=399_995)
    bench.journal.append(old)
    found = await talk(bench)
    assert found.over is not None
    assert found.over.committed == 1_000_005


@pytest.mark.parametrize(("micro_usd", "enforcement"), [(1_000_000, "pause"), (5_000_000, "warn"), (None, "halt")])
async def test_what_does_not_end_it(micro_usd: int | None, enforcement: str, project: Path) -> None:
    bench = bench_of(project, Spend(micro_usd=micro_usd), Say("Done."), preferences=ceiling(1, enforcement))
    found = await talk(bench)
    assert (found.over, found.ended.stop) == (None, Stop.END)


async def test_a_stop_in_mid_session(project: Path) -> None:
    bench = bench_of(project, Say("Working"), Hang())
    async with anyio.create_task_group() as tasks:

        async def person() -> None:
            await anyio.sleep(60)
            bench.stop.set()

        tasks.start_soon(person)
        found = await talk(bench)
    assert (found.interrupted, found.timed_out, found.ended.stop) == (True, False, Stop.CANCELLED)
    assert anyio.current_time() < 29 * 60
    assert closing(bench).stop == "cancelled"


async def test_a_session_that_ended_by_itself_was_not_interrupted(project: Path) -> None:
    bench = bench_of(project, Say("Done."))
    bench.stop.set()
    found = await talk(bench)
    assert found.interrupted is (found.ended.stop is not Stop.END)


class Stubborn:
    """An agent whose session does not mind being cancelled."""

    name = "stubborn"

    @asynccontextmanager
    async def open(self, spec: SessionSpec) -> AsyncIterator["Stubborn"]:
        yield self

    async def events(self) -> AsyncIterator[Event]:
        yield Text(text="never mind")
        await anyio.sleep_forever()
        yield Ended(stop=Stop.END)

    async def steer(self, text: str) -> None: ...

    async def cancel(self) -> None: ...


async def test_a_session_that_does_not_mind_being_cancelled_is_left(project: Path) -> None:
    bench = replace(bench_of(project), agent=Stubborn())
    bench.stop.set()
    found = await talk(bench)
    assert (found.interrupted, found.timed_out, found.ended.stop) == (True, False, Stop.CANCELLED)
    assert anyio.current_time() < 60


class Full(Notes):
    """A disk that is full when the agent says something."""

    def session_event(self, event: Event) -> None:
        if isinstance(event, Usage):
            raise OSError(28, "No space left on device", "journal")


async def test_an_error_of_the_disk_comes_out_as_it_is(project: Path) -> None:
    bench = bench_of(project, Say("a"), Spend(micro_usd=1), Hang(), watcher=Full())
    with pytest.raises(OSError, match="No space left") as raised:
        await talk(bench)
    assert not isinstance(raised.value, ExceptionGroup)
    assert events(bench, SessionEnded) == []


async def test_a_journal_that_cannot_be_written_stops_before_the_next_request(project: Path) -> None:
    bench = bench_of(project, Spend(micro_usd=1), write("late.txt", "x\n"))
    (project / STATE / "journal" / "M001.jsonl").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        await talk(bench)
    assert not (project / "late.txt").exists()


@pytest.mark.parametrize("error", [OSError(28, "full"), MilepostError("no")])
async def test_tasks_end_with_the_block_and_its_error_is_not_wrapped(error: Exception) -> None:
    ended = False

    async def endless() -> None:
        nonlocal ended
        try:
            await anyio.sleep_forever()
        finally:
            ended = True

    async def block() -> None:
        async with ending_together() as tasks:
            tasks.start_soon(endless)
            await anyio.sleep(1)
            raise error

    with pytest.raises(type(error)) as raised:
        await block()
    assert (raised.value, ended) == (error, True)
    async with ending_together() as tasks:
        tasks.start_soon(endless)


async def test_a_bug_in_the_block_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup):
        async with ending_together():
            raise ZeroDivisionError


async def test_long_talk_keeps_its_end(project: Path) -> None:
    found = await talk(bench_of(project, Say("x" * 5_000), *honest()[1:2], Say("THE END")))
    assert found.last_words.endswith("THE END")
    assert len(found.last_words) <= 2_000
