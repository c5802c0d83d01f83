"""The time and the context of a running session. Time is trio's mock clock: nothing here waits for real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest
import trio.testing

from milepost.agents.session import Ended, Event, SessionSpec, Stop, Text, ToolCall, ToolResult
from milepost.agents.tools.catalogue import ToolPolicy
from milepost.formats import unit_record
from milepost.formats.journal import AttemptEnded, Result, Steered
from milepost.formats.preferences import AutoSupervisor, Preferences
from milepost.formats.unit_record import RecordPhase, UnitRecord
from milepost.model.outcome import Committed, Inconclusive, TimedOut, Unfinished
from milepost.rules.supervision import End, Why
from milepost.testing.scripted import Hang, Say, Sleep, Spend, Step
from milepost.unit.bench import Bench
from milepost.unit.converse import Conversation, converse
from milepost.unit.transaction import run_unit
from milepost.unit.transcript import Transcript
from unit.workbench import PLAN, STATE, SUMMARY, TASK, Notes, agent, bench_for, events, honest, notes, write

pytestmark = pytest.mark.anyio

MINUTE = 60.0


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def bench_of(project: Path, *steps: Step, **changes: object) -> Bench:
    return bench_for(project, {"*": steps}, isolation="none", **changes)


def supervised(**settings: float) -> Preferences:
    return Preferences()._replace(auto_supervisor=AutoSupervisor(**settings))  # type: ignore[arg-type]


def threshold(percent: float) -> Preferences:
    return Preferences()._replace(context_pause_threshold=percent)


async def talk(bench: Bench) -> Conversation:
    place = bench.workspace
    spec = SessionSpec(
        unit=TASK, cwd=place.cwd, system="", prompt="Do it.", models=(), policy=ToolPolicy.ALL, state_dir=STATE,
        env=bench.env, output_dir=place.root_state / "runtime/outputs",
    )  # fmt: skip
    with Transcript(place.root_state, TASK) as transcript:
        return await converse(spec, "a-1", bench, transcript)


def said(bench: Bench) -> list[str]:
    return [e.why for e in events(bench, Steered) if isinstance(e, Steered)]


def busy(minutes: int) -> list[Step]:
    """Four minutes of silence at a time, never more."""
    return [step for _ in range(minutes // 4) for step in (Sleep(4 * MINUTE), Say("Still at it."))]


@pytest.mark.spec(id="PR-241")
@pytest.mark.covers("key:auto_supervisor.soft_timeout_minutes")
@pytest.mark.parametrize(("soft", "told"), [(20, True), (12, True), (24.5, False)])
async def test_the_soft_limit_says_one_thing(soft: float, told: bool, project: Path) -> None:
    steps = [*busy(20), Sleep(MINUTE), write("a.txt", "a\n")]
    bench = bench_of(project, *steps, preferences=supervised(soft_timeout_minutes=soft))
    found = await talk(bench)
    assert (found.late, found.ended.stop) == (None, Stop.END)
    assert said(bench) == (["soft"] if told else [])
    if told:
        [words] = agent(bench).steered
        assert SUMMARY in words
        assert "S01-CONTINUE.md" in words
        assert "told the agent (soft)" in notes(bench).text
        assert words.splitlines()[0] in (bench.workspace.root_state / "activity").glob("*.jsonl").__next__().read_text()


@pytest.mark.spec(id="PR-241")
@pytest.mark.covers("key:auto_supervisor.idle_timeout_minutes")
@pytest.mark.parametrize("idle", [10, 4])
async def test_silence_is_recovered_twice_and_then_ended(idle: float, project: Path) -> None:
    bench = bench_of(project, Say("Hm."), Hang(), preferences=supervised(idle_timeout_minutes=idle))
    found = await talk(bench)
    assert found.late == End(Why.IDLE, idle * MINUTE)
    assert found.ended.stop is Stop.CANCELLED
    assert said(bench).count("idle") == 2
    assert 3 * idle * MINUTE <= anyio.current_time() < 3 * idle * MINUTE + 2 * MINUTE


@pytest.mark.covers("key:auto_supervisor.hard_timeout_minutes")
@pytest.mark.parametrize("hard", [30, 50])
async def test_the_hard_limit_comes_after_a_last_word_whatever_goes_on(hard: float, project: Path) -> None:
    bench = bench_of(project, *busy(90), preferences=supervised(hard_timeout_minutes=hard))
    found = await talk(bench)
    assert found.late == End(Why.HARD, hard * MINUTE)
    assert said(bench) == ["soft", "hard"]
    assert len(agent(bench).steered) == 2
    assert hard * MINUTE <= anyio.current_time() < (hard + 1) * MINUTE


async def test_a_long_task_has_longer(project: Path) -> None:
    """Issue: limits are scaled by a task's estimate."""
    plan = project / PLAN
    plan.write_text(plan.read_text().replace("`est:5m`", "`est:1h`", 1))
    found = await talk(bench_of(project, Sleep(19 * MINUTE), *busy(35), Say("Done.")))
    assert (found.late, found.ended.stop) == (None, Stop.END)
    assert anyio.current_time() > 50 * MINUTE


