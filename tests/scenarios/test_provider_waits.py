"""A provider that fails for a while: the run waits, costs nothing meanwhile, and goes on by itself."""

import json
import os
import signal
import time

import pytest

from fakemodel.replies import Asked, Failing, Hanging, Reply
from fakemodel.server import FakeModel
from milepost.rules import limits, waits
from milepost.rules.provider_errors import ErrorKind, passing
from milepost.testing import projects
from scenarios.honest_model import LIMIT, Moody, first
from scenarios.stage import BLOCKED, DONE, ERROR, INTERRUPTED, PAUSED, Stage, finish, wait_until

TASK = "execute-task/M001/S01/T01"
MODEL = "openai/gpt-5.5"
PATIENCE_S = 90


@pytest.fixture
def quick(stage: Stage) -> Stage:
    """A tiny project, where our own delays are a thousandth as long."""
    stage.make()
    stage.env[limits.SCALE] = "0.001"
    return stage


def auto(stage: Stage, server: FakeModel, *args: str) -> tuple[str, ...]:
    stage.env |= server.env("openai")
    return ("auto", "--model", MODEL, *args)


def free(stage: Stage) -> bool:
    """Nothing was held against the task but the attempt that was finished."""
    results = [e["result"] for e in stage.events("attempt-ended")]
    return set(results) <= {"committed", "provider-error"}


PASSING = [
    pytest.param(Failing(429, "slow down"), ErrorKind.RATE_LIMIT, marks=pytest.mark.covers("error:rate-limit")),
    pytest.param(Failing(503, "overloaded"), ErrorKind.SERVER, marks=pytest.mark.covers("error:server")),
    pytest.param(
        Failing(408, "the connection timed out"), ErrorKind.NETWORK, marks=pytest.mark.covers("error:network")
    ),
    pytest.param(Reply("Half an ans", cut_after=2), ErrorKind.STREAM, marks=pytest.mark.covers("error:stream")),
    pytest.param(
        Failing(403, "the well is dry, come back when the moon is full"),
        ErrorKind.UNKNOWN,
        marks=pytest.mark.covers("error:unknown"),
    ),
]


@pytest.mark.covers("promise:transient-resume")
@pytest.mark.spec(id="PR-238")
@pytest.mark.parametrize(("failing", "kind"), PASSING, ids=lambda value: str(value) if isinstance(value, str) else "")
def test_what_passes_by_itself_is_waited_for(quick: Stage, failing: Failing | Reply, kind: ErrorKind) -> None:
    """Nothing is charged: neither an attempt nor a cent; and nobody has to do anything."""
    with FakeModel(first(5, failing)) as server:
        ran = quick.gsd(*auto(quick, server)).require(DONE)
    begun = quick.events("wait-began")
    assert begun
    assert {e["kind"] for e in begun} == {str(kind)}
    assert {e["unit"] for e in begun} == {TASK}
    assert [e["number"] for e in begun] == list(range(1, len(begun) + 1))
    assert len(quick.events("wait-ended")) == len(begun)
    assert "waiting for the provider until" in ran.out
    assert free(quick)
    quick.require_landed()


@pytest.mark.covers("promise:transient-resume")
def test_nobody_is_asked_before_the_time_that_the_provider_names(quick: Stage) -> None:
    """Longer than a session waits by itself, as these things go: it must be the run that waits."""
    with FakeModel(first(1, Failing(429, "slow down", headers={"retry-after-ms": "61000"}))) as server:
        process = quick.begin(*auto(quick, server))
        wait_until(lambda: quick.events("wait-began"), seconds=PATIENCE_S)
        [wait] = quick.events("wait-began")
        asked = server.seen[0]
        assert asked
        assert int(str(wait["resumeAtMs"])) - int(str(wait["atMs"])) > 55_000
        status = quick.gsd("status").require(DONE).out
        assert "waiting for the provider until" in status.lower()
        assert "slow down" in status
        process.send_signal(signal.SIGTERM)
        finish(process).require(INTERRUPTED)
        assert len(server.seen) == 1


