"""Gates that fail, never pass, break, leave processes behind: retried, paused, or not held against the agent."""

import json
import os
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import steps, tool
from scenarios.stage import DONE, PAUSED, Stage, wait_until

TASK = "execute-task/M001/S01/T01"
PRODUCT = "work/M001-S01-T01.txt"
LOUD = f"echo 'AssertionError on stdout'\necho 'warning on stderr' >&2\ngrep -q final {PRODUCT}\n"


def gated(stage: Stage, script: str, **shape: object) -> Path:
    """A project whose gate is this shell script, which lies outside of what the agent can change."""
    gate = stage.root.parent / "gate.sh"
    gate.write_text(script)
    stage.make(verify=f"sh {gate}", **shape)
    return gate


def work(text: str) -> list[projects.Step]:
    return [*steps(TASK), tool("write", path=PRODUCT, content=text)]


@pytest.mark.covers("key:verification_max_retries")
def test_a_gate_that_fails_twice_and_then_passes(stage: Stage) -> None:
    gated(stage, LOUD)
    stage.replay(TASK, work("first\n"), work("second\n"), work("final\n"))
    ran = stage.auto().require(DONE)
    assert ran.out.count("the gate failed") == 2
    assert stage.attempts("M001/S01/T01") == 3
    first, *retries = stage.prompts("M001-S01-T01")
    assert "AssertionError on stdout" not in first
    for prompt in retries:
        assert "AssertionError on stdout" in prompt
        assert "warning on stderr" in prompt
    stage.require_landed()
    assert (stage.root / PRODUCT).read_text() == "final\n"


def test_the_failure_of_one_task_is_not_told_to_another(stage: Stage) -> None:
    gated(stage, f"echo 'failure of one'\ntest ! -f {PRODUCT} || grep -q final {PRODUCT}\n", tasks=2)
    stage.replay(TASK, work("first\n"), work("final\n"))
    stage.auto().require(DONE)
    assert "failure of one" in stage.prompts("M001-S01-T01")[1]
    assert "failure of one" not in stage.prompts("M001-S01-T02")[0]


def test_a_gate_that_never_passes_pauses_with_its_evidence(stage: Stage) -> None:
    gated(stage, LOUD)
    ran = stage.auto().require(PAUSED)
    assert stage.attempts() == 3
    assert "the gate failed 3 times" in ran.out
    assert "exit code 1" in ran.out
    assert "gsd auto --retry M001/S01/T01" in ran.out
    evidence = ".gsd/milestones/M001/slices/S01/tasks/T01-VERIFY.json"
    assert f".gsd/worktrees/M001/{evidence}" in ran.out
    assert json.loads((stage.worktree / evidence).read_text())["passed"] is False
    assert "- [ ] **T01" in stage.path("slices/S01/S01-PLAN.md", where=stage.worktree).read_text()
    assert (stage.worktree / PRODUCT).exists()

    again = stage.auto().require(PAUSED)
    assert stage.attempts() == 3
    assert "the gate failed 3 times" in again.out

    stage.replay(TASK, work("final\n"))
    stage.auto("--retry", "M001/S01/T01").require(DONE)
    assert stage.attempts("M001/S01/T01") == 4
    stage.require_landed()


@pytest.mark.covers("key:verification_max_retries", "key:verification_auto_fix")
@pytest.mark.parametrize("setting", ["verification_max_retries: 0", "verification_auto_fix: false"])
def test_a_failed_gate_is_not_retried_when_nobody_wants_that(stage: Stage, setting: str) -> None:
    gated(stage, LOUD, preferences=projects.QUICK.replace("---\n", f"---\n{setting}\n", 1))
    ran = stage.auto().require(PAUSED)
    assert stage.attempts() == 1
    assert "the gate failed" in ran.out


def test_a_mended_plan_is_tried_afresh(stage: Stage) -> None:
    gated(stage, LOUD)
    stage.auto().require(PAUSED)
    plan = stage.path("slices/S01/S01-PLAN.md", where=stage.worktree)
    plan.write_text(plan.read_text().replace(f"sh {stage.root.parent}/gate.sh", f"grep -q made {PRODUCT}"))
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 4


