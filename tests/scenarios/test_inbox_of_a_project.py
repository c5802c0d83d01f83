"""`gsd inbox` of a project without a fleet, after real runs."""

import json
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage

TASK = "execute-task/M001/S01/T01"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project").make()


def rows(stage: Stage) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(stage.gsd("inbox", "--json").require(DONE).out)
    return found


@pytest.mark.covers("command:inbox")
def test_a_gate_that_fails_waits_until_it_is_mended(stage: Stage) -> None:
    honest = projects.steps(TASK)
    wrong = [{**step, "args": {**step["args"], "content": "no\n"}} if "work/" in str(step) else step for step in honest]  # type: ignore[dict-item]
    stage.replay(TASK, *[wrong] * 3, honest)
    stage.auto().require(PAUSED)
    (row,) = rows(stage)
    assert (row["kind"], row["milestoneId"]) == ("gate", "M001")
    assert "gsd auto --retry M001/S01/T01" in str(row["next"])
    assert row["details"], row
    assert "1 thing for you: gsd inbox" in stage.gsd("status").out
    stage.auto("--retry", "M001/S01/T01").require(DONE)
    assert stage.gsd("inbox").out == "Nothing waits for you.\n"


def test_a_conflict_of_an_auto_mode_is_said_once(stage: Stage) -> None:
    stage.replay(TASK, [*projects.steps(TASK), projects.tool("write", path="src/app.txt", content="theirs\n")])
    stage.gsd("auto", "--agent", stage.agent(), "--max-units", "1").require(DONE)
    (stage.root / "src/app.txt").write_text("mine\n")
    stage.git("commit", "-qam", "mine")
    stage.auto().require(BLOCKED)
    (row,) = rows(stage)
    assert (row["kind"], row["milestoneId"]) == ("conflict", "M001")
    assert "src/app.txt" in str(row)