async def test_a_tool_that_runs_is_no_silence_until_it_is_older_than_the_limit(project: Path) -> None:
    bench = bench_of(project)
    assert (await talk(with_agent(bench, Tooled(9 * MINUTE)))).late is None
    assert said(bench) == []
    assert (await talk(with_agent(bench, Tooled(11 * MINUTE)))).late is None
    assert said(bench) == ["idle"]


@pytest.mark.parametrize(("tool", "late"), [("ask", False), ("shell", True)])
async def test_whoever_waits_for_a_person_is_not_hurried(tool: str, late: bool, project: Path) -> None:
    bench = bench_of(project)
    found = await talk(with_agent(bench, Tooled(8 * 60 * MINUTE, name=tool)))
    assert found.timed_out is late
    assert bool(said(bench)) is late


@dataclass(slots=True)
class Jumping:
    """A clock for a process that stands still once: `asleep` or stopped with the machine awake."""

    asleep: bool
    after_s: float
    hours: float = 8
    jumped: bool = field(default=False)

    def _jump(self) -> float:
        self.jumped = self.jumped or anyio.current_time() >= self.after_s
        return self.hours * 3600 if self.jumped else 0.0

    def now_s(self) -> float:
        return anyio.current_time() + (0.0 if self.asleep else self._jump())

    def slept_s(self) -> float:
        return self._jump() if self.asleep else 0.0

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


@pytest.mark.spec(id="PR-241")
@pytest.mark.parametrize("asleep", [True, False], ids=["suspended", "stopped"])
async def test_a_machine_that_slept_costs_the_session_nothing(asleep: bool, project: Path) -> None:
    bench = bench_of(project, Sleep(17 * MINUTE), Say("Done."), clock=Jumping(asleep, after_s=9 * MINUTE))
    found = await talk(bench)
    assert (found.late, found.ended.stop) == (None, Stop.END)
    assert said(bench) == []


async def test_the_wall_clock_is_no_part_of_it(project: Path) -> None:
    walls = iter(range(0, 10**15, 10**11))
    bench = bench_of(project, Sleep(9 * MINUTE), Say("Done."), now_ms=lambda: next(walls))
    assert (await talk(bench)).late is None
    assert said(bench) == []


@dataclass(slots=True)
class Tooled:
    """An agent that calls one tool, which takes its time."""

    seconds: float
    name: str = "shell"

    @asynccontextmanager
    async def open(self, spec: SessionSpec) -> AsyncIterator["Tooled"]:
        yield self

    async def events(self) -> AsyncIterator[Event]:
        yield ToolCall(id="1", name=self.name, args={})
        await anyio.sleep(self.seconds)
        yield ToolResult(id="1", name=self.name, ok=True, text="")
        yield Text(text="Done.")
        yield Ended(stop=Stop.END)

    async def steer(self, text: str) -> None: ...

    async def cancel(self) -> None: ...


def with_agent(bench: Bench, agent: Tooled) -> Bench:
    return replace(bench, agent=agent)


FULL = Spend(input=10_000, cache_read=120_000, cache_write=5_000, output=5_000, model="claude-sonnet-4-5")
"""140,000 of 200,000 tokens."""


