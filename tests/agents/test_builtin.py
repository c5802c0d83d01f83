"""The built-in agent over real HTTP against the fake model server: the loop, the books, every way to fail."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from agents.conftest import MakeSpec
from fakemodel import Answer, ByPrompt, Call, Counted, Failing, FakeModel, Garbage, Hanging, Reply
from milepost.agents.builtin.agent import BuiltinAgent
from milepost.agents.session import (
    Ended,
    ErrorKind,
    Event,
    SessionSpec,
    Stop,
    Text,
    ToolCall,
    ToolPolicy,
    ToolResult,
    Usage,
)
from milepost.rules import limits
from milepost.rules.provider_errors import passing

pytestmark = pytest.mark.anyio

QUICK = {limits.SCALE: "0.001"}
"""Delays that no server named, a thousandth as long."""

OPENAI, ANTHROPIC, GOOGLE = ("openai", "openai/gpt-5.1"), ("anthropic", "claude-opus-5-5"), ("google", "gemini-2.5-pro")
EDIT = Call("edit", {"path": "app.py", "old": "A = 1", "new": "A = 2"})
WIRES = pytest.mark.parametrize(
    ("provider", "model"), [OPENAI, ANTHROPIC, GOOGLE], ids=["openai", "anthropic", "google"]
)
TWO = pytest.mark.parametrize(("provider", "model"), [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])


async def run(server: FakeModel, provider: str, spec: SessionSpec) -> list[Event]:
    agent = BuiltinAgent(server.env(provider) | QUICK)
    async with agent.open(spec) as session:
        return [event async for event in session.events()]


def last(events: Sequence[Event]) -> Ended:
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert sum(isinstance(event, Ended) for event in events) == 1
    return ended


def counted(events: Sequence[Event]) -> Counted:
    total = Counted()
    for event in events:
        if isinstance(event, Usage):
            total = total.plus(Counted(event.input, event.output, event.cache_read, event.cache_write))
    return total


@WIRES
async def test_a_session_edits_a_file(make_spec: MakeSpec, repo: Path, provider: str, model: str) -> None:
    (repo / "app.py").write_text("A = 1\n")
    script = [
        Reply("I look\nfirst.", [Call("read", {"path": "app.py"})], Counted(1000, 50, 300)),
        Reply(
            calls=[
                Call("edit", {"path": "app.py", "old": "A = 1", "new": "A = 2"}),
                Call("shell", {"command": "cat app.py"}),
            ]
        ),
        Reply("Done.", usage=Counted(40, 7, 1300)),
    ]
    with FakeModel(script) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert counted(events) == server.usage == Counted(1140, 77, 1600)
        assert last(events) == Ended(stop=Stop.END, tool_calls=3, requests=3)
        assert [seen.asked.turns for seen in server.seen] == [0, 1, 2]
        assert all(seen.asked.stream and seen.asked.system == "You write software." for seen in server.seen)
        assert server.seen[0].asked.texts == ("Do the task.",)
        assert server.seen[0].asked.tools == ("read", "list", "search", "write", "edit", "shell")
        assert "A = 1" in server.seen[1].asked.results[0]
        assert "A = 2" in server.seen[2].asked.results[2]
    assert (repo / "app.py").read_text() == "A = 2\n"
    assert "".join(e.text for e in events if isinstance(e, Text)) == "I look\nfirst.Done."
    assert [type(e).__name__ for e in events if not isinstance(e, Text)] == [
        *(
            "Usage",
            "ToolCall",
            "ToolResult",
            "Usage",
            "ToolCall",
            "ToolResult",
            "ToolCall",
            "ToolResult",
            "Usage",
            "Ended",
        ),
    ]
    assert all(isinstance(e.micro_usd, int) and e.micro_usd > 0 for e in events if isinstance(e, Usage))
    assert {e.model for e in events if isinstance(e, Usage)} == {model}


async def test_responses_api(make_spec: MakeSpec, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI itself is asked through its responses API; its address is only ever ours in this test."""
    with FakeModel([Reply("So.", [Call("write", {"path": "a", "content": "b"})]), Reply("Done.")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url + "/v1")
        agent = BuiltinAgent({"OPENAI_API_KEY": "sk-not-a-real-key"})
        async with agent.open(make_spec(models=("gpt-5.1",), cache_key="project-1")) as session:
            events = [event async for event in session.events()]
        assert [seen.path for seen in server.seen] == ["/v1/responses"] * 2
        assert server.seen[0].body["prompt_cache_key"] == server.seen[1].body["prompt_cache_key"]
        assert "project-1" not in str(server.seen[0].body)
        assert counted(events) == server.usage
    assert last(events).stop is Stop.END
    assert (repo / "a").read_text() == "b"


async def test_anthropic_caches_the_prompt(make_spec: MakeSpec) -> None:
    with FakeModel([Reply("Hm.", usage=Counted(10, 5, 2000, 700))]) as server:
        events = await run(server, "anthropic", make_spec(models=("claude-opus-5-5",)))
        body = server.seen[0].body
        assert body["system"][-1]["cache_control"]["type"] == "ephemeral"
        assert body["messages"][-1]["content"][-1]["cache_control"]["type"] == "ephemeral"
        assert counted(events) == server.usage


async def test_the_whole_overhead_of_a_request_is_small(make_spec: MakeSpec) -> None:
    for provider, model in (OPENAI, ANTHROPIC, GOOGLE):
        with FakeModel([Reply("Done.")]) as server:
            await run(server, provider, make_spec(models=(model,), system="", prompt="x"))
            assert len(json.dumps(server.seen[0].body["tools"])) < 4_000
            assert server.received < 4_000


@pytest.mark.parametrize(
    ("model", "known"),
    [("openai/gpt-5.1", True), ("openai/gpt-99-nobody", False), ("local/gpt-5.1", False), ("ollama/qwen3", False)],
)
async def test_price_is_of_that_model_or_unknown(make_spec: MakeSpec, model: str, known: bool) -> None:
    with FakeModel([Reply("Done.", usage=Counted(1000, 100, 2000))]) as server:
        env = server.env("openai") | {"OLLAMA_BASE_URL": server.url + "/v1"}
        async with BuiltinAgent(env).open(make_spec(models=(model,))) as session:
            (cost,) = [event async for event in session.events() if isinstance(event, Usage)]
    # list prices of gpt-5.1 per million: 1.25 in, 0.125 cached, 10 out
    assert cost.micro_usd == (1250 + 250 + 1000 if known else None)
    assert (cost.input, cost.output, cost.cache_read) == (1000, 100, 2000)


@WIRES
@pytest.mark.parametrize(
    "failing", [Failing(429, "slow down", retry_after="0"), Failing(503, "overloaded"), Failing(500, "oops")]
)
async def test_two_passing_failures_are_retried(
    make_spec: MakeSpec, provider: str, model: str, failing: Failing
) -> None:
    with FakeModel([failing, failing, Reply("Done.")]) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert len(server.seen) == 3
        assert counted(events) == server.usage
    assert last(events) == Ended(stop=Stop.END, requests=3)


FATAL = [
    (Failing(500, "it broke"), 3, ErrorKind.SERVER),
    (Failing(429, "too many", retry_after="0"), 3, ErrorKind.RATE_LIMIT),
    (Failing(429, "no time is named"), 2, ErrorKind.RATE_LIMIT),
    (Failing(403, "your allowance is used up"), 1, ErrorKind.UNKNOWN),
    (Failing(429, "come back later", retry_after="3600"), 1, ErrorKind.RATE_LIMIT),
    (Failing(402, "no credit"), 1, ErrorKind.QUOTA),
    (Failing(401, "bad key sk-not-a-real-key"), 1, ErrorKind.AUTH),
    (Failing(404, "model does not exist"), 1, ErrorKind.UNSUPPORTED_MODEL),
    (Failing(400, "prompt is too long: 9 tokens > 8 maximum"), 1, ErrorKind.CONTEXT),
    (Failing(400, "roles must alternate"), 1, ErrorKind.BAD_REQUEST),
]


@WIRES
@pytest.mark.parametrize(("failing", "requests", "kind"), FATAL)
async def test_failures_end_the_session(
    make_spec: MakeSpec, provider: str, model: str, failing: Failing, requests: int, kind: ErrorKind
) -> None:
    with FakeModel([failing] * 9) as server:
        (ended,) = await run(server, provider, make_spec(models=(model,)))
        assert len(server.seen) == requests
    assert isinstance(ended, Ended)
    assert ended.stop is Stop.ERROR
    assert ended.requests == requests
    assert ended.error
    assert ended.error.kind is kind
    assert ended.error.text.startswith(f"{model}: {failing.status} ")
    assert "\n" not in ended.error.text
    assert "sk-not-a-real-key" not in ended.error.text
    assert ended.error.retry_after_s == (None if failing.retry_after is None else float(failing.retry_after))


async def test_an_unreachable_provider(make_spec: MakeSpec) -> None:
    env = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "k"}
    async with BuiltinAgent(env | QUICK).open(make_spec(models=("gpt-5.1",))) as session:
        (ended,) = [event async for event in session.events()]
    assert isinstance(ended, Ended)
    assert ended.error
    assert ended.error.kind is ErrorKind.NETWORK
    assert ended.requests == 3


