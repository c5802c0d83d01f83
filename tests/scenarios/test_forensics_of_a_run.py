"""`gsd forensics` after a real run that went wrong."""

import json
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import DONE, Stage

TASK = "execute-task/M001/S01/T01"
SECRET = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 -- it must not be found again


@pytest.mark.covers("command:forensics")
@pytest.mark.spec(id="PR-240")
def test_a_task_that_goes_in_circles(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    futile = [
        projects.usage(micro_usd=500),
        *[projects.tool("read", path=f"docs/{name}.md") for name in ("a", "b")],
        projects.say(f"I give up. {SECRET}"),
    ]
    stage.replay(TASK, *[futile] * 4)
    assert stage.auto().code != DONE
    told = json.loads(stage.gsd("forensics", "--json").require(DONE).out)
    codes = {one["code"]: one for one in told["anomalies"]}
    assert codes["stuck-loop"]["unit"] == TASK
    assert codes["missing-artifact"]["trouble"] == "model"
    assert codes["missing-context"]["trouble"] == "context"
    assert (stage.state / codes["missing-context"]["evidence"]).is_file()
    report = (stage.root / told["report"]).read_text()
    assert "**stuck-loop** [loop] execute-task M001/S01/T01: tried" in report
    assert "- Tools: read 2x" in report
    assert "- Last words: I give up." in report
    assert SECRET not in report
    assert told["rootCause"] is None
    assert stage.git("status", "--porcelain") == ""


def test_a_run_that_went_well_and_no_report(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    stage.auto().require(DONE)
    out = stage.gsd("forensics", "--no-report", "--since", "1h").require(DONE).out
    assert "Nothing was out of the ordinary." in out
    assert not (stage.state / "forensics").exists()
    assert "span like 30m" in stage.gsd("forensics", "--since", "soon").err
