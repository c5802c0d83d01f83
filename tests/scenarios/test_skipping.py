"""`gsd skip`: the work goes on without it, nobody takes it for done, and it can be taken back."""

from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage

HOME = ".gsd/milestones/M001"


@pytest.fixture
def plan(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project").make(slices=2, tasks=2)


def tried(stage: Stage) -> list[str]:
    return [f"{e['kind']}/{e['unit']}" for e in stage.events("attempt-started")]


@pytest.mark.covers("command:skip")
@pytest.mark.parametrize("name", ["T02", "M001/S01/T02", "execute-task/M001/S01/T02"])
def test_a_skipped_task_is_not_worked_and_says_so(plan: Stage, name: str) -> None:
    plan.auto("--max-units", "1").require(DONE)
    ran = plan.gsd("skip", name, "--reason", "nobody needs it").require(DONE)
    assert "M001/S01/T02 is skipped" in ran.said
    assert plan.git("status", "--porcelain", where=plan.worktree) == ""
    plan.auto().require(DONE)
    assert "execute-task/M001/S01/T02" not in tried(plan)
    record = plan.git("show", f"main:{HOME}/slices/S01/tasks/T02-SUMMARY.md")
    assert "status: skipped" in record
    assert "**Skipped by a person: nobody needs it**" in record
    assert "- [x] **T02" in plan.git("show", f"main:{HOME}/slices/S01/S01-PLAN.md")
    assert "Skipped by a person" in plan.prompts("M001-S01")[0]


@pytest.mark.covers("command:skip")
def test_a_skipped_slice_warns_those_that_build_on_it(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make(slices=2)
    path = stage.path("M001-ROADMAP.md")
    path.write_text(
        path.read_text().replace("Slice S02** `risk:low` `depends:[]`", "Slice S02** `risk:low` `depends:[S01]`")
    )
    ran = stage.gsd("skip", "S01").require(DONE)
    assert "M001/S02 was to build on it" in ran.said
    stage.auto().require(DONE)
    assert not [unit for unit in tried(stage) if "S01" in unit]
    assert "status: skipped" in stage.git("show", f"main:{HOME}/slices/S01/S01-SUMMARY.md")


@pytest.mark.covers("command:skip")
def test_what_was_skipped_is_due_again_when_that_is_taken_back(plan: Stage) -> None:
    plan.auto("--max-units", "1").require(DONE)
    plan.gsd("skip", "T02").require(DONE)
    assert "is skipped already" in plan.gsd("skip", "M001/S01/T02").require(BLOCKED).said
    plan.gsd("skip", "M001/S01/T02", "--undo").require(DONE)
    assert "was not skipped" in plan.gsd("skip", "M001/S01/T02", "--undo").require(BLOCKED).said
    plan.auto().require(DONE)
    assert "execute-task/M001/S01/T02" in tried(plan)
    assert [e.get("takenBack", False) for e in plan.events("unit-skipped")] == [False, True]


@pytest.mark.covers("command:skip")
def test_a_unit_that_leaves_a_document_is_skipped_by_its_key(tmp_path: Path) -> None:
    text = projects.QUICK.replace("skip_milestone_validation: true", "skip_milestone_validation: false")
    stage = Stage(root=tmp_path / "project").make(preferences=text)
    stage.auto("--until", "M001/S01").require(DONE)
    stage.gsd("skip", "validate-milestone/M001", "--reason", "seen it").require(DONE)
    stage.auto().require(DONE)
    assert "validate-milestone/M001" not in tried(stage)
    assert "seen it" in stage.git("show", f"main:{HOME}/M001-VALIDATION.md")


@pytest.mark.covers("command:skip")
def test_a_task_whose_gate_broke_can_be_skipped(plan: Stage) -> None:
    """Its attempt is open; the next run must not take the record for the agent's and put it away."""
    path = plan.path("slices/S01/S01-PLAN.md")
    gate = f"grep -q M001/S01/T01 {projects.product('M001', 'S01', 'T01')}"
    assert gate in path.read_text()
    path.write_text(path.read_text().replace(gate, "sh die.sh"))
    (plan.root / "die.sh").write_text("kill -9 $$\n")
    plan.git("add", "die.sh", ".gsd")
    plan.git("commit", "-qm", "a gate that breaks")
    assert plan.auto().code in (PAUSED, BLOCKED)
    plan.gsd("skip", "T01").require(DONE)
    plan.auto().require(DONE)
    assert "status: skipped" in plan.git("show", f"main:{HOME}/slices/S01/tasks/T01-SUMMARY.md")


@pytest.mark.covers("command:skip")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("T01", "is done already"),
        ("S07", "no slice S07"),
        ("T07", "no task T07"),
        ("M001", "gsd park M001"),
        ("complete-milestone/M001", "gsd park M001"),
        ("rewrite-docs/M001/S01", "cannot be skipped"),
    ],
)
def test_what_cannot_be_skipped_is_refused(plan: Stage, name: str, says: str) -> None:
    plan.auto("--max-units", "1").require(DONE)
    assert says in plan.gsd("skip", name).require(BLOCKED).said
    assert not plan.events("unit-skipped")