async def test_the_next_model_takes_over(make_spec: MakeSpec, repo: Path) -> None:
    def script(number: int) -> Answer:
        return [
            Reply(calls=[Call("write", {"path": "a", "content": "1"})]),
            Failing(500),
            Failing(500),
            Failing(500),
            Reply("Done."),
        ][number]

    with FakeModel([script(n) for n in range(5)]) as server:
        env = server.env("openai") | server.env("anthropic")
        spec = make_spec(models=("claude-opus-5-5", "gemini-no-key", "openai/gpt-5.1"))
        async with BuiltinAgent(env | QUICK).open(spec) as session:
            events = [event async for event in session.events()]
        assert [seen.asked.model for seen in server.seen] == ["claude-opus-5-5"] * 4 + ["gpt-5.1"]
        assert server.seen[4].asked.results  # the conversation so far goes with it
    assert last(events) == Ended(stop=Stop.END, tool_calls=1, requests=5)
    assert [e.model for e in events if isinstance(e, Usage)] == ["claude-opus-5-5", "openai/gpt-5.1"]


async def test_every_failure_is_told_when_no_model_is_left(make_spec: MakeSpec) -> None:
    with FakeModel([Failing(401, "bad key"), Failing(402, "no credit")]) as server:
        env = server.env("openai") | server.env("anthropic")
        async with BuiltinAgent(env).open(make_spec(models=("gpt-5.1", "claude-opus-5-5"))) as session:
            (ended,) = [event async for event in session.events()]
    assert isinstance(ended, Ended)
    assert ended.error
    assert ended.error.kind is ErrorKind.QUOTA
    assert "no credit" in ended.error.text
    assert "before that gpt-5.1: 401 bad key" in ended.error.text