@pytest.mark.covers("promise:transient-resume")
def test_a_run_that_is_started_again_waits_for_the_rest(quick: Stage) -> None:
    with FakeModel(first(1, Failing(429, "resets in 70 seconds"))) as server:
        process = quick.begin(*auto(quick, server))
        wait_until(lambda: quick.events("wait-began"), seconds=PATIENCE_S)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        again = quick.begin(*auto(quick, server))
        wait_until(lambda: len(quick.events("run-started")) == 2, seconds=PATIENCE_S)
        time.sleep(1.0)
        assert len(server.seen) == 1, "it hammers"
        assert len(quick.events("wait-began")) == 1
        quick.gsd("pause").require(DONE)
        finish(again, seconds=PATIENCE_S).require(PAUSED)
        assert len(server.seen) == 1
        # Whoever cannot wait says so.
        quick.gsd(*auto(quick, server, "--retry")).require(DONE)
    quick.require_landed()


def test_it_gives_up_after_so_many_waits_and_says_why(quick: Stage) -> None:
    with FakeModel(lambda _: Failing(429, "your ration is gone", retry_after="0")) as server:
        ran = quick.gsd(*auto(quick, server)).require(PAUSED)
    assert "your ration is gone" in ran.out
    assert f"{waits.MOST + 1} times in a row" in ran.out
    assert len(quick.events("wait-began")) == waits.MOST
    resumes = [int(str(e["resumeAtMs"])) - int(str(e["atMs"])) for e in quick.events("wait-began")]
    assert resumes[-1] > resumes[1], "it grows"
    [ended] = quick.events("run-ended")
    assert (ended["state"], ended["passing"]) == ("paused", True)
    assert free(quick)


LASTING = [
    pytest.param(Failing(401, "bad key"), marks=pytest.mark.covers("error:auth")),
    pytest.param(Failing(402, "payment required"), marks=pytest.mark.covers("error:quota")),
    pytest.param(Failing(404, "the model does not exist"), marks=pytest.mark.covers("error:unsupported-model")),
    pytest.param(Failing(400, "roles must alternate"), marks=pytest.mark.covers("error:bad-request")),
]


@pytest.mark.parametrize("failing", LASTING, ids=["auth", "quota", "unsupported-model", "bad-request"])
def test_what_does_not_pass_is_not_waited_for(quick: Stage, failing: Failing) -> None:
    with FakeModel(lambda _: failing) as server:
        ran = quick.gsd(*auto(quick, server)).require(PAUSED)
        assert len(server.seen) == 1
    assert failing.message in ran.out
    assert not quick.events("wait-began")
    assert quick.events("run-ended")[0]["passing"] is False


CHARGED = [
    pytest.param(
        Failing(400, "prompt is too long: 9 tokens > 8 maximum"), "too long", marks=pytest.mark.covers("error:context")
    ),
    pytest.param(Reply(""), "were empty", marks=pytest.mark.covers("error:no-answer")),
]


@pytest.mark.parametrize(("failing", "told"), CHARGED, ids=["context", "no-answer"])
def test_a_model_that_gets_nowhere_uses_up_attempts(quick: Stage, failing: Failing | Reply, told: str) -> None:
    """A fresh session may do better, and each costs money: it is tried again, and not for ever."""
    with FakeModel(lambda _: failing) as server:
        ran = quick.gsd(*auto(quick, server)).require(BLOCKED)
    assert told in ran.out
    assert 2 <= quick.attempts("M001/S01/T01") <= 3
    assert not quick.events("wait-began")


@pytest.mark.covers("error:infrastructure")
def test_a_machine_that_is_out_of_something_stops_at_once(quick: Stage) -> None:
    quick.replay(TASK, [{"error": "infrastructure", "text": "[Errno 28] No space left on device"}])
    ran = quick.auto().require(ERROR)
    assert "No space left on device" in ran.said
    assert quick.attempts() == 1
    assert not quick.events("wait-began")
    assert quick.events("run-ended")[0]["state"] == "error"


