"""A plan that git does not carry: copied into the worktree and back, while its person goes on writing."""

from pathlib import Path

import pytest

from milepost.testing.projects import QUICK, raw_shell, raw_write, steps
from scenarios.stage import DONE, Stage

TASK = "execute-task/M001/S01/T01"
OWN = QUICK.replace("---\nphases", "---\nbudget_ceiling: 999\ngit:\n  worktree_post_create: /bin/evil\nphases")


@pytest.fixture(params=["ignored", "commit_docs: false"])
def carried(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    if request.param == "ignored":
        stage.make(plan_committed=False)
        (stage.root / ".gitignore").write_text(".gsd/\n")
        stage.git("add", ".gitignore")
        stage.git("commit", "-qm", "ignore")
    else:
        preferences = QUICK.replace("---\nphases", "---\ngit:\n  commit_docs: false\nphases")
        stage.make(plan_committed=False, preferences=preferences)
    return stage


def append(path: Path, line: str) -> list[str]:
    return ["sh", "-c", f"echo '{line}' >> '{path}'"]


def test_an_agent_does_not_change_the_settings(carried: Stage) -> None:
    before = (carried.state / "PREFERENCES.md").read_text()
    carried.replay(TASK, [*steps(TASK), raw_write(".gsd/PREFERENCES.md", OWN)])
    carried.auto().require(DONE)
    assert (carried.state / "PREFERENCES.md").read_text() == before


def test_what_the_person_wrote_meanwhile_stays(carried: Stage) -> None:
    home = carried.state
    carried.replay(
        TASK,
        [
            *steps(TASK),
            raw_shell(*append(home / "PROJECT.md", "a persons line")),
            raw_shell(*append(home / "DECISIONS.md", "a persons decision")),
            raw_shell(*append(home / "milestones/M001/M001-CONTEXT.md", "a persons remark")),
            raw_shell(*append(Path(".gsd/DECISIONS.md"), "an agent decision")),
            raw_shell(*append(Path(".gsd/milestones/M001/M001-CONTEXT.md"), "an agent remark")),
        ],
    )
    ran = carried.auto().require(DONE)
    assert "a persons line" in (home / "PROJECT.md").read_text()
    decisions = (home / "DECISIONS.md").read_text()
    assert decisions.count("a persons decision") == 1
    assert decisions.count("an agent decision") == 1
    assert "an agent remark" in (home / "milestones/M001/M001-CONTEXT.md").read_text()
    kept = home / "runtime/set-aside/M001-home/milestones/M001/M001-CONTEXT.md"
    assert "a persons remark" in kept.read_text()
    assert "yours is kept in" in ran.out
    carried.require_landed(before=len(carried.log()) - 1)


def test_settings_in_a_tracked_plan_are_taken_back_too(stage: Stage) -> None:
    stage.make()
    before = (stage.state / "PREFERENCES.md").read_text()
    stage.replay(TASK, [*steps(TASK), raw_write(".gsd/PREFERENCES.md", OWN), raw_write(".gsd/preferences.md", OWN)])
    ran = stage.auto().require(DONE)
    assert "settings or captures; they were taken back" in ran.out
    assert (stage.state / "PREFERENCES.md").read_text() == before
    assert stage.git("show", "main:.gsd/PREFERENCES.md") == before
    assert "preferences.md" not in stage.git("ls-tree", "-r", "--name-only", "main").split()