async def test_a_limit_that_passes_is_told_rather_than_what_the_others_say(make_spec: MakeSpec) -> None:
    """Waiting for the one model helps; nothing helps the other."""
    with FakeModel([Failing(429, "resets in 3 hours"), Failing(401, "bad key")]) as server:
        env = server.env("openai") | server.env("anthropic")
        async with BuiltinAgent(env).open(make_spec(models=("gpt-5.1", "claude-opus-5-5"))) as session:
            (ended,) = [event async for event in session.events()]
    assert isinstance(ended, Ended)
    assert ended.error
    assert (ended.error.kind, ended.error.retry_after_s) == (ErrorKind.RATE_LIMIT, 3 * 3600)
    assert ended.error.model == "gpt-5.1"
    assert "before that claude-opus-5-5: 401 bad key" in ended.error.text


async def test_a_model_that_is_not_served_is_not_asked_again_in_the_run(make_spec: MakeSpec) -> None:
    refused = Failing(400, "model gpt-5.1 is not supported with your account")
    with FakeModel([refused, Reply("Done."), Reply("Done.")]) as server:
        env = server.env("openai") | server.env("anthropic")
        agent = BuiltinAgent(env)
        for _ in range(2):
            async with agent.open(make_spec(models=("gpt-5.1", "claude-opus-5-5"))) as session:
                events = [event async for event in session.events()]
            assert last(events).stop is Stop.END
        assert [seen.asked.model for seen in server.seen] == ["gpt-5.1", "claude-opus-5-5", "claude-opus-5-5"]
        async with agent.open(make_spec(models=("gpt-5.1",))) as session:
            (ended,) = [event async for event in session.events()]
        assert len(server.seen) == 3
    assert isinstance(ended, Ended)
    assert ended.error
    assert ended.error.kind is ErrorKind.UNSUPPORTED_MODEL


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "90500"}, 90.5),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "in a while"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-remaining-tokens": "10", "x-ratelimit-reset-tokens": "6m0s"}, None),
    ],
    ids=range(4),
)
@TWO
async def test_what_the_headers_of_a_limit_say(
    make_spec: MakeSpec, provider: str, model: str, headers: dict[str, str], seconds: float | None
) -> None:
    with FakeModel([Failing(429, "too many requests", headers=headers)] * 3) as server:
        (ended,) = await run(server, provider, make_spec(models=(model,)))
    assert isinstance(ended, Ended)
    assert ended.error
    assert ended.error.kind is ErrorKind.RATE_LIMIT
    assert ended.error.retry_after_s == seconds


