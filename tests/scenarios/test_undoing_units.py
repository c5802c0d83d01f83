"""`gsd undo`: units of an open milestone taken back, code and plan, in the milestone's own worktree."""

from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import steps, tool
from scenarios.stage import BLOCKED, DONE, Stage, finish, picture, wait_until

HOME = ".gsd/milestones/M001"


@pytest.fixture
def plan(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project").make(slices=2, tasks=2)


def product(stage: Stage, sid: str, tid: str) -> Path:
    return stage.worktree / projects.product("M001", sid, tid)


def boxes(stage: Stage, path: str) -> list[str]:
    text = (stage.worktree / HOME / path).read_text()
    return [line[3] for line in text.splitlines() if line.startswith("- [")]


@pytest.mark.covers("command:undo")
def test_the_last_unit_is_shown_then_taken_back_then_done_again(plan: Stage) -> None:
    (plan.root / "mine.txt").write_text("of the user\n")
    plan.auto("--max-units", "2").require(DONE)
    before, tip = picture(plan.root), plan.git("rev-parse", "milestone/M001")
    shown = plan.gsd("undo").require(DONE)
    assert "execute-task M001/S01/T02" in shown.said
    assert "--force" in shown.said
    assert plan.git("rev-parse", "milestone/M001") == tip
    plan.gsd("undo", "--yes").require(DONE)
    assert not product(plan, "S01", "T02").exists()
    assert product(plan, "S01", "T01").exists()
    assert boxes(plan, "slices/S01/S01-PLAN.md") == ["x", " "]
    assert not (plan.worktree / HOME / "slices/S01/tasks/T02-SUMMARY.md").exists()
    assert list(plan.state.glob("runtime/set-aside/undo-*/milestones/M001/slices/S01/tasks/T02-SUMMARY.md"))
    assert plan.git("status", "--porcelain", where=plan.worktree) == ""
    assert tip.strip() in plan.git("for-each-ref", "--format=%(objectname)", "refs/gsd/backup/M001")
    assert picture(plan.root) == before
    assert "execute-task M001/S01/T01" in plan.gsd("undo").require(DONE).said
    plan.auto().require(DONE)
    assert plan.attempts("M001/S01/T02") == 2
    plan.require_landed()


@pytest.mark.covers("command:undo")
def test_what_was_completed_on_top_goes_with_a_task(plan: Stage) -> None:
    plan.auto("--until", "M001/S01").require(DONE)
    ran = plan.gsd("undo", "M001/S01/T01", "--force").require(DONE)
    assert "complete-slice M001/S01" in ran.said
    assert boxes(plan, "M001-ROADMAP.md") == [" ", " "]
    assert boxes(plan, "slices/S01/S01-PLAN.md") == [" ", "x"]
    assert product(plan, "S01", "T02").exists()
    plan.auto().require(DONE)
    assert plan.attempts("M001/S01") == 2
    plan.require_landed()


@pytest.mark.covers("command:undo")
def test_a_slice_goes_as_a_whole_and_what_came_later_stays(plan: Stage) -> None:
    plan.auto("--until", "M001/S02/T01").require(DONE)
    plan.gsd("undo", "M001/S01", "--force").require(DONE)
    assert boxes(plan, "M001-ROADMAP.md") == [" ", " "]
    assert boxes(plan, "slices/S01/S01-PLAN.md") == [" ", " "]
    assert boxes(plan, "slices/S02/S02-PLAN.md") == ["x", " "]
    assert product(plan, "S02", "T01").exists()
    assert not product(plan, "S01", "T01").exists()
    plan.auto().require(DONE)
    plan.require_landed()


@pytest.mark.covers("command:undo")
def test_a_unit_that_later_work_stands_on_is_not_undone(plan: Stage) -> None:
    shared = projects.product("M001", "S01", "T01")
    unit = "execute-task/M001/S01/T02"
    plan.replay(unit, [*steps(unit), tool("write", path=shared, content="made by M001/S01/T01, and T02\n")])
    plan.auto("--max-units", "2").require(DONE)
    tip = plan.git("rev-parse", "milestone/M001")
    assert shared in plan.gsd("undo", "T01", "--force").said  # T01 is that of the active slice.
    ran = plan.gsd("undo", "M001/S01/T01", "--force").require(BLOCKED)
    assert f"later work stands on it in {shared}" in ran.said
    assert plan.git("rev-parse", "milestone/M001") == tip
    plan.gsd("undo", "M001/S01/T02", "--force").require(DONE)
    plan.gsd("undo", "M001/S01/T01", "--force").require(DONE)


@pytest.mark.covers("command:undo")
def test_without_planning_files_in_git_the_plan_is_set_back_too(tmp_path: Path) -> None:
    text = projects.QUICK.replace("---\n", "---\ngit: {commit_docs: false}\n", 1)
    stage = Stage(root=tmp_path / "project").make(tasks=2, preferences=text, plan_committed=False)
    (stage.root / ".git/info/exclude").write_text(".gsd/\n")
    stage.auto("--max-units", "2").require(DONE)
    stage.gsd("undo", "M001/S01/T01", "--force").require(DONE)
    assert boxes(stage, "slices/S01/S01-PLAN.md") == [" ", "x"]
    assert not product(stage, "S01", "T01").exists()
    stage.auto().require(DONE)


@pytest.mark.covers("command:undo")
def test_nothing_is_undone_while_a_run_is_at_work(plan: Stage) -> None:
    plan.replay("execute-task/M001/S01/T02", [projects.hang()])
    run = plan.start()
    wait_until(lambda: plan.attempts("M001/S01/T02"))
    ran = plan.gsd("undo", "M001/S01/T01", "--force")
    assert ran.code != DONE
    assert "units-undone" not in {e["event"] for e in plan.events()}
    plan.gsd("stop")
    finish(run)


@pytest.mark.covers("command:undo")
@pytest.mark.parametrize("words", [("M001/S02/T01",), ("plan-slice/M001/S01",), ("M009/S01",)])
def test_what_was_not_done_cannot_be_undone(plan: Stage, words: tuple[str, ...]) -> None:
    plan.auto("--max-units", "1").require(DONE)
    assert plan.gsd("undo", *words, "--force").code == BLOCKED
