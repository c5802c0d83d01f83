"""The doctor beside real runs: nothing to complain of before, in the middle, after, and after a kill only the truth."""

import json
from pathlib import Path

import pytest

from doctor.project import MACHINE
from scenarios.stage import DONE, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project").make(slices=1, tasks=2)


def seen(stage: Stage, *args: str) -> dict[str, str]:
    """Code to severity of what the doctor finds."""
    rows = json.loads(stage.gsd("doctor", "--json", *args).out)
    return {row["code"]: row["severity"] for row in rows if row["code"] not in MACHINE and "fixed" not in row}


def test_before_in_the_middle_and_after(stage: Stage) -> None:
    quiet = {"plan_lint", "state_file_missing", "state_file_stale", "backups_kept", "gitignore_missing_patterns"}
    assert seen(stage).keys() <= quiet
    stage.auto("--max-units", "2").require(DONE)
    assert seen(stage).keys() <= quiet
    stage.auto().require(DONE)
    assert seen(stage).keys() <= quiet
    assert seen(stage, "--fix").keys() <= {"backups_kept"}


def test_mending_in_the_middle_of_a_milestone_does_not_disturb_it(stage: Stage) -> None:
    stage.auto("--max-units", "2").require(DONE)
    stage.gsd("doctor", "--fix").require(DONE)
    stage.auto().require(DONE)
    stage.require_landed()
