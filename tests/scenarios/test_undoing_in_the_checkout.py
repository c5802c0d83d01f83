"""`gsd undo` of units where the user's own checkout has the commits: isolation `branch` and `none`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import steps
from scenarios.stage import BLOCKED, DONE, Stage, picture

HOME = ".gsd/milestones/M001"
PLAN = "slices/S01/S01-PLAN.md"
BRANCHES = {"branch": "milestone/M001", "none": "main"}


@pytest.fixture(params=BRANCHES)
def isolation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plan(tmp_path: Path, isolation: str) -> Stage:
    text = projects.QUICK.replace("---\n", f"---\ngit: {{isolation: {isolation}}}\n", 1)
    return Stage(root=tmp_path / "project").make(slices=2, tasks=2, preferences=text)


@pytest.fixture
def branch(isolation: str) -> str:
    return BRANCHES[isolation]


def product(sid: str, tid: str) -> str:
    return projects.product("M001", sid, tid)


def boxes(stage: Stage, path: str) -> list[str]:
    text = (stage.root / HOME / path).read_text()
    return [line[3] for line in text.splitlines() if line.startswith("- [")]


@pytest.mark.covers("command:undo", "key:git.isolation")
def test_the_last_unit_goes_and_what_the_user_has_there_stays(plan: Stage, branch: str) -> None:
    plan.auto("--max-units", "2").require(DONE)
    (plan.root / "mine.txt").write_text("of the user\n")
    (plan.root / "src/app.txt").write_text("changed by the user\n")
    (plan.root / "README.md").write_text("staged by the user\n")
    plan.git("add", "README.md")
    plan.git("config", "merge.autoStash", "true")
    before, tip = picture(plan.root), plan.git("rev-parse", branch)
    assert "execute-task M001/S01/T02" in plan.gsd("undo").require(DONE).said
    assert (plan.git("rev-parse", branch), picture(plan.root)) == (tip, before)
    plan.gsd("undo", "--yes").require(DONE)
    after = picture(plan.root)
    gone = before.files.keys() - after.files.keys()
    assert gone == {product("S01", "T02")}
    assert after.files == {path: was for path, was in before.files.items() if path not in gone}
    assert after.staged == before.staged
    assert boxes(plan, PLAN) == ["x", " "]
    assert not (plan.root / HOME / "slices/S01/tasks/T02-SUMMARY.md").exists()
    assert tip.strip() in plan.git("for-each-ref", "--format=%(objectname)", "refs/gsd/backup/M001")
    assert plan.git("stash", "list") == ""


@pytest.mark.covers("command:undo")
def test_what_was_taken_back_is_done_again(plan: Stage, branch: str) -> None:
    plan.auto("--until", "M001/S01").require(DONE)
    plan.gsd("undo", "M001/S01/T01", "--force").require(DONE)
    assert boxes(plan, "M001-ROADMAP.md") == [" ", " "]
    assert boxes(plan, PLAN) == [" ", "x"]
    assert plan.git("status", "--porcelain") == ""
    plan.auto().require(DONE)
    assert plan.attempts("M001/S01/T01") == 2
    assert plan.git("show", f"main:{product('S01', 'T01')}")


def changed(stage: Stage) -> str:
    path = product("S01", "T01")
    (stage.root / path).write_text("of the user\n")
    return path


def staged(stage: Stage) -> str:
    path = changed(stage)
    stage.git("add", path)
    return path


def plan_edited(stage: Stage) -> str:
    path = stage.root / HOME / PLAN
    path.write_text(path.read_text() + "\nA note of the user.\n")
    return f"{HOME}/{PLAN}"


@pytest.mark.covers("command:undo")
@pytest.mark.parametrize("deed", [changed, staged, plan_edited])
def test_a_change_of_the_user_in_the_way_is_named_and_kept(
    plan: Stage, branch: str, deed: Callable[[Stage], str]
) -> None:
    plan.auto("--max-units", "1").require(DONE)
    tip = plan.git("rev-parse", branch)
    path = deed(plan)
    before, text = picture(plan.root), (plan.root / path).read_text()
    ran = plan.gsd("undo", "M001/S01/T01", "--force").require(BLOCKED)
    assert path in ran.said
    assert "Commit them or move them away, then: gsd undo M001/S01/T01 --force" in ran.said
    assert (plan.git("rev-parse", branch), picture(plan.root)) == (tip, before)
    assert (plan.root / path).read_text() == text
    assert "units-undone" not in {e["event"] for e in plan.events()}


@pytest.mark.covers("command:undo")
def test_an_ignored_file_is_not_overwritten(plan: Stage, branch: str) -> None:
    """The unit deleted a file; the user has put an ignored one of their own in its place since."""
    unit = "execute-task/M001/S01/T01"
    plan.replay(unit, [*steps(unit), projects.raw_shell("rm", "src/app.txt")])
    plan.auto("--max-units", "1").require(DONE)
    assert not (plan.root / "src/app.txt").exists()
    (plan.root / ".git/info/exclude").write_text("src/app.txt\n")
    (plan.root / "src").mkdir(exist_ok=True)
    (plan.root / "src/app.txt").write_text("of the user\n")
    assert "src/app.txt" in plan.gsd("undo", "M001/S01/T01", "--force").require(BLOCKED).said
    assert (plan.root / "src/app.txt").read_text() == "of the user\n"


@pytest.mark.covers("command:undo")
@pytest.mark.parametrize("isolation", ["none"], indirect=True)
def test_commits_of_the_user_between_those_of_units_stay(plan: Stage) -> None:
    plan.auto("--max-units", "1").require(DONE)
    (plan.root / "mine.txt").write_text("of the user\n")
    plan.git("add", "mine.txt")
    plan.git("commit", "-qm", "mine")
    plan.auto("--max-units", "1").require(DONE)
    plan.gsd("undo", "M001/S01/T01", "--force").require(DONE)
    assert (plan.root / "mine.txt").exists() and (plan.root / product("S01", "T02")).exists()
    assert not (plan.root / product("S01", "T01")).exists()
    assert plan.log()[0] == "revert(M001/S01/T01): take it back out"
    assert "mine" in plan.log()


@pytest.mark.covers("command:undo")
@pytest.mark.parametrize("isolation", ["none"], indirect=True)
def test_the_last_unit_of_a_finished_milestone_is_still_the_last_unit(plan: Stage) -> None:
    plan.auto().require(DONE)
    assert "complete-milestone M001" in plan.gsd("undo", "--force").require(DONE).said
    assert not plan.path("M001-SUMMARY.md").exists()


@pytest.mark.covers("command:undo")
@pytest.mark.parametrize("isolation", ["none"], indirect=True)
def test_on_another_branch_it_is_said_where_the_commits_are(plan: Stage) -> None:
    plan.git("branch", "other")
    plan.auto("--max-units", "1").require(DONE)
    plan.git("switch", "-q", "other")
    ran = plan.gsd("undo", "M001/S01/T01", "--force").require(BLOCKED)
    assert "no commit on other" in ran.said and "git log --all --grep" in ran.said
    plan.git("switch", "-q", "--detach")
    assert "is on no branch" in plan.gsd("undo", "M001/S01/T01", "--force").require(BLOCKED).said


@pytest.mark.covers("command:undo")
@pytest.mark.parametrize("isolation", ["branch"], indirect=True)
def test_of_a_merged_milestone_no_single_unit_is_taken_back(plan: Stage) -> None:
    plan.auto().require(DONE)
    ran = plan.gsd("undo", "M001/S01/T01", "--force").require(BLOCKED)
    assert "M001 is merged into main" in ran.said and "gsd undo milestone M001" in ran.said
