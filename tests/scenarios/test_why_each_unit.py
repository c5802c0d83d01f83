"""`gsd why` explains every unit of a run that ended, and why one that stopped did."""

import json
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, Stage

TASK = "execute-task/M001/S01/T01"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project").make(slices=1, tasks=2)


def wrong() -> list[projects.Step]:
    """Everything is there, and the file does not say what the gate wants."""
    return [
        step if "path" not in step.get("args", {}) or "work/" not in step["args"]["path"]  # type: ignore[operator,index]
        else projects.tool("write", path="work/M001-S01-T01.txt", content="nothing\n")
        for step in projects.steps(TASK)
    ]  # fmt: skip


@pytest.mark.covers("command:why")
def test_each_unit_of_a_finished_run(stage: Stage) -> None:
    stage.replay(TASK, wrong(), projects.steps(TASK))
    stage.auto().require(DONE)
    keys = {f"{e['kind']}/{e['unit']}" for e in stage.events("attempt-started")}
    assert len(keys) == 4
    for key in keys:
        told = json.loads(stage.gsd("why", key, "--json").require(DONE).out)
        assert (told["unit"], told["state"]) == (key, "done")
        last = told["attempts"][-1]
        assert last["commit"] and last["because"] and last["agent"] == "scripted"
        assert (stage.root / last["transcript"]).is_file()
        assert told["landed"].startswith("on main as ")
    told = json.loads(stage.gsd("why", TASK, "--json").out)
    assert [one["result"] for one in told["attempts"]] == ["verify-failed", "committed"]
    # The record of the first attempt was replaced by the second; its own words are in the journal.
    assert told["attempts"][1]["checks"][0]["exitCode"] == 0
    assert "exit" in told["attempts"][0]["reason"]
    text = stage.gsd("why", "M001").require(DONE).out
    assert text.startswith("M001 (Small files) is merged.")
    assert "landed     M001 on main as" in stage.gsd("why").require(DONE).out


@pytest.mark.covers("command:why")
def test_a_run_that_is_blocked_names_cause_evidence_and_command(stage: Stage) -> None:
    stage.replay(TASK, *[[projects.usage(micro_usd=5)]] * 3)
    stage.auto().require(BLOCKED)
    told = json.loads(stage.gsd("why", "--json").require(DONE).out)
    assert told["state"] == "blocked"
    assert told["lastAttempt"]["result"] == "unfinished"
    assert told["next"].endswith("gsd auto --retry M001/S01/T01")
    assert "T01-SUMMARY.md: was not written" in told["cause"]
    assert stage.gsd("why", "paused").out.startswith("It is not paused. It is blocked")
