"""The interactive session: commands are typed while others run."""

import pytest

from milepost.testing import projects
from scenarios.sitting import CTRL_C, CTRL_D, ESCAPE, sitting
from scenarios.stage import DONE, Stage, wait_until

TASK = "execute-task/M001/S01/T01"


def waiting(stage: Stage, gate: str = "go") -> projects.Step:
    """The agent waits until `stage.root.parent / gate` is there."""
    return projects.raw_shell("sh", "-c", f"while ! test -f '{stage.root.parent / gate}'; do sleep 0.05; done")


@pytest.mark.spec(id="PR-244")
@pytest.mark.covers("command:auto", "command:capture", "command:steer", "command:status")
def test_one_types_on_while_auto_works(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [projects.usage(micro_usd=1_000), waiting(stage), *projects.steps(TASK)])
    with sitting(stage) as person:
        person.type(f"/gsd auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        person.type("/status")
        person.sees("Running")
        person.type("capture don't forget the manual")
        person.sees("don't forget the manual")
        person.type('/gsd steer "write in capitals"')
        person.sees("the session that runs is told now")
        person.sees("told the session: write in capitals")
        (stage.root.parent / "go").touch()
        person.type("/exit")
        person.sees("[p/d/s]")
        person.type("s")
        assert person.end() == DONE
    assert stage.attempts("M001/S01/T01") == 1
