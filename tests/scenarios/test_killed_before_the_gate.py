"""`kill -9` after a session has written everything and before its gate: every command says the same, and it is true."""

import os
import signal
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, Stage, wait_until

TASK = "execute-task/M001/S01/T02"
SAID = "execute-task M001/S01/T02 was begun and is not settled yet"
NEXT = "gsd auto settles it first"


def killed(tmp_path: Path, *steps: projects.Step, isolation: str = "worktree") -> Stage:
    """T01 is done; the session of T02 did these steps and then its run was killed."""
    text = projects.QUICK.replace("---\n", f"---\ngit: {{isolation: {isolation}}}\n", 1)
    stage = Stage(root=tmp_path / "project").make(slices=2, tasks=2, preferences=text)
    flag = tmp_path / "killed"
    once = projects.raw_shell("sh", "-c", f"test -e '{flag}' || {{ touch '{flag}'; kill -9 $PPID; }}")
    stage.replay(TASK, [*steps, once], projects.steps(TASK))
    assert stage.auto().code == -signal.SIGKILL
    return stage


@pytest.mark.covers("command:undo", "command:skip", "command:doctor", "command:dispatch")
@pytest.mark.parametrize("isolation", ["worktree", "branch", "none"])
def test_all_say_that_it_is_settled_first_and_so_it_is(tmp_path: Path, isolation: str) -> None:
    stage = killed(tmp_path, *projects.steps(TASK), isolation=isolation)
    before = len(stage.events())
    for words in (
        ("undo",), ("undo", "M001/S01/T02", "--force"), ("undo", "M001/S01/T01", "--force"), ("skip", "T02"),
        ("dispatch", "execute", "M001/S01/T02"),
    ):  # fmt: skip
        ran = stage.gsd(*words).require(BLOCKED)
        assert SAID in ran.said and NEXT in ran.said, words
    looked = stage.gsd("doctor").said
    assert "T02 is not ticked" in looked and NEXT in looked
    assert "tick it;" not in looked
    assert len(stage.events()) == before
    stage.auto("--until", "M001/S01/T02").require(DONE)
    assert stage.attempts("M001/S01/T02") == 1
    assert "T02 is not ticked" not in stage.gsd("doctor").said
    assert "is done already" in stage.gsd("skip", "M001/S01/T02").require(BLOCKED).said
    stage.gsd("undo", "M001/S01/T02", "--force").require(DONE)
    stage.gsd("skip", "M001/S01/T02").require(DONE)


@pytest.mark.covers("command:skip")
def test_what_was_only_begun_is_skipped_at_once(tmp_path: Path) -> None:
    stage = killed(tmp_path)
    stage.gsd("skip", "T02").require(DONE)
    assert "execute-task M001/S01/T01" in stage.gsd("undo").require(DONE).said
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T02") == 1


@pytest.mark.covers("command:doctor")
def test_while_the_run_lives_nobody_is_asked_to_tick_either(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make(tasks=2)
    stage.replay(TASK, [*projects.steps(TASK), projects.hang()])
    run = stage.start()
    try:
        wait_until(lambda: list(stage.worktree.rglob("T02-SUMMARY.md")), seconds=40)
        looked = stage.gsd("doctor").said
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    assert "A run is at work on it, and ticks it when its gate has passed." in looked
    assert "tick it;" not in looked
