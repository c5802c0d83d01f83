"""`gsd forensics` after a real run that went wrong."""

import json
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.stage import BUDGET, DONE, Stage

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


@pytest.mark.covers("command:forensics", "key:auto_supervisor.model")
def test_an_agent_looks_for_the_root_cause_only_when_it_is_asked_and_is_paid_from_the_budget(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    stage.replay(TASK, *[[projects.usage(micro_usd=500)]] * 4)
    stage.script.append(
        projects.session(
            "hook/forensics",
            projects.usage(micro_usd=7_000),
            projects.tool("read", path="report.md"),
            projects.tool("write", path="../../../src/app.txt", content="mine"),
            projects.say(f"The plan asks for the impossible. {SECRET}"),
        )
    )
    settings = projects.QUICK.replace("---\nphases", "---\nauto_supervisor: {model: claude-haiku-4-5}\nphases")
    stage.prefer(settings)
    stage.auto()
    before = len(stage.events("usage-reported"))
    stage.gsd("forensics").require(DONE)
    assert len(stage.events("usage-reported")) == before
    told = json.loads(stage.gsd("forensics", "--json", "--ask", "--agent", stage.agent()).require(DONE).out)
    heading = "## Root cause, as scripted, claude-haiku-4-5 sees it\n\nThe plan asks for the impossible."
    assert told["rootCause"].startswith(heading)
    assert heading in (stage.root / told["report"]).read_text()
    assert SECRET not in (stage.root / told["report"]).read_text()
    assert (stage.root / "src/app.txt").read_text() == "one\ntwo\nthree\n"
    paid = stage.events("usage-reported")[before:]
    assert [event["microUsd"] for event in paid] == [7_000]
    assert not list((stage.state / "runtime").glob("forensics.*"))
    assert json.loads(stage.gsd("status", "--json").out)["reserved"] == 0

    stage.prefer(settings.replace("---\nauto", "---\nbudget_ceiling: 0.0001\nauto"))
    refused = stage.gsd("forensics", "--ask", "--agent", stage.agent()).require(BUDGET)
    assert "does not fit the budget" in refused.err
    assert len(stage.events("usage-reported")) == before + 1


@pytest.mark.covers("command:forensics")
def test_what_an_agent_is_asked_for_the_root_cause_is_booked_at_ones_own_price_or_flat_rate(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    stage.script.append(
        projects.session(
            "hook/forensics",
            projects.usage(micro_usd=7_000, input=1_000, output=100),
            projects.say("Nothing was wrong."),
        )
    )

    def asked(*lines: str) -> dict[str, object]:
        stage.prefer(projects.QUICK.replace("---\n", "\n".join(["---", *lines, ""]), 1))
        stage.gsd("forensics", "--ask", "--agent", stage.agent(), "--model", "scripted").require(DONE)
        return stage.events("usage-reported")[-1]

    assert asked("prices: {scripted: {input: 2, output: 30}}")["microUsd"] == 5_000
    # No ceiling of money stands in the way of what costs none.
    flat = asked("billing: {flat_rate: [scripted]}", "budget_ceiling: 0.000001")
    assert (flat["microUsd"], flat["flat"]) == (None, True)


@pytest.mark.covers("command:forensics")
def test_what_was_found_is_said_although_no_file_can_be_written(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    stage.replay(TASK, *[[projects.usage(micro_usd=500)]] * 4)
    stage.auto()
    # As on a disk that is full or read-only: it is what no permission keeps from root.
    (stage.state / "forensics").write_text("in the way")
    ran = stage.gsd("forensics").require(DONE)
    assert "**stuck-loop** [loop] execute-task M001/S01/T01: tried" in ran.out
    assert ran.out.splitlines()[-1].startswith("The report could not be written: .gsd/forensics/report-")
    told = json.loads(stage.gsd("forensics", "--json").require(DONE).out)
    assert told["report"] is None
    assert "File exists" in told["reportError"] or "Not a directory" in told["reportError"]
    assert "stuck-loop" in {one["code"] for one in told["anomalies"]}
    # What keeps an agent from being asked does not keep back what was found without one.
    stage.prefer(projects.QUICK.replace("---\n", "---\nbudget_ceiling: 0.0001\n", 1))
    refused = stage.gsd("forensics", "--ask", "--agent", stage.agent(), "--model", "scripted").require(BUDGET)
    assert "**stuck-loop**" in refused.out