@pytest.mark.covers("error:diverged")
def test_a_recording_that_does_not_fit_is_not_waited_for(quick: Stage) -> None:
    quick.replay(TASK, [{"error": "diverged", "text": "step 3 is another"}])
    quick.auto().require(PAUSED)
    assert quick.attempts() == 1


@pytest.mark.covers("key:models.PHASE.fallbacks")
@pytest.mark.parametrize("failing", [Failing(503, "overloaded", retry_after="0"), Failing(404, "no such model")])
def test_the_next_model_is_asked_only_where_it_is_listed(quick: Stage, failing: Failing) -> None:
    settings = (quick.state / "PREFERENCES.md").read_text()
    listed = "models:\n  execution:\n    model: openai/gpt-5.5\n    fallbacks: [claude-opus-5-5]\n"
    quick.prefer(settings.replace("---\n", f"---\n{listed}", 1))

    def mood(number: int, asked: Asked) -> Failing | None:
        return failing if asked.model == "gpt-5.5" and "Execute task" in asked.texts[0] else None

    with FakeModel(Moody(mood)) as server:
        quick.env |= server.env("openai") | server.env("anthropic")
        quick.gsd("auto").require(DONE)
        tried = sum(seen.asked.model == "gpt-5.5" and "Execute task" in seen.asked.texts[0] for seen in server.seen)
    used = {str(e["attempt"]): e["model"] for e in quick.events("usage-reported")}
    assert used[next(name for name in used if ".execute-task." in name)] == "claude-opus-5-5"
    assert tried == (3 if failing.status == 503 else 1), "the same model first, where that may help"
    assert not quick.events("wait-began")


def test_without_a_list_no_other_model_is_asked(quick: Stage) -> None:
    with FakeModel(lambda _: Failing(404, "no such model")) as server:
        quick.env |= server.env("openai") | server.env("anthropic")
        quick.gsd("auto", "--model", MODEL).require(PAUSED)
        assert {seen.asked.model for seen in server.seen} == {"gpt-5.5"}


def test_a_wait_does_not_count_as_a_unit(quick: Stage) -> None:
    with FakeModel(first(3, LIMIT)) as server:
        quick.env |= server.env("openai")
        quick.gsd("next", "--model", MODEL).require(DONE)
    results = [e["result"] for e in quick.events("attempt-ended")]
    assert results[-1] == "committed"
    assert set(results) == {"provider-error", "committed"}


def test_a_run_with_a_time_limit_does_not_wait_longer(quick: Stage) -> None:
    with FakeModel(first(1, Failing(429, "resets in 3 hours"))) as server:
        ran = quick.gsd("headless", "auto", "--model", MODEL, "--timeout", "15000", **server.env("openai"))
    summary = json.loads(ran.require(ERROR).out.splitlines()[-1])
    assert "time limit" in summary["reason"]
    assert len(quick.events("wait-began")) == 1


@pytest.mark.covers("key:auto_supervisor.provider_timeout_minutes", "promise:transient-resume")
def test_a_provider_that_hangs_is_given_up_and_asked_again_later(stage: Stage) -> None:
    """Each try ends when nothing has come for so long; what the unit cost is nothing, and it goes on by itself."""
    block = "---\nauto_supervisor:\n  provider_timeout_minutes: 0.05\n"
    stage.make(preferences=projects.QUICK.replace("---\n", block, 1))
    stage.env[limits.SCALE] = "0.001"
    with FakeModel(first(3, Hanging())) as server:
        ran = stage.gsd(*auto(stage, server)).require(DONE)
    [begun] = stage.events("wait-began")
    assert passing(ErrorKind(str(begun["kind"])))
    assert begun["unit"] == TASK
    assert "waiting for the provider" in ran.said
    assert free(stage)
    stage.require_landed()