BROKEN = {
    "killed": ("kill -KILL $$", "SIGKILL"),
    "terminated": ("kill -TERM $$", "SIGTERM"),
    "missing program": ("no-such-program-at-all", "missing"),
    "no test ran": ("echo 'collected 0 items'; echo '= no tests ran in 0.01s ='; exit 5", "no test ran"),
    "nothing ran and that is fine": ("echo 'Ran 0 tests in 0.000s'; exit 0", "no test ran"),
    "no room": ("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1", "harness"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_gate_that_breaks_is_inconclusive_and_not_charged(stage: Stage, name: str) -> None:
    script, word = BROKEN[name]
    gate = gated(stage, script + "\n")
    ran = stage.auto().require(PAUSED)
    assert "could not be judged" in ran.out
    assert word in ran.out
    assert ".gsd/worktrees/M001/.gsd/milestones/M001/slices/S01/tasks/T01-VERIFY.json" in ran.out
    assert stage.attempts() == 1
    assert not stage.events("attempt-ended")
    assert "- [ ] **T01" in stage.path("slices/S01/S01-PLAN.md", where=stage.worktree).read_text()

    stage.auto().require(PAUSED)
    assert stage.attempts() == 1

    gate.write_text("exit 0\n")
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1
    assert stage.log()[0].startswith("feat(M001)")


def test_a_gate_that_breaks_once_is_run_again_at_once(stage: Stage) -> None:
    gated(stage, "test -f /tmp/none || test -f ran || { touch ran; kill -KILL $$; }\nrm ran\n")
    ran = stage.auto().require(DONE)
    assert "running it once more" in ran.out


def test_code_that_crashes_is_the_agents(stage: Stage) -> None:
    gated(stage, f"grep -q final {PRODUCT} || kill -SEGV $$\n")
    stage.replay(TASK, work("first\n"), work("final\n"))
    ran = stage.auto().require(DONE)
    assert "crashed with SIGSEGV" in ran.out
    assert stage.attempts("M001/S01/T01") == 2


@pytest.mark.parametrize("how", ["sleep 300 &", "setsid sleep 300 &", "(sleep 300 & sleep 300) &"])
def test_what_a_gate_leaves_behind_is_ended(stage: Stage, how: str) -> None:
    pids = stage.root.parent / "pids"
    gated(stage, f"{how}\necho $! >> leftovers.txt\nexit 0\n")
    stage.auto().require(DONE)
    pids = stage.root / "leftovers.txt"
    for line in pids.read_text().split():
        wait_until(lambda pid=line: not _alive(int(pid)))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")


def test_a_gate_that_asks_a_question_gets_no_answer(stage: Stage) -> None:
    gated(stage, "printf 'Continue? '\nread answer || echo 'nobody there'\n")
    stage.auto().require(DONE)
    [evidence] = stage.path("slices/S01/tasks").glob("T01-VERIFY.json")
    assert "nobody there" in evidence.read_text()


def test_a_gate_sees_no_key(stage: Stage) -> None:
    gated(stage, "env\n")
    stage.auto(ANTHROPIC_API_KEY="sk-ant-very-secret-value", GITHUB_TOKEN="ghp_secret_secret").require(DONE)
    for file in (*stage.state.rglob("*.json"), *stage.state.rglob("*.jsonl")):
        assert "very-secret" not in file.read_text()
        assert "ghp_secret" not in file.read_text()


@pytest.mark.covers("key:verification_commands")
def test_the_projects_commands_come_before_the_plans(stage: Stage) -> None:
    preferences = projects.QUICK.replace("---\n", "---\nverification_commands: [test -d work, test -f README.md]\n", 1)
    stage.make(verify="false", preferences=preferences)
    ran = stage.auto().require(DONE)
    assert "pass, 2 commands" in ran.out


def test_prose_is_not_run_and_that_is_said(stage: Stage) -> None:
    stage.make(verify="Open the page and check that it renders")
    ran = stage.auto().require(DONE)
    assert "not run by the gate" in ran.out


@pytest.mark.covers("key:verification_commands")
def test_code_that_a_summing_up_changes_is_gated_too(stage: Stage) -> None:
    unit = "complete-slice/M001/S01"
    preferences = projects.QUICK.replace("---\n", "---\nverification_commands: ['grep -q two src/app.txt']\n", 1)
    stage.make(preferences=preferences)
    stage.replay(unit, [tool("write", path="src/app.txt", content="broken\n"), *steps(unit)])
    ran = stage.auto().require(PAUSED)
    assert "gate of complete-slice M001/S01: fail" in ran.out
