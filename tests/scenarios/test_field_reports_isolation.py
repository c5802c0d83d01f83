"""What was lost, or paid for nothing, because workers were not really apart (groups A and B)."""

import shutil
from pathlib import Path

import pytest

from milepost.process import confine
from milepost.testing import projects
from milepost.testing.projects import raw_shell, raw_write, tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, TRIO, FleetStage, task
from scenarios.stage import BLOCKED, DONE, ERROR, git_lock, picture, wait_until

FIRST = task("M001")
SECOND = task("M002")


@pytest.mark.spec(id="FM-21")
@pytest.mark.spec(id="FM-60")
@pytest.mark.spec(id="FM-61")
@pytest.mark.spec(id="DV-22")
def test_worktree_add_fails_no_spawn_no_spend(fleet: FleetStage) -> None:
    """gsd-2#5218: a path without a worktree was worked in, for thousands of paid cycles that did nothing."""
    fleet.plan((*TRIO, "M004"), parallel={"max_workers": 4})
    projects.write(fleet.tree("M001"), {"left.txt": "of somebody\n"})
    mine = fleet.root.parent / "mine"
    fleet.git("worktree", "add", "-q", "-b", "milestone/M002", str(mine))
    # Somebody's git has a lock on the branch that is to be made.
    with git_lock(fleet.root, fleet.root / ".git/refs/heads/milestone/M003.lock"):
        ran = fleet.fleet().require(BLOCKED)
    assert fleet.landed() == ["M004"]
    for mid, why in (("M001", "is not a worktree"), ("M002", str(mine)), ("M003", "M003.lock")):
        assert fleet.spawned(mid) == 0
        assert not [e for e in fleet.events("attempt-started") if str(e["unit"]).startswith(mid)]
        [row] = [row for row in fleet.waits() if row["milestoneId"] == mid]
        assert why in str(row["reason"])
        assert why in ran.out
    assert fleet.look()["totalCost"] == pytest.approx(0.003)
    assert (fleet.tree("M001") / "left.txt").read_text() == "of somebody\n"
    assert fleet.git("status", "--porcelain") == ""
    # Each of them is put right without any of the others.
    shutil.rmtree(fleet.tree("M001"))
    fleet.git("worktree", "remove", str(mine))
    fleet.fleet().require(DONE)
    fleet.require_done(*TRIO, "M004")


@pytest.mark.spec(id="FM-24")
@pytest.mark.spec(id="FM-40")
@pytest.mark.spec(id="FM-52")
def test_workers_state_env_points_at_the_main_project(fleet: FleetStage) -> None:
    """gsd-2#5221: a variable led every worker to the project itself, and all of them committed to its branch."""
    fleet.plan()
    root, state = str(fleet.root), str(fleet.state)
    deed = f"cd '{root}' && echo x > README.md && git commit -qam 'on main' && echo done"
    gate = fleet.hold(FIRST, tool("shell", command=deed) if confine.available() else raw_shell("true"))
    here = {
        "GIT_DIR": f"{root}/.git", "GIT_WORK_TREE": root, "GIT_INDEX_FILE": f"{root}/.git/index",
        "GSD_PROJECT_ROOT": root, "GSD_PARALLEL_DIR": state, "GSD_WORKER_RUN": "r-of-another", "GSD_FLEET": "f-other",
        "GSD_LEASE_FD": "9", "GSD_MILESTONE_LOCK": "M002", "PWD": root,
    }  # fmt: skip
    before = picture(fleet.root)
    process = fleet.begin(**here)
    gate.wait()
    wait_until(lambda: fleet.landed() == ["M002"], seconds=PATIENCE_S)
    assert fleet.git("symbolic-ref", "HEAD", where=fleet.tree("M001")) == "refs/heads/milestone/M001\n"
    gate.open()
    fleet.end(process).require(DONE)
    fleet.require_done(*PAIR)
    assert [subject.partition(":")[0] for subject in fleet.log()] == ["feat(M001)", "feat(M002)", "first"]
    now = picture(fleet.root)
    assert {path: data for path, data in now.files.items() if path in before.files} == before.files
    if confine.available():
        assert fleet.refusals("M001-S01-T01"), "a commit on main is refused"


