"""From a plan to one commit on main, in every isolation mode and project shape."""

from scenarios.stage import DONE, Stage


def test_a_plan_becomes_one_commit(stage: Stage) -> None:
    stage.make(slices=2, tasks=2)
    ran = stage.auto().require(DONE)
    stage.require_landed()
    body = stage.git("log", "-1", "--format=%b")
    assert "- S01: Slice S01" in body
    assert "- S02: Slice S02" in body
    assert stage.git("status", "--porcelain") == ""
    assert (stage.root / "work/M001-S02-T02.txt").read_text() == "made by M001/S02/T02\n"
    assert "M001 is on main" in ran.out
    assert stage.attempts() == 7
