"""Recording and replay: the round trip, another directory, every way to diverge."""

import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from agents.conftest import MakeSpec
from fakemodel import Call, Counted, FakeModel, Reply
from milepost.agents import cassette
from milepost.agents.builtin.agent import BuiltinAgent
from milepost.agents.choose import choose
from milepost.agents.replay import Recorder, ReplayAgent
from milepost.agents.session import Agent, Ended, ErrorKind, Event, SessionSpec, Stop, Text, ToolCall, ToolResult, Usage
from milepost.errors import FormatError
from milepost.model.units import Unit, UnitKind
from milepost.testing.scripted import Fail, Hang, Say, ScriptedAgent, Spend, Step, Tool

pytestmark = pytest.mark.anyio
T01 = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")
T02 = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02")
OTHER = Unit(UnitKind.EXECUTE_TASK, "M002/S01/T01")


async def play(agent: Agent, spec: SessionSpec) -> list[Event]:
    async with agent.open(spec) as session:
        return [event async for event in session.events()]


async def record(path: Path, spec: SessionSpec, steps: list[Step]) -> list[Event]:
    return await play(Recorder(ScriptedAgent({"*": steps}), path), spec)


def elsewhere(spec: SessionSpec, tmp_path: Path) -> SessionSpec:
    there = tmp_path / "elsewhere"
    (there / ".gsd/milestones").mkdir(parents=True, exist_ok=True)
    return spec._replace(cwd=there, output_dir=tmp_path / "other-outputs")


def diverged(events: list[Event]) -> str:
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert ended.stop is Stop.ERROR
    assert ended.error
    assert ended.error.kind is ErrorKind.DIVERGED
    return ended.error.text


