"""`gsd parallel merge`: which milestones, in which order, into what, past whose files; and what it never does.

One fleet works with `auto_merge: manual` and is stopped: M001 and M002 are complete and change the same line, M003 is
complete, M004 crashed, M005 was stopped on its way. Each test has the project as it was then.
"""

import os
import shutil
import signal
from collections.abc import Iterator

import pytest

from milepost.testing.projects import hang, steps, tool, write
from scenarios.fleet_stage import PATIENCE_S, FleetStage, fleet_stage, settings, task
from scenarios.stage import BLOCKED, DONE, INTERRUPTED, PAUSED, Ran, picture, wait_until

ALL = ("M001", "M002", "M003", "M004", "M005")
COMPLETE = ALL[:3]
MANUAL = {"auto_merge": "manual", "max_workers": 4, "max_restarts": 0}


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetStage]:
    place = tmp_path_factory.mktemp("merge")
    with pytest.MonkeyPatch.context() as patch, fleet_stage(place / "project") as stage:
        (place / ".gitconfig").write_text("[user]\n\tname = Ada Tester\n\temail = ada@example.invalid\n")
        patch.setenv("HOME", str(place))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        _work(stage)
        shutil.copytree(stage.root, place / "saved", symlinks=True)
        yield stage


def _work(stage: FleetStage) -> None:
    stage.plan(ALL, parallel=MANUAL)
    for mid in ("M001", "M002"):
        stage.also(task(mid), tool("edit", path="src/app.txt", old="two", new=f"two by {mid}"))
    for mid in ("M004", "M005"):
        stage.replay(f"complete-slice/{mid}/S01", [tool("write", path=f"half-{mid}.txt", content="half\n"), hang()])
    process = stage.begin()
    halves = [stage.tree(mid) / f"half-{mid}.txt" for mid in ("M004", "M005")]
    wait_until(lambda: process.poll() is not None or all(half.exists() for half in halves), seconds=PATIENCE_S)
    assert process.poll() is None, stage.end(process).said
    os.kill(int(str(stage.status("M004")["pid"])), signal.SIGKILL)
    wait_until(lambda: stage.events("worker-lost") != [], seconds=PATIENCE_S)
    wait_until(lambda: all(stage.holder(mid) is None for mid in COMPLETE), seconds=PATIENCE_S)
    stage.parallel("stop").require(DONE)
    stage.end(process).require(INTERRUPTED)


@pytest.fixture
def left(worked: FleetStage) -> FleetStage:
    """The project as the fleet left it."""
    shutil.rmtree(worked.root)
    shutil.copytree(worked.root.parent / "saved", worked.root, symlinks=True)
    return worked


def report(*lines: str) -> str:
    return "\n".join(["# Merge Results", "", *lines]) + "\n"


def merged(mid: str) -> str:
    return f"- **{mid}** — merged successfully"


def conflict(mid: str, *paths: str) -> list[str]:
    return [
        f"- **{mid}** — CONFLICT ({len(paths)} file(s)):",
        *(f"  - `{path}`" for path in paths),
        f"  Resolve conflicts manually and run `/gsd parallel merge {mid}` to retry.",
    ]


def require_kept(stage: FleetStage, *mids: str) -> None:
    """Worktree and branch are there, and what they have is not on main."""
    for mid in mids:
        assert f"milestone/{mid}" in stage.branches()
        assert (stage.tree(mid) / f"work/{mid}-S01-T01.txt").is_file()
        assert mid not in stage.landed()


@pytest.mark.covers("key:parallel.auto_merge")
@pytest.mark.spec(id="PR-065")
@pytest.mark.spec(id="DV-04")
def test_nothing_was_merged_before_it_was_asked_for(left: FleetStage) -> None:
    assert left.log() == ["first"]
    require_kept(left, *ALL)


@pytest.mark.covers("command:parallel merge")
@pytest.mark.spec(id="PR-089")
@pytest.mark.spec(id="PR-125")
def test_one(left: FleetStage) -> None:
    ran = left.parallel("merge", "M003").require(DONE)
    assert ran.out.startswith(report(merged("M003")))
    assert left.landed() == ["M003"]
    assert not left.tree("M003").exists()
    require_kept(left, "M001", "M002", "M004", "M005")


