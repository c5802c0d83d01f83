"""Sessions that take too long, fall silent or fill their window, in a real `gsd auto`.

Limits are a fraction of a minute here. Nothing is asserted about how long anything took: agents that are to be in time
wait until they were spoken to, and those that are not in time never end by themselves.
"""

import os
import signal

import pytest

from milepost.testing import projects
from milepost.testing.projects import Step, hang, raw_shell, say, steps, tool
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage, wait_until

TASK = "execute-task/M001/S01/T01"
SUMMARY = ".gsd/worktrees/M001/.gsd/milestones/M001/slices/S01/tasks/T01-SUMMARY.md"
FULL: Step = {"usage": {"input": 150_000, "output": 1_000, "micro_usd": 1_000, "model": "claude-sonnet-4-5"}}


def prefer(**keys: object) -> str:
    """`QUICK` with keys of its own; a dict becomes a block."""
    lines = []
    for key, value in keys.items():
        block = isinstance(value, dict)
        lines += [f"{key}:", *(f"  {k}: {v}" for k, v in value.items())] if block else [f"{key}: {value}"]  # type: ignore[attr-defined]
    return projects.QUICK.replace("---\n", "---\n" + "\n".join(lines) + "\n", 1)


def until_told(stage: Stage, why: str, times: int = 1) -> Step:
    """A step that goes on when the agent was spoken to for that reason."""
    journal = stage.state / "journal"
    look = f'grep -ho \'"why":"{why}"\' {journal}/*.jsonl | wc -l'
    return raw_shell("sh", "-c", f'until [ "$({look})" -ge {times} ]; do sleep 0.05; done')


def told(stage: Stage) -> list[str]:
    return [str(e["why"]) for e in stage.events("steered")]


@pytest.mark.spec(id="PR-241")
@pytest.mark.covers("key:auto_supervisor.soft_timeout_minutes")
def test_the_soft_limit_is_said_and_the_unit_goes_on(stage: Stage) -> None:
    stage.make(preferences=prefer(auto_supervisor={"soft_timeout_minutes": 0.005}))
    stage.replay(TASK, [until_told(stage, "soft"), *steps(TASK)])
    ran = stage.auto("--max-units", "1").require(DONE)
    assert told(stage)[:1] == ["soft"]
    assert "told the agent (soft): You have been at this for" in ran.said
    assert "T01-SUMMARY.md" in stage.transcript("M001-S01-T01")
    assert stage.attempts() == 1


@pytest.mark.spec(id="PR-241")
@pytest.mark.covers("key:auto_supervisor.idle_timeout_minutes", "promise:timeouts-pause")
def test_a_silent_agent_is_tried_twice_and_then_the_run_pauses(stage: Stage) -> None:
    stage.make(preferences=prefer(auto_supervisor={"idle_timeout_minutes": 0.01}))
    stage.replay(TASK, [hang()])
    ran = stage.auto().require(PAUSED)
    assert stage.attempts() == 2
    assert told(stage) == ["idle"] * 4
    assert f"ran out of time 2 times; expected {SUMMARY}: " in ran.said
    assert "no progress for 0.6 s" in ran.said
    assert "gsd auto --retry M001/S01/T01" in ran.said
    assert [e["result"] for e in stage.events("attempt-ended")] == ["timed-out"] * 2
    first, second = stage.prompts("M001-S01-T01")
    assert "no progress for" not in first
    assert "no progress for 0.6 s" in second
    assert "T01-SUMMARY.md" in second
    assert not (stage.root / SUMMARY).exists()
    again = stage.auto().require(PAUSED)
    assert stage.attempts() == 2
    assert SUMMARY in again.said


@pytest.mark.spec(id="PR-241")
@pytest.mark.covers("key:auto_supervisor.hard_timeout_minutes", "promise:timeouts-pause")
def test_a_busy_agent_that_never_ends_is_ended_after_a_last_word(stage: Stage) -> None:
    stage.make(preferences=prefer(auto_supervisor={"hard_timeout_minutes": 0.004}))
    chatter = [step for number in range(2_000) for step in (say(f"{number}"), {"sleep": 0.05})]
    stage.replay(TASK, chatter)
    ran = stage.auto().require(PAUSED)
    assert stage.attempts() == 2
    assert told(stage).count("hard") == 2
    assert "idle" not in told(stage)
    assert "the limit of 1.44 s passed" in ran.said  # `est:5m` stretches it as far as it may be stretched
    assert SUMMARY in ran.said