@pytest.mark.spec(id="FM-25")
def test_worker_stages_another_milestones_files(fleet: FleetStage) -> None:
    """gsd-2#1991: one worker committed made-up summaries of another milestone, which then looked finished."""
    fleet.plan()
    summary = ".gsd/milestones/M002/M002-SUMMARY.md"
    false = "---\nid: M002\n---\n# M002: Done\n\n**All of it is done**\n"
    sibling = fleet.hold(SECOND)
    deeds = [
        raw_write(summary, false),
        raw_write(".gsd/milestones/M002/slices/S01/S01-SUMMARY.md", false),
        # Into the other worker's own worktree, too, past the sandbox, in the middle of its task.
        raw_write(str(fleet.tree("M002") / summary), false),
        raw_shell("git", "add", "-A", "-f"),
    ]
    gate = fleet.hold(FIRST, after=[*deeds, *projects.steps(FIRST)])
    process = fleet.begin()
    sibling.wait()
    gate.wait()
    gate.open()
    wait_until(lambda: fleet.landed() == ["M001"], seconds=PATIENCE_S)
    assert "M002" not in fleet.git("show", "--name-only", "--format=", "main")
    [made] = [ref for ref in fleet.backups() if "/M001/" in ref and ref.endswith("-tip")]
    assert "M002" not in fleet.git("log", "--name-only", "--format=", f"main..{made}")
    sibling.open()
    fleet.end(process).require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.attempts() == 6, "nothing of the second was taken for done"
    assert "All of it is done" not in fleet.git("show", f"main:{summary}")


@pytest.mark.spec(id="FM-25")
def test_a_summary_that_no_unit_wrote_completes_nothing(fleet: FleetStage) -> None:
    """gsd-2#1991: the same, written when no unit of that milestone was at work that it could be told from."""
    fleet.plan(tasks=2)
    gate = fleet.hold(SECOND)
    process = fleet.begin()
    gate.wait()
    fleet.parallel("pause", "M002").require(DONE)
    gate.open()
    wait_until(lambda: fleet.status("M002").get("state") == "paused" and fleet.landed() == ["M001"], seconds=PATIENCE_S)
    summary = fleet.tree("M002") / ".gsd/milestones/M002/M002-SUMMARY.md"
    summary.write_text("---\nid: M002\n---\n# M002: Done\n\n**All of it is done**\n")
    fleet.parallel("resume", "M002").require(DONE)
    ran = fleet.end(process).require(BLOCKED)
    assert fleet.landed() == ["M001"]
    assert "M002 has a summary, and S01 in its roadmap is not done" in ran.out
    [row] = fleet.waits()
    assert (row["kind"], row["milestoneId"]) == ("refused", "M002")
    summary.unlink()
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="FM-22")
@pytest.mark.spec(id="DV-23")
@pytest.mark.parametrize("how", ["untracked", "ignored", "one of two"])
def test_planning_artefacts_untracked_in_main_and_absent_in_a_new_worktree(fleet: FleetStage, how: str) -> None:
    """gsd-2#2184 (bug 4), PR#2049, #1339: a worktree without the plan made a worker end at once, and cleanly."""
    fleet.plan(plan_committed=how == "one of two")
    if how == "ignored":
        (fleet.root / ".gitignore").write_text(".gsd/\n")
        fleet.git("add", ".gitignore")
        fleet.git("commit", "-qm", "ignore")
    if how == "one of two":
        fleet.git("rm", "-rq", "--cached", ".gsd/milestones/M002")
        fleet.git("commit", "-qm", "the second is planned and not committed")
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.attempts() == 6
    for mid in PAIR:
        assert "- [x] **S01" in fleet.path(f"{mid}-ROADMAP.md", mid).read_text()