BROKEN = [
    Reply("First\nhalf", [Call("list", {})], cut_after=3),
    Reply("First\nhalf", [Call("list", {})], unfinished=True),
]


@WIRES
@pytest.mark.parametrize("broken", BROKEN, ids=["cut", "unfinished"])
async def test_a_stream_that_breaks_off_is_asked_again(
    make_spec: MakeSpec, provider: str, model: str, broken: Reply
) -> None:
    if provider == "google" and broken.cut_after:
        broken = Reply("First\nhalf", [Call("list", {})], cut_after=1)
    with FakeModel([broken, Reply("Done.")]) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert len(server.seen) == 2
        assert server.seen[1].asked.turns == 0
    assert last(events) == Ended(stop=Stop.END, requests=2)


@TWO
async def test_a_stream_that_always_breaks_off(make_spec: MakeSpec, provider: str, model: str) -> None:
    with FakeModel([Reply("First\nhalf", cut_after=2)] * 5) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert len(server.seen) == 3
    error = last(events).error
    assert error
    assert error.kind is ErrorKind.STREAM


async def test_a_server_that_never_says_an_answer_is_complete(make_spec: MakeSpec, repo: Path) -> None:
    call = [Call("write", {"path": "a", "content": "1"})]
    script = [Reply("x", call, unfinished=True), Reply("x", call, unfinished=True), Reply("Done.", unfinished=True)]
    with FakeModel(script) as server:
        events = await run(server, "openai", make_spec(models=("local/odd",)))
    assert last(events) == Ended(stop=Stop.END, tool_calls=1, requests=3)
    assert (repo / "a").exists()


GARBAGE = [
    Garbage(b"<html>proxy says no</html>", "text/html"),
    Garbage(b"{}"),
    Garbage(b"[]"),
    Garbage(b"data: {not json\n\n", "text/event-stream"),
    Garbage(b'data: {"choices": 7}\n\ndata: [DONE]\n\n', "text/event-stream"),
    Garbage(b"data: []\n\n", "text/event-stream"),
    Garbage(b'event: message_start\ndata: {"type":"message_start","message":null}\n\n', "text/event-stream"),
    Garbage(b""),
]


@WIRES
@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda g: g.body[:20].decode() or "nothing")
async def test_garbage_is_an_ending(make_spec: MakeSpec, provider: str, model: str, garbage: Garbage) -> None:
    with FakeModel([garbage] * 9) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert 1 <= len(server.seen) <= 4
    error = last(events).error
    assert error
    assert error.text.startswith(model)
    assert "\n" not in error.text


@WIRES
async def test_empty_answers_are_nudged_and_then_given_up(make_spec: MakeSpec, provider: str, model: str) -> None:
    with FakeModel([Reply(), Reply("Done.")]) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert server.seen[1].asked.texts[-1].startswith("Your answer was empty")
    assert last(events) == Ended(stop=Stop.END, requests=2)
    with FakeModel([Reply()] * 9) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert len(server.seen) == 3
    error = last(events).error
    assert error
    assert "3 answers in a row were empty" in error.text


