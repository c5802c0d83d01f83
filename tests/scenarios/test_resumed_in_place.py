"""In modes branch and none a resumed run takes nothing of the user's into its commits."""

import pytest

from conftest import run_git
from milepost.testing.projects import QUICK, say, steps, tool
from scenarios.stage import BLOCKED, DONE, Stage

FIRST = "execute-task/M001/S01/T01"


@pytest.mark.parametrize("mode", ["branch", "none"])
def test_work_of_the_user_between_two_runs_is_not_committed(stage: Stage, mode: str) -> None:
    stage.make(tasks=2, preferences=QUICK.replace("---\nphases", f"---\ngit:\n  isolation: {mode}\nphases"))
    stage.auto("--max-units", "1").require(DONE)
    (stage.root / "notes.txt").write_text("mine\n")
    (stage.root / "README.md").write_text("mine too\n")
    ran = stage.auto().require(BLOCKED)
    assert "changes of yours" in ran.said
    assert "notes.txt" in ran.said
    assert (stage.root / "notes.txt").read_text() == "mine\n"
    (stage.root / "notes.txt").unlink()
    run_git(stage.root, "checkout", "-q", "README.md")
    stage.auto().require(DONE)
    assert "mine" not in run_git(stage.root, "log", "-p", "--all")


@pytest.mark.parametrize("mode", ["branch", "none"])
def test_what_a_failed_attempt_left_is_not_the_users(stage: Stage, mode: str) -> None:
    stage.make(preferences=QUICK.replace("---\nphases", f"---\ngit:\n  isolation: {mode}\nphases"))
    half = [tool("write", path="half.txt", content="half\n"), say("That will do.")]
    stage.replay(FIRST, half, steps(FIRST))
    stage.auto("--max-units", "1")
    assert (stage.root / "half.txt").exists()
    stage.auto().require(DONE)


def test_a_box_that_the_program_ticked_is_not_laid_to_the_agent(stage: Stage) -> None:
    stage.make()
    hook = stage.root / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho no\nexit 1\n")
    hook.chmod(0o755)
    ran = stage.auto()
    assert "a commit hook refused" in ran.said
    hook.unlink()
    again = stage.auto().require(DONE)
    assert "ticked" not in again.said
