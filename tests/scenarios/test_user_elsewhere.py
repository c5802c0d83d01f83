"""The user goes to another branch while a fleet works: what starts later is still merged where the fleet began."""

import pytest

from milepost.testing import projects
from scenarios.stage import DONE, Stage, finish, wait_until

PARALLEL = projects.QUICK.replace("---\nphases", "---\nparallel:\n  enabled: true\n  max_workers: 1\n  auto_merge: auto\nphases", 1)  # fmt: skip # noqa: E501


@pytest.mark.spec(id="PR-324")
def test_a_milestone_that_starts_while_the_user_is_on_another_branch(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"), preferences=PARALLEL)
    stage.replay("execute-task/M001/S01/T01", [{"sleep": 2.0}, *projects.steps("execute-task/M001/S01/T01")])
    words = ("parallel", "start", "--yes", "--agent", stage.agent())
    night = stage.begin(*words)
    wait_until(lambda: stage.events("attempt-started"))
    stage.git("switch", "-q", "-c", "side")
    finish(night)

    assert stage.git("symbolic-ref", "--short", "HEAD").strip() == "side"
    assert sorted(stage.log("main")) == ["feat(M001): Small files", "feat(M002): Small files", "first"]
    assert stage.log("side") == ["first"]
    stage.git("switch", "-q", "main")
    stage.gsd(*words).require(DONE)
    assert stage.attempts() == len(list(projects.units(("M001", "M002"))))