@WIRES
async def test_an_answer_cut_off_goes_on(make_spec: MakeSpec, provider: str, model: str) -> None:
    with FakeModel([Reply("A long", stop="length"), Reply("story.")]) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert "cut off" in server.seen[1].asked.texts[-1]
        assert server.seen[1].asked.turns == 1
    assert last(events) == Ended(stop=Stop.END, requests=2)


@TWO
async def test_calls_nobody_can_understand(make_spec: MakeSpec, provider: str, model: str) -> None:
    bad = Reply(calls=[Call("write", raw='{"path": "a", "cont'), Call("teleport", {"to": "Mars"})])
    with FakeModel([bad, Reply("Done.")]) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        first, second = server.seen[1].asked.results
        assert "no JSON object" in first
        assert "no tool 'teleport'" in second
    assert last(events) == Ended(stop=Stop.END, tool_calls=2, requests=2)
    with FakeModel([bad] * 9) as server:
        events = await run(server, provider, make_spec(models=(model,)))
        assert len(server.seen) == 5
    error = last(events).error
    assert error
    assert "5 unusable tool calls in a row" in error.text


async def test_endless_calls_are_ended(make_spec: MakeSpec) -> None:
    with FakeModel([Reply(calls=[Call("list", {})])] * 99) as server:
        events = await run(server, "openai", make_spec(models=("gpt-5.1",), max_requests=7))
        assert len(server.seen) == 7
    assert last(events) == Ended(stop=Stop.MAX_REQUESTS, tool_calls=7, requests=7)


async def test_policy_holds_for_the_model_too(make_spec: MakeSpec, repo: Path) -> None:
    calls = [Call("write", {"path": "src/x.py", "content": "x"}), Call("shell", {"command": "touch made"})]
    with FakeModel([Reply(calls=calls), Reply("Done.")]) as server:
        events = await run(server, "openai", make_spec(models=("gpt-5.1",), policy=ToolPolicy.PLANNING))
        assert "shell" not in server.seen[0].asked.tools
    assert [e.refused for e in events if isinstance(e, ToolResult)] == [True, True]
    assert not (repo / "made").exists()


@WIRES
@pytest.mark.parametrize(
    "how",
    [Hanging(), Reply("one\ntwo", hang_after=1), Reply(calls=[Call("shell", {"command": "sleep 60"})])],
    ids=["silent", "midway", "tool"],
)
async def test_cancel_is_quick(make_spec: MakeSpec, provider: str, model: str, how: Answer) -> None:
    events: list[Event] = []
    with FakeModel([how]) as server:
        agent = BuiltinAgent(server.env(provider))
        agent.preload([model])
        async with agent.open(make_spec(models=(model,))) as session, anyio.create_task_group() as tasks:

            async def follow() -> None:
                async for event in session.events():
                    events.append(event)

            tasks.start_soon(follow)
            with anyio.fail_after(20):
                while not server.seen or (isinstance(how, Reply) and how.calls and not _called(events)):  # noqa: ASYNC110
                    await anyio.sleep(0.01)
                began = time.monotonic()
                await session.cancel()
        taken = time.monotonic() - began
        if not (isinstance(how, Reply) and how.calls):
            assert await anyio.to_thread.run_sync(server.hung_up.wait, 10)
    assert last(events).stop is Stop.CANCELLED
    assert taken < 5


@WIRES
@pytest.mark.parametrize("how", [Hanging(), Reply("one\ntwo", hang_after=1)], ids=["silent", "midway"])
async def test_a_request_in_which_nothing_arrives_is_lost(
    make_spec: MakeSpec, provider: str, model: str, how: Answer
) -> None:
    """It is made again as after any break, and what fails so passes by itself."""
    with FakeModel([how] * 9) as server:
        events = await run(server, provider, make_spec(models=(model,), silence_s=0.3))
        assert len(server.seen) == 3
    error = last(events).error
    assert error is not None
    assert passing(error.kind), error


