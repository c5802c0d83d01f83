"""A session that a person holds. Time is trio's mock clock: nothing here waits for real."""

from pathlib import Path

import anyio
import pytest
import trio.testing

from milepost.agents.session import Stop
from milepost.formats.journal import AnyEvent, AttemptEnded, Held, LetGo, Result, SessionEnded, Steered, UsageReported
from milepost.rules import held
from milepost.testing.scripted import Say, Spend
from milepost.unit.bench import Bench
from milepost.unit.converse import Conversation
from unit.test_converse import bench_of, talk
from unit.workbench import agent, events, write

pytestmark = pytest.mark.anyio
HOURS_S = 3 * 3_600.0
STEPS = (Spend(micro_usd=7), write("a.txt", "a\n"), Say("Done."))


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def held_for_hours(bench: Bench, text: str = "") -> Conversation:
    """The conversation, held from its beginning; somebody else lets it go."""
    bench.hold.take()
    found: list[Conversation] = []

    async def converse() -> None:
        found.append(await talk(bench))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(converse)
        await anyio.sleep(HOURS_S)
        assert bench.hold.stands
        assert [type(e) for e in events(bench)] == [Held]
        if text == "STOP":
            bench.stop.set()
        else:
            bench.hold.let_go(text)
    return found[0]


async def test_nothing_is_asked_and_no_time_passes_while_it_is_held(project: Path) -> None:
    bench = bench_of(project, *STEPS)
    found = await held_for_hours(bench)
    assert (found.ended.stop, found.late) == (Stop.END, None)
    assert [type(e) for e in events(bench, Held, LetGo, Steered, UsageReported)] == [Held, LetGo, UsageReported]
    assert not bench.hold.stands


async def test_a_sentence_lets_it_go_on_and_is_said_first(project: Path) -> None:
    bench = bench_of(project, *STEPS)
    found = await held_for_hours(bench, "Use tabs.\nEverywhere.")
    assert found.ended.stop is Stop.END
    [words] = agent(bench).steered
    assert "Use tabs.\nEverywhere." in words
    [told] = [e for e in events(bench, Steered) if isinstance(e, Steered)]
    assert (told.why, told.text) == ("person", "Use tabs.")
    [transcript] = (bench.workspace.root_state / "activity").glob("*.jsonl")
    assert "Use tabs." in transcript.read_text()


async def test_a_stop_ends_it_where_it_stands(project: Path) -> None:
    bench = bench_of(project, *STEPS)
    found = await held_for_hours(bench, "STOP")
    assert (found.ended.stop, found.interrupted, found.ended.requests) == (Stop.CANCELLED, True, 0)
    assert [type(e) for e in events(bench)] == [Held, SessionEnded]


async def test_who_holds_and_is_lost_ends_the_run(project: Path) -> None:
    bench = bench_of(project, *STEPS)
    bench.hold.take()
    bench.hold.forsake()
    found = await talk(bench)
    assert (found.interrupted, bench.stop.is_set()) == (True, True)


async def test_who_is_lost_and_held_nothing_changes_nothing(project: Path) -> None:
    bench = bench_of(project, *STEPS)
    bench.hold.forsake()
    assert (await talk(bench)).ended.stop is Stop.END


HELD, FREED = Held(at_ms=5, run="r-1", attempt="a-1"), LetGo(at_ms=6, run="r-1", attempt="a-1")
OVER = SessionEnded(at_ms=7, run="r-1", attempt="a-1", stop="cancelled", requests=0, tool_calls=0)
CRASHED = AttemptEnded(at_ms=8, run="r-2", attempt="a-1", result=Result.CRASHED)


@pytest.mark.parametrize(
    ("facts", "since"),
    [((), None), ((HELD,), 5), ((HELD, FREED), None), ((HELD, FREED, HELD), 5), ((HELD, OVER), None), ((HELD, CRASHED), None)],
    ids=["none", "held", "freed", "again", "over", "crashed"],
)  # fmt: skip
def test_since_when_it_is_held(facts: tuple[AnyEvent, ...], since: int | None) -> None:
    assert held.since(facts) == since
