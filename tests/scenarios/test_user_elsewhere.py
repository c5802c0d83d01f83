"""The user goes to another branch while a fleet works: what starts later is still merged where the fleet began."""

import pytest

from milepost.testing import projects
from scenarios.stage import DONE, Stage, finish, picture, wait_until

PARALLEL = projects.QUICK.replace("---\nphases", "---\nparallel:\n  enabled: true\n  max_workers: 1\n  auto_merge: auto\nphases", 1)  # fmt: skip # noqa: E501


ALL = ("M001", "M002", "M003")


def _slow(stage: Stage) -> tuple[str, ...]:
    stage.replay("execute-task/M001/S01/T01", [{"sleep": 2.0}, *projects.steps("execute-task/M001/S01/T01")])
    return ("parallel", "start", "--yes", "--agent", stage.agent())


@pytest.mark.spec(id="PR-324")
def test_the_user_works_on_another_branch_all_night(stage: Stage) -> None:
    """Nothing of the fleet's comes to that branch, nothing of it is needed there, and nothing is paid for twice."""
    stage.make(milestones=ALL, preferences=PARALLEL, depends={"M003": ["M001"]})
    words = _slow(stage)
    night = stage.begin(*words)
    wait_until(lambda: stage.events("attempt-started"))
    stage.git("switch", "-q", "-c", "side")
    before = picture(stage.root)
    finish(night).require(DONE)

    assert stage.git("symbolic-ref", "--short", "HEAD").strip() == "side"
    assert stage.log("side") == ["first"]
    assert picture(stage.root) == before
    _require_done(stage)
    again = stage.gsd(*words).require(DONE)
    assert "Already merged" in again.out
    stage.git("switch", "-q", "main")
    stage.gsd(*words).require(DONE)
    _require_done(stage)


def _require_done(stage: Stage) -> None:
    log = stage.log("main")
    assert sorted(log) == [*(f"feat({mid}): Small files" for mid in ALL), "first"]
    assert log.index("feat(M003): Small files") < log.index("feat(M001): Small files")
    assert stage.attempts() == len(list(projects.units(ALL)))


@pytest.mark.spec(id="PR-324")
def test_a_milestone_that_starts_while_the_user_is_on_another_branch(stage: Stage) -> None:
    stage.make(milestones=ALL, preferences=PARALLEL)
    words = _slow(stage)
    night = stage.begin(*words)
    wait_until(lambda: stage.events("attempt-started"))
    stage.git("switch", "-q", "-c", "side")
    wait_until(lambda: (stage.state / "worktrees/M002/.git").exists())
    stage.git("switch", "-q", "main")
    finish(night).require(DONE)

    assert sorted(stage.log("main")) == [*(f"feat({mid}): Small files" for mid in ALL), "first"]
    assert stage.log("side") == ["first"]