def test_a_late_unit_that_is_done_the_second_time_goes_on(stage: Stage) -> None:
    stage.make(preferences=prefer(auto_supervisor={"idle_timeout_minutes": 0.03}))
    stage.replay(TASK, [hang()], steps(TASK))
    stage.auto("--max-units", "2").require(DONE)
    assert [e["result"] for e in stage.events("attempt-ended")] == ["timed-out", "committed"]


def test_work_that_is_there_counts_when_its_session_is_ended(stage: Stage) -> None:
    stage.make(preferences=prefer(auto_supervisor={"idle_timeout_minutes": 0.03}))
    stage.replay(TASK, [*steps(TASK), hang()])
    stage.auto("--max-units", "1").require(DONE)
    assert [e["result"] for e in stage.events("attempt-ended")] == ["committed"]


@pytest.mark.covers("key:context_pause_threshold")
def test_a_window_that_is_full_pauses_the_run_after_the_unit(stage: Stage) -> None:
    stage.make(preferences=prefer(context_pause_threshold=75))
    stage.replay(TASK, [FULL, *steps(TASK)[1:]])
    ran = stage.auto().require(PAUSED)
    assert told(stage) == ["context-pause"]
    assert "filled 75 % of the model's context window; context_pause_threshold is 75" in ran.said
    assert [e["result"] for e in stage.events("attempt-ended")] == ["committed"]
    stage.auto().require(DONE)
    stage.require_landed()


@pytest.mark.covers("key:context_pause_threshold")
@pytest.mark.parametrize("percent", [0, 76])
def test_below_the_threshold_it_is_only_said(percent: int, stage: Stage) -> None:
    stage.make(preferences=prefer(context_pause_threshold=percent))
    stage.replay(TASK, [FULL, *steps(TASK)[1:]])
    ran = stage.auto().require(DONE)
    assert told(stage) == ["context"]
    assert "Your context window is 75 % full" in ran.said
    stage.require_landed()


@pytest.mark.covers("promise:stuck-twice")
def test_the_same_unit_unfinished_twice_gets_one_deep_retry_and_then_the_run_stops(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("shell", command="cat nowhere.txt"), tool("write", path="draft.txt", content="x\n"), say("Done.")])  # fmt: skip
    ran = stage.auto().require(BLOCKED)
    assert stage.attempts() == 3
    assert f"expected {SUMMARY}: " in ran.said
    assert f"Look what keeps {SUMMARY} from being written" in ran.said
    assert "gsd auto --retry M001/S01/T01" in ran.said
    first, second, third = stage.prompts("M001-S01-T01")
    assert ["goes round in circles" in prompt for prompt in (first, second, third)] == [False, False, True]
    for seen in ("T01-SUMMARY.md", "attempt 1 (unfinished)", "attempt 2 (unfinished)", "cat nowhere.txt", "draft.txt"):
        assert seen in third, seen
    assert "was tried 2 times" in third


@pytest.mark.covers("promise:stuck-twice")
def test_what_was_tried_is_counted_over_a_kill(stage: Stage) -> None:
    stage.make()
    begun = stage.root.parent / "begun"
    stage.replay(TASK, [say("Soon.")], [raw_shell("touch", str(begun)), hang()])
    process = stage.start()
    wait_until(begun.exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    stage.script = [projects.session("*", say("Soon."))]
    stage.auto().require(BLOCKED)
    assert stage.attempts() == 3
    assert [e["result"] for e in stage.events("attempt-ended")] == ["unfinished", "crashed", "unfinished"]
    assert "goes round in circles" in stage.prompts("M001-S01-T01")[-1]
    ran = stage.auto().require(BLOCKED)
    assert stage.attempts() == 3
    assert SUMMARY in ran.said
    stage.script = projects.sessions()
    stage.auto("--retry", "M001/S01/T01").require(DONE)
    stage.require_landed()