EMPTY = {
    "no milestone": lambda state: shutil.rmtree(state / "milestones"),
    "empty directories": lambda state: [shutil.rmtree(state / "milestones/M001"), (state / "milestones/M001").mkdir(),
                                        shutil.rmtree(state / "milestones/M002"), (state / "milestones/M002").mkdir()],
    "a link to nowhere": lambda state: [shutil.rmtree(state / "milestones"), (state / "milestones").symlink_to("gone")],
    "a file in its place": lambda state: [shutil.rmtree(state / "milestones"), (state / "milestones").write_text("")],
    "a roadmap that is none": lambda state: (state / "milestones/M001/M001-ROADMAP.md").write_bytes(b"# M001\0\n"),
}  # fmt: skip


@pytest.mark.parametrize("how", EMPTY)
def test_registry_empty_or_unreadable_is_an_error_not_complete(fleet: FleetStage, how: str) -> None:
    """gsd-2 PR#1585, #1488: a registry that could not be read was empty, and nothing to do was "all complete"."""
    fleet.plan()
    EMPTY[how](fleet.state)
    ran = fleet.fleet()
    assert ran.code in (ERROR, BLOCKED), ran.said
    assert "omplete" not in ran.said.replace("incomplete", "")
    assert fleet.attempts() == 0
    merged = fleet.parallel("merge")
    assert "merged successfully" not in merged.said
    if how == "a roadmap that is none":
        assert "M001-ROADMAP.md" in ran.err
        assert "M001-ROADMAP.md" in merged.err


def test_registry_that_vanishes_while_workers_run_is_an_error_not_complete(fleet: FleetStage) -> None:
    """gsd-2#1488: the same, in the middle of the night, when one milestone is still in the queue."""
    fleet.plan(TRIO)
    gates = [fleet.hold(task(mid)) for mid in PAIR]
    process = fleet.begin()
    for gate in gates:
        gate.wait()
    away = fleet.root.parent / "away"
    (fleet.state / "milestones").rename(away)
    for gate in gates:
        gate.open()
    ran = fleet.end(process)
    assert ran.code not in (0, 130), ran.said
    assert "all milestones are complete" not in ran.said
    shutil.copytree(away, fleet.state / "milestones", dirs_exist_ok=True)
    fleet.git("checkout", "-q", "--", ".gsd/milestones")
    fleet.fleet().require(DONE)
    fleet.require_done(*TRIO)


ROADMAP = ".gsd/milestones/M002/M002-ROADMAP.md"
PLAN = ".gsd/milestones/M002/slices/S01/S01-PLAN.md"
STUBS = {
    "an empty roadmap": ("plan-milestone/M002", ROADMAP, ""),
    "a roadmap without slices": ("plan-milestone/M002", ROADMAP, "# M002: Soon\n\n**Vision:** tbd\n\n## Slices\n"),
    "an empty slice plan": ("plan-slice/M002/S01", PLAN, ""),
    "a slice plan without tasks": ("plan-slice/M002/S01", PLAN, "# S01: Soon\n\n**Goal:** tbd\n\n## Tasks\n"),
}


@pytest.mark.parametrize("how", STUBS)
def test_empty_stub_accepted_as_a_plan(fleet: FleetStage, how: str) -> None:
    """gsd-2#3405: a stub passed for a plan, and its worker died without a word."""
    fleet.plan()
    unit, path, text = STUBS[how]
    (fleet.root / path).write_text(text)
    fleet.git("commit", "-qam", "a stub")
    # And the agent that is to write the plan writes the same again.
    fleet.script.append(projects.session(unit, projects.usage(micro_usd=1_000), raw_write(path, text)))
    fleet.fleet().require(BLOCKED)
    assert fleet.landed() == ["M001"]
    [row] = fleet.waits()
    assert (row["kind"], row["milestoneId"]) == ("blocked", "M002")
    assert Path(path).name in str(row["reason"])
    assert {str(e["kind"]) for e in fleet.events("attempt-started") if str(e["unit"]).startswith("M002")} == {
        unit.partition("/")[0]
    }
    assert fleet.attempts(unit.partition("/")[2]) == 3