async def test_an_answer_may_take_longer_than_that_as_long_as_something_arrives(make_spec: MakeSpec) -> None:
    with FakeModel([Reply("word\n" * 20, frame_s=0.2)]) as server:
        events = await run(server, "openai", make_spec(models=("gpt-5.1",), silence_s=3))
    assert last(events).stop is Stop.END
    assert last(events).requests == 1


async def test_steering_reaches_the_next_request(make_spec: MakeSpec) -> None:
    with FakeModel([Reply(calls=[Call("list", {})]), Reply("Almost."), Reply("Done.")]) as server:
        async with BuiltinAgent(server.env("openai")).open(make_spec(models=("gpt-5.1",))) as session:
            async for event in session.events():
                if isinstance(event, ToolCall):
                    await session.steer("Time is short.")
                if isinstance(event, Text) and event.text == "Almost.":
                    await session.steer("One more thing.")
        assert server.seen[1].asked.texts == ("Do the task.", "Time is short.")
        assert server.seen[2].asked.texts[-1] == "One more thing."
        assert len(server.seen) == 3


async def test_nothing_goes_on_that_was_not_asked_for(make_spec: MakeSpec, repo: Path) -> None:
    """A consumer that stops at a call sees no file written and no further request made."""
    with FakeModel([Reply(calls=[Call("write", {"path": "a", "content": "1"})]), Reply("Done.")]) as server:
        async with BuiltinAgent(server.env("openai")).open(make_spec(models=("gpt-5.1",))) as session:
            async for event in session.events():
                if isinstance(event, ToolCall):
                    break
        assert len(server.seen) == 1
    assert not (repo / "a").exists()


def _called(events: Sequence[Event]) -> bool:
    return any(isinstance(event, ToolCall) for event in events)


@pytest.mark.parametrize(
    ("models", "kind", "part"),
    [
        (("claude-opus-5-5",), ErrorKind.AUTH, "ANTHROPIC_API_KEY is not set. export ANTHROPIC_API_KEY="),
        (("nobody",), ErrorKind.UNSUPPORTED_MODEL, "'nobody' is no model name. A name is claude-…"),
        ((), ErrorKind.UNSUPPORTED_MODEL, "no model is configured"),
    ],
)
async def test_a_model_that_cannot_be_asked(
    make_spec: MakeSpec, models: tuple[str, ...], kind: ErrorKind, part: str
) -> None:
    async with BuiltinAgent({"OPENAI_API_KEY": "k"}).open(make_spec(models=models)) as session:
        (ended,) = [event async for event in session.events()]
    assert isinstance(ended, Ended)
    assert ended.error
    assert ended.error.kind is kind
    assert part in ended.error.text
    assert ended.requests == 0


async def test_keys_are_not_for_tools(make_spec: MakeSpec) -> None:
    with FakeModel([Reply(calls=[Call("shell", {"command": "env"})]), Reply("Done.")]) as server:
        events = await run(server, "openai", make_spec(models=("gpt-5.1",)))
    (result,) = [event for event in events if isinstance(event, ToolResult)]
    assert result.ok
    assert "sk-not-a-real-key" not in result.text


async def test_by_prompt_serves_many_sessions_at_once(make_spec: MakeSpec, repo: Path) -> None:
    script = ByPrompt(
        {
            "task one": [Reply(calls=[Call("write", {"path": "one", "content": "1"})]), Reply("Done.")],
            "task two": [Reply(calls=[Call("write", {"path": "two", "content": "2"})]), Reply("Done.")],
        }
    )
    ended: list[Ended] = []
    with FakeModel(script) as server:

        async def work(prompt: str) -> None:
            ended.append(last(await run(server, "anthropic", make_spec(models=("claude-opus-5-5",), prompt=prompt))))

        async with anyio.create_task_group() as tasks:
            for prompt in ("do task one", "do task two"):
                tasks.start_soon(work, prompt)
        failing = await run(server, "anthropic", make_spec(models=("claude-opus-5-5",), prompt="something else"))
    assert [end.stop for end in ended] == [Stop.END, Stop.END]
    assert (repo / "one").exists()
    assert (repo / "two").exists()
    assert last(failing).stop is Stop.ERROR