@pytest.mark.spec(id="PR-088")
@pytest.mark.spec(id="PR-120")
@pytest.mark.spec(id="PR-123")
@pytest.mark.spec(id="PR-178")
@pytest.mark.spec(id="PR-330")
@pytest.mark.spec(id="FM-84")
def test_all_stop_at_the_first_conflict(left: FleetStage) -> None:
    write(left.root, {"mine.txt": "mine\n"})
    ran = left.parallel("merge").require(BLOCKED)
    assert ran.out.startswith(report(merged("M001"), *conflict("M002", "src/app.txt")))
    assert "M003" not in ran.out
    assert left.landed() == ["M001"]
    require_kept(left, "M002", "M003")
    # Nothing of the conflict is in the user's checkout.
    assert left.git("status", "--porcelain") == "?? mine.txt\n"
    assert (left.root / "src/app.txt").read_text() == "one\ntwo by M001\nthree\n"
    assert not (left.root / ".git/MERGE_HEAD").exists()
    assert not (left.root / ".git/SQUASH_MSG").exists()


@pytest.mark.spec(id="PR-330")
@pytest.mark.spec(id="FM-82")
def test_all_go_on_after_any_other_failure(left: FleetStage) -> None:
    write(left.root, {"work/M001-S01-T01.txt": "mine, and not yours\n"})
    ran = left.parallel("merge").require(BLOCKED)
    lines = ran.out.splitlines()
    assert lines[2].startswith("- **M001** — failed: your checkout of main has changes in files that M001 changes too")
    assert lines[3:5] == [merged("M002"), merged("M003")]
    assert left.landed() == ["M002", "M003"]
    require_kept(left, "M001")
    assert (left.root / "work/M001-S01-T01.txt").read_text() == "mine, and not yours\n"


@pytest.mark.spec(id="DV-14")
@pytest.mark.spec(id="FM-12")
@pytest.mark.parametrize("forgotten", [False, True], ids=["", "status files gone"])
def test_completed_is_what_the_plan_says_and_nothing_else(forgotten: bool, left: FleetStage) -> None:
    assert {mid: left.status(mid)["completedUnits"] for mid in ALL} == {
        **dict.fromkeys(COMPLETE, 3),
        "M004": 1,
        "M005": 1,
    }
    if forgotten:
        for mid in ALL:
            left.status_file(mid).unlink()
    results = [*left.merges(), *left.merges()]
    assert {str(result["milestoneId"]) for result in results} == {"M001", "M002"}
    left.parallel("merge", "M003").require(DONE)
    for mid in ("M004", "M005"):
        ran = left.parallel("merge", mid).require(BLOCKED)
        assert f"{mid} is not complete" in ran.err
    require_kept(left, "M004", "M005")


@pytest.mark.spec(id="DV-24")
@pytest.mark.spec(id="FM-80")
@pytest.mark.spec(id="FM-81")
def test_late_work_in_the_worktree_comes_along_and_the_users_does_not(left: FleetStage) -> None:
    write(left.tree("M003"), {"late.txt": "written after the last unit\n"})
    write(left.root, {"README.md": "# Mine\n", "mine.txt": "mine\n"})
    left.git("add", "README.md")
    before = picture(left.root, without=(".gsd", ".git", "work", "late.txt"))
    left.parallel("merge", "M003").require(DONE)
    assert (left.root / "late.txt").read_text() == "written after the last unit\n"
    assert picture(left.root, without=(".gsd", ".git", "work", "late.txt")).files == before.files
    assert left.git("status", "--porcelain") == "M  README.md\n?? mine.txt\n"
    assert left.git("log", "--format=%s", "main", "--", "README.md").split() == ["first"]
    assert left.git("log", "--format=%s", "main", "--", "mine.txt") == ""


@pytest.mark.spec(id="FM-90")
def test_a_detached_head_stays_where_it_is(left: FleetStage) -> None:
    left.git("commit", "-q", "--allow-empty", "-m", "mine")
    left.git("checkout", "-q", "--detach", "HEAD~1")
    before, stood = picture(left.root), left.git("rev-parse", "HEAD")
    left.parallel("merge", "M003")
    assert left.git("rev-parse", "HEAD") == stood
    assert left.git("symbolic-ref", "-q", "HEAD", ok=(1,)) == ""
    assert picture(left.root) == before
    assert left.log()[-2:] == ["mine", "first"]