async def test_a_real_session_plays_again_in_another_place(make_spec: MakeSpec, repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    script = [
        Reply("I write\nthe module.", [Call("write", {"path": f"{repo}/src/a.py", "content": f"HERE = '{repo}'\n"})]),
        Reply(calls=[Call("shell", {"command": f"cd {repo}/src && ls"}), Call("read", {"path": "nowhere"})]),
        Reply("Done {{cwd}}.", usage=Counted(10, 5, 90)),
    ]
    with FakeModel(script) as server:
        recorded = await play(Recorder(BuiltinAgent(server.env("openai")), path), make_spec(models=("gpt-5.1",)))
    assert str(repo) not in path.read_text()
    there = elsewhere(make_spec(), tmp_path)
    played = await play(ReplayAgent(path), there)
    assert (there.cwd / "src/a.py").read_text() == f"HERE = '{there.cwd}'\n"
    assert [e for e in played if isinstance(e, Usage | Ended)] == [e for e in recorded if isinstance(e, Usage | Ended)]
    results = [e for e in played if isinstance(e, ToolResult)]
    assert [(e.ok, e.text) for e in results] == [
        (True, f"Created a.py, {len(str(there.cwd)) + 10} bytes."),
        (True, "a.py"),
        (False, "There is no file nowhere."),
    ]
    assert [e.id for e in played if isinstance(e, ToolCall)] == [e.id for e in recorded if isinstance(e, ToolCall)]
    assert "".join(e.text for e in played if isinstance(e, Text)) == "I write\nthe module.Done {{cwd}}."


async def test_sessions_play_in_their_order_over_processes(make_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    await record(path, make_spec(unit=T01), [Tool("write", {"path": "a", "content": "broken"}), Spend(input=1)])
    await record(path, make_spec(unit=OTHER), [Say("another milestone")])
    await record(path, make_spec(unit=T01), [Tool("write", {"path": "a", "content": "mended"}), Spend(input=2)])
    await record(path, make_spec(unit=T02), [Say("next")])
    agent = ReplayAgent(path)
    there = elsewhere(make_spec(), tmp_path)
    await play(agent, there)
    assert (there.cwd / "a").read_text() == "broken"
    restarted = choose(f"replay:{path}", {}, {T01.key: 1})
    await play(restarted, there)
    assert (there.cwd / "a").read_text() == "mended"
    assert Text(text="next") in await play(restarted, there._replace(unit=T02))
    assert Text(text="another milestone") in await play(restarted, there._replace(unit=OTHER))


async def test_a_unit_that_is_not_recorded(make_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    await record(path, make_spec(unit=T01), [Say("one")])
    text = diverged(await play(ReplayAgent(path), make_spec(unit=T02)))
    assert text == (
        "c.jsonl: execute-task M001/S01/T02 was asked for, but it is not recorded; "
        "due for M001 is execute-task M001/S01/T01"
    )
    text = diverged(await play(ReplayAgent(path, played={T01.key: 1}), make_spec(unit=T01)))
    assert "1 of it are recorded; due for M001 is nothing more" in text


async def test_a_unit_out_of_order(make_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    await record(path, make_spec(unit=T01), [Say("one")])
    await record(path, make_spec(unit=T02), [Say("two")])
    agent = ReplayAgent(path)
    text = diverged(await play(agent, make_spec(unit=T02)))
    assert "execute-task M001/S01/T02 was asked for out of order; due for M001 is execute-task M001/S01/T01" in text
    assert Text(text="one") in await play(agent, make_spec(unit=T01))  # a divergence is not a session played


async def test_a_result_that_differs_names_the_step(make_spec: MakeSpec, repo: Path, tmp_path: Path) -> None:
    (repo / "input.txt").write_text("here")
    path = tmp_path / "c.jsonl"
    steps: list[Step] = [
        Tool("write", {"path": "a", "content": "1"}),
        Tool("read", {"path": "input.txt"}),
        Tool("write", {"path": "late", "content": "1"}),
    ]
    await record(path, make_spec(), steps)
    there = elsewhere(make_spec(), tmp_path)
    text = diverged(await play(ReplayAgent(path), there))
    assert text == (
        "c.jsonl: session 1 of execute-task M001/S01/T01, step 2, read input.txt: "
        "recorded is done (here), here it is failed (There is no file input.txt.)"
    )
    assert (there.cwd / "a").exists()
    assert not (there.cwd / "late").exists()
    (there.cwd / "input.txt").write_text("other words are fine")
    assert isinstance((await play(ReplayAgent(path), there))[-2], ToolResult)


async def test_a_failure_that_is_none_now_is_a_divergence(make_spec: MakeSpec, repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    await record(path, make_spec(), [Tool("shell", {"command": "test -e flag"})])
    assert isinstance((await play(ReplayAgent(path), make_spec()))[-1], Ended)
    (repo / "flag").touch()
    assert "step 1, shell test -e flag: recorded is failed ([exit status 1])" in diverged(
        await play(ReplayAgent(path), make_spec())
    )


async def test_recorded_failures_are_played(make_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    recorded = await record(path, make_spec(), [Spend(input=3), Fail(ErrorKind.RATE_LIMIT, "slow down", 9)])
    agent = ReplayAgent(path)
    assert await play(agent, make_spec()) == recorded
    assert "1 of it are recorded" in diverged(await play(agent, make_spec()))


async def test_cancelled_sessions_are_neither_recorded_nor_used_up(make_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    async with Recorder(ScriptedAgent({"*": [Say("x"), Hang()]}), path).open(make_spec()) as session:
        async for _ in session.events():
            await session.cancel()
    assert not path.exists()
    await record(path, make_spec(), [Say("x"), Say("y"), Tool("list")])
    agent = ReplayAgent(path, pace_s=30)
    async with agent.open(make_spec()) as playing, anyio.create_task_group() as tasks:
        tasks.start_soon(playing.cancel)
        events = [event async for event in playing.events()]
    assert isinstance(events[-1], Ended)
    assert events[-1].stop is Stop.CANCELLED
    quick = ReplayAgent(path)
    assert isinstance((await play(quick, make_spec()))[-2], ToolResult)


async def test_recording_continues_a_cassette_and_no_other_file(make_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    await record(path, make_spec(unit=T01), [Say("a"), Say("b")])
    await record(path, make_spec(unit=T02), [Say("c")])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["cassette", "session", "text", "ended", "session", "text", "ended"]
    assert lines[2]["text"] == "ab"
    (tmp_path / "notes.md").write_text("# mine\n")
    with pytest.raises(FormatError, match=r"notes\.md:1: no line of a cassette"):
        Recorder(ScriptedAgent({}), tmp_path / "notes.md")
    assert (tmp_path / "notes.md").read_text() == "# mine\n"


HEAD = '{"event":"cassette","version":1}\n'
OPEN = '{"event":"session","kind":"execute-task","id":"M001/S01/T01"}\n'
END = '{"event":"ended","stop":"end"}\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        (HEAD, 0),
        (OPEN + END, 1),
        ('{"event":"cassette","version":2}\n' + OPEN + END, 1),
        (HEAD + END, 2),
        (HEAD + OPEN, 0),
        (HEAD + OPEN + OPEN, 3),
        (HEAD + OPEN + END + '{"event":"text","te', 4),
        (HEAD + OPEN.replace("execute-task", "juggle") + END, 2),
        (HEAD + OPEN + '{"event":"dance"}\n' + END, 3),
    ],
)
def test_files_that_are_no_cassette(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        choose(f"replay:{path}", {})
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text", ["plain", "/w/p/a.py and /w/p", "/w/project", "{{cwd}}", "{{=cwd}} {{==output}}", "/w/p-2"]
)
def test_marks_go_both_ways(text: str) -> None:
    where = {"cwd": "/w/p", "output": "/w/p/.gsd/out"}
    hidden = cassette.hide({"a": [text, 1, None]}, where)
    assert cassette.show(hidden, where) == {"a": [text, 1, None]}
    assert cassette.hide("/w/p/.gsd/out/1.txt", where) == "{{output}}/1.txt"
    assert cassette.show("{{cwd}}/x", {"cwd": "/elsewhere", "output": "/o"}) == "/elsewhere/x"


@pytest.mark.spec(id="PR-221")
def test_choosing_loads_no_library(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(HEAD + OPEN + END)
    code = (
        "import sys; from milepost.agents.choose import choose; import milepost.agents.replay\n"
        f"choose('replay:{path}', {{}}); choose('builtin', {{}})\n"
        "print([m for m in\n"
        "('pydantic_ai', 'pydantic', 'openai', 'anthropic', 'google', 'httpx2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