@pytest.mark.parametrize(
    ("spend", "told"),
    [
        (FULL, ["context"]),
        (Spend(input=139_000, model="claude-sonnet-4-5"), []),
        (Spend(input=140_000, model="openai/gpt-5.5"), []),
        (Spend(input=140_000, model="nobody-knows-it"), ["context"]),
    ],
    ids=["full", "nearly", "a larger window", "an unknown window"],
)
async def test_a_window_that_fills_is_said_once_between_two_calls(spend: Spend, told: list[str], project: Path) -> None:
    calls = [write("a.txt", "a\n"), Say("And"), spend, write("b.txt", "b\n"), Say("so on.")]
    bench = bench_of(project, spend, *calls)
    assert (await talk(bench)).ended.stop is Stop.END
    assert said(bench) == told
    assert len(agent(bench).steered) == len(told)


async def test_an_answer_that_ends_the_work_is_not_spoken_to(project: Path) -> None:
    bench = bench_of(project, FULL, Say("Done."))
    await talk(bench)
    assert said(bench) == []


@pytest.mark.parametrize(
    ("percent", "told"),
    [(0, ["context"]), (60, ["context-pause"]), (71, ["context"])],
)
async def test_the_threshold_of_a_pause(percent: float, told: list[str], project: Path) -> None:
    bench = bench_of(project, FULL, write("a.txt", "a\n"), preferences=threshold(percent))
    await talk(bench)
    assert said(bench) == told
    assert [e.percent for e in events(bench, Steered) if isinstance(e, Steered)] == [70]


class Looking(Notes):
    """Keeps what the record showed whenever the agent was spoken to, and when a session began."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.seen: list[UnitRecord] = []
        self._path = root / STATE / "runtime/units" / unit_record.file_name(TASK)

    def look(self) -> UnitRecord:
        found = unit_record.decode(self._path.read_bytes())
        assert found is not None
        return found

    def session_event(self, event: Event) -> None:
        self.seen.append(self.look())


async def test_the_record_shows_what_was_done_and_a_new_attempt_begins_a_new_one(project: Path) -> None:
    looking = Looking(project)
    slow = [*busy(10), Sleep(11 * MINUTE), *busy(60)]
    script = lambda _spec, number: [Say("Again.")] if number else slow  # noqa: E731
    bench = bench_for(project, {"*": script}, isolation="none", watcher=looking)
    assert isinstance(await run_unit(TASK, bench), TimedOut)
    last = looking.seen[-1]
    assert (last.wrapup_warning_sent, last.continue_here_fired, last.recovery_attempts) == (True, False, 2)
    assert (last.last_recovery_reason, last.phase) == ("hard", RecordPhase.TIMEOUT)
    assert last.timeout_at is not None
    assert last.progress_count > 1
    assert last.last_progress_kind == "text"
    begun = len(looking.seen)
    assert isinstance(await run_unit(TASK, bench), Unfinished)
    fresh = looking.seen[begun]
    assert (fresh.wrapup_warning_sent, fresh.recovery_attempts, fresh.timeout_at) == (False, 0, None)
    assert (fresh.phase, fresh.attempt == last.attempt) == (RecordPhase.DISPATCHED, False)


@pytest.mark.parametrize("steps", [[Hang()], busy(60)], ids=["idle", "hard"])
async def test_what_a_late_unit_owes_is_named_to_the_next_attempt(steps: list[Step], project: Path) -> None:
    bench = bench_of(project, *steps)
    found = await run_unit(TASK, bench)
    assert isinstance(found, TimedOut)
    assert found.idle is (len(steps) == 1)
    assert any("T01-SUMMARY.md" in line for line in found.missing)
    [end] = [e for e in events(bench, AttemptEnded) if isinstance(e, AttemptEnded)]
    assert end.result is Result.TIMED_OUT
    await run_unit(TASK, bench)
    prompt = agent(bench).sessions[-1].prompt
    assert SUMMARY in prompt
    assert ("no progress for 10 minutes" if found.idle else "the limit of 30 minutes passed") in prompt


async def test_work_that_is_there_counts_though_its_session_hung(project: Path) -> None:
    bench = bench_of(project, *honest(), Hang())
    found = await run_unit(TASK, bench)
    # The gate is a real program, for which the mock clock may run too fast.
    assert isinstance(found, Committed | Inconclusive)


async def test_a_disk_that_is_full_ends_the_session_with_its_own_error(project: Path) -> None:
    bench = bench_of(project, Hang())
    (project / STATE / "journal" / "M001.jsonl").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        await talk(bench)