@pytest.mark.spec(id="FM-88")
@pytest.mark.parametrize("target", ["milestone/M003", "milestone/M001"])
def test_a_recorded_target_that_is_a_milestones_branch_is_none(target: str, left: FleetStage) -> None:
    left.path("M003-META.json", "M003", left.tree("M003")).write_text(f'{{"integrationBranch": "{target}"}}')
    other = left.git("rev-parse", "milestone/M001")
    assert merged("M003") in left.parallel("merge", "M003").require(DONE).out
    assert left.landed() == ["M003"]
    assert left.git("rev-parse", "milestone/M001") == other


@pytest.mark.spec(id="FM-92")
@pytest.mark.parametrize("refused", [False, True])
def test_a_roadmap_that_is_gone_costs_no_work(refused: bool, left: FleetStage) -> None:
    tree, roadmap = left.tree("M003"), ".gsd/milestones/M003/M003-ROADMAP.md"
    left.git("rm", "-q", roadmap, where=tree)
    left.git("commit", "-qm", "gone", where=tree)
    tip = left.git("rev-parse", "milestone/M003").strip()
    (left.root / roadmap).unlink()
    if not refused:
        left.git("commit", "-qam", "gone")
    left.parallel("merge", "M003").require(BLOCKED if refused else DONE)
    if refused:
        require_kept(left, "M003")
        assert left.git("rev-parse", "milestone/M003").strip() == tip
    else:
        assert left.git("show", "main:work/M003-S01-T01.txt") == "made by M003/S01/T01\n"
        assert tip in left.git("for-each-ref", "--format=%(objectname)", "refs/gsd/backup/M003").split()


@pytest.mark.spec(id="PR-125")
@pytest.mark.spec(id="FM-100")
@pytest.mark.parametrize("works", [True, False])
def test_pushed_or_not_is_said(works: bool, left: FleetStage) -> None:
    left.prefer(settings(MANUAL, {"auto_push": "true"}))
    remote = left.root.parent / "remote.git"
    shutil.rmtree(remote, ignore_errors=True)
    left.git("init", "-q", "--bare", str(remote))
    left.git("remote", "add", "origin", str(remote if works else remote / "nowhere"))
    [result] = left.merges("M003")
    assert (result["success"], result["pushed"], bool(result["pushError"])) == (True, works, not works)
    ran = left.parallel("merge", "M003").require(DONE)
    assert (f"{merged('M003')} (pushed)\n" in ran.out) is works
    assert ("NOT pushed" in ran.out) is not works
    if works:
        assert left.git("rev-parse", "main", where=remote) == left.git("rev-parse", "main")


@pytest.mark.spec(id="FM-94")
def test_merged_already_is_no_second_commit(left: FleetStage) -> None:
    left.parallel("merge", "M003").require(DONE)
    head = left.git("rev-parse", "main")
    for mid in ("M003", ""):
        ran: Ran = left.parallel("merge", *filter(None, [mid]))
        assert "Traceback" not in ran.said
    assert left.landed()[0] == "M003"
    assert left.git("merge-base", "--is-ancestor", head.strip(), "main") == ""
    assert left.landed().count("M003") == 1


@pytest.mark.spec(id="PR-195")
@pytest.mark.spec(id="PR-194")
def test_the_next_start_goes_on_with_what_is_left(left: FleetStage) -> None:
    for mid in ("M004", "M005"):
        left.replay(f"complete-slice/{mid}/S01", steps(f"complete-slice/{mid}/S01"))
    ran = left.fleet("--retry").require(PAUSED)
    assert "M001" in ran.out
    results = {str(r["milestoneId"]): r["success"] for mid in ("M003", "M004", "M005") for r in left.merges(mid)}
    assert results == {"M003": True, "M004": True, "M005": True}
    assert left.attempts("M004/S01/T01") == left.attempts("M005/S01/T01") == 1
    assert sorted((left.state / "worktrees").iterdir()) == [left.tree("M001"), left.tree("M002")]


@pytest.mark.covers("key:parallel.generated_files", "command:parallel merge")
def test_files_that_are_said_to_be_built_are_settled_by_rule(left: FleetStage) -> None:
    left.prefer(settings({**MANUAL, "generated_files": "['src/*.txt']"}))
    ran = left.parallel("merge").require(DONE)
    assert ran.out.startswith(report(*map(merged, COMPLETE)))
    assert (left.root / "src/app.txt").read_text() == "one\ntwo by M002\nthree\n"
