"""The scripted agent: steps, attempts, walls, cancelling; in Python and from a file."""

import json
from pathlib import Path

import anyio
import pytest

from agents.conftest import MakeSpec
from milepost.agents.choose import UnknownAgent, choose
from milepost.agents.driven import DrivenSession
from milepost.agents.session import Agent, Ended, ErrorKind, Event, SessionSpec, Stop, Text, ToolCall, ToolResult, Usage
from milepost.errors import FormatError
from milepost.model.units import Unit, UnitKind
from milepost.testing.scripted import Fail, Hang, RawShell, RawWrite, Say, ScriptedAgent, Spend, Tool

pytestmark = pytest.mark.anyio
KEY = "execute-task/M001/S01/T01"


async def played(agent: Agent, spec: SessionSpec) -> list[Event]:
    async with agent.open(spec) as session:
        return [event async for event in session.events()]


async def test_a_session(make_spec: MakeSpec, repo: Path) -> None:
    agent = ScriptedAgent(
        {KEY: [Tool("write", {"path": "a.py", "content": "A\n"}), Spend(input=9, output=2), Say("Done.")]}
    )
    events = await played(agent, make_spec())
    assert events == [
        ToolCall(id="call-1", name="write", args={"path": "a.py", "content": "A\n"}),
        ToolResult(id="call-1", name="write", ok=True, text="Created a.py, 2 bytes."),
        Usage(model="scripted", input=9, output=2),
        Text(text="Done."),
        Ended(stop=Stop.END, tool_calls=1, requests=1),
    ]
    assert (repo / "a.py").read_text() == "A\n"
    assert agent.sessions == [make_spec()]


async def test_attempts_and_kinds(make_spec: MakeSpec) -> None:
    agent = ScriptedAgent({"execute-task": lambda spec, attempt: [Say(f"{spec.unit.id} {attempt}")]}, played={KEY: 1})
    first, second = await played(agent, make_spec()), await played(agent, make_spec())
    other = await played(agent, make_spec(unit=Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02")))
    assert [e.text for e in (first[0], second[0], other[0]) if isinstance(e, Text)] == [
        "M001/S01/T01 1",
        "M001/S01/T01 2",
        "M001/S01/T02 0",
    ]


async def test_a_misbehaving_agent(make_spec: MakeSpec, repo: Path, tmp_path: Path) -> None:
    steps = [
        Tool("write", {"path": ".gsd/auto.lock", "content": "mine"}),
        RawWrite(str(tmp_path / "escaped.txt"), "out"),
        RawWrite(".gsd/milestones/M002/x.md", "not mine"),
        RawShell(["git", "commit", "--allow-empty", "-qm", "by the agent"]),
    ]
    events = await played(ScriptedAgent({"*": steps}), make_spec())
    assert [event.refused for event in events if isinstance(event, ToolResult)] == [True]
    assert (tmp_path / "escaped.txt").read_text() == "out"
    assert (repo / ".gsd/milestones/M002/x.md").exists()
    assert (repo / ".git/logs/HEAD").read_text().count("by the agent") == 1


async def test_errors_and_missing_scripts_are_endings(make_spec: MakeSpec) -> None:
    (ended,) = await played(ScriptedAgent({"*": [Fail(ErrorKind.RATE_LIMIT, "slow\ndown", 7)]}), make_spec())
    assert isinstance(ended, Ended)
    assert ended.error
    assert (ended.error.kind, ended.error.text, ended.error.retry_after_s) == (ErrorKind.RATE_LIMIT, "slow down", 7)
    (ended,) = await played(ScriptedAgent({}), make_spec())
    assert isinstance(ended, Ended)
    assert ended.error
    assert ended.error.kind is ErrorKind.DIVERGED


@pytest.mark.parametrize("step", [Hang(), Tool("shell", {"command": "echo $$ > pid; sleep 60"})])
async def test_cancel_ends_what_is_under_way(make_spec: MakeSpec, repo: Path, step: Hang | Tool) -> None:
    events: list[Event] = []

    async def run(session: DrivenSession) -> None:
        async for event in session.events():
            events.append(event)

    async with (
        ScriptedAgent({"*": [Say("first"), step]}).open(make_spec()) as session,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(run, session)
        with anyio.fail_after(20):
            while not events or (isinstance(step, Tool) and not (repo / "pid").exists()):  # noqa: ASYNC110
                await anyio.sleep(0.01)
            await session.cancel()
    assert isinstance(events[-1], Ended)
    assert events[-1].stop is Stop.CANCELLED
    if isinstance(step, Tool):
        pid = int((repo / "pid").read_text())
        assert not Path(f"/proc/{pid}").exists()


async def test_leaving_the_context_ends_the_session(make_spec: MakeSpec) -> None:
    async with ScriptedAgent({"*": [Say("one"), Say("two")]}).open(make_spec()) as session:
        async for _ in session.events():
            break
    with pytest.raises(RuntimeError):
        session.events()


async def test_steering_is_seen(make_spec: MakeSpec) -> None:
    agent = ScriptedAgent({"*": [Say("one"), Say("two")]})
    async with agent.open(make_spec()) as session:
        await session.steer("hurry")
        async for _ in session.events():
            pass
    assert agent.steered == ["hurry"]


SCRIPT = [
    {
        "unit": KEY,
        "steps": [
            {"tool": "write", "args": {"path": "a.py", "content": "broken"}},
            {"usage": {"input": 5, "micro_usd": 3}},
        ],
    },
    {"unit": KEY, "steps": [{"tool": "shell", "args": {"command": "cat a.py"}}, {"sleep": 0}, {"text": "mended"}]},
    {
        "unit": "plan-slice",
        "steps": [
            {"raw_write": "README.md", "text": "gone"},
            {"raw_shell": ["true"]},
            {"error": "server", "text": "down"},
        ],
    },
]


async def test_a_script_file(make_spec: MakeSpec, repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(SCRIPT))
    agent = choose(f"scripted:{path}", {})
    first = await played(agent, make_spec())
    assert Usage(model="scripted", input=5, output=0, micro_usd=3) in first
    second = await played(choose(f"scripted:{path}", {}, {KEY: 1}), make_spec())
    assert [event.text for event in second if isinstance(event, ToolResult | Text)] == ["broken", "mended"]
    for _ in range(2):  # the last entry goes on
        again = await played(agent, make_spec())
        assert Text(text="mended") in again
    planning = await played(agent, make_spec(unit=Unit(UnitKind.PLAN_SLICE, "M001/S01")))
    assert isinstance(planning[-1], Ended)
    assert planning[-1].error
    assert planning[-1].error.kind is ErrorKind.SERVER
    assert (repo / "README.md").read_text() == "gone"


@pytest.mark.parametrize(
    "text", ["{", "[]x", '[{"unit": "a", "steps": [{"dance": 1}]}]', '[{"unit": "a", "steps": [{"sleep": "x"}]}]']
)
def test_a_script_that_cannot_be_understood(tmp_path: Path, text: str) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"script\.json: no script"):
        choose(f"scripted:{path}", {})


@pytest.mark.parametrize("name", ["", "claude", "replay", "scripted:", "builtin:x"])
def test_unknown_agents(name: str) -> None:
    with pytest.raises(UnknownAgent):
        choose(name, {})
