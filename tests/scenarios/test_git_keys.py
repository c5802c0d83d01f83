"""Each key below `git`, observed in a real run; and what the documents promise of branches, worktrees and STATE.md."""

from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import raw_shell, steps, tool
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage


def stage_with(tmp_path: Path, git: str, *, preferences: str = projects.QUICK, **shape: object) -> Stage:
    text = preferences.replace("---\n", f"---\ngit: {{{git}}}\n", 1)
    return Stage(root=tmp_path / "project").make(preferences=text, **shape)


def remote(stage: Stage, tmp_path: Path, name: str = "origin") -> Path:
    bare = tmp_path / f"{name}.git"
    stage.git("init", "-q", "--bare", str(bare))
    stage.git("remote", "add", name, str(bare))
    return bare


def subjects(stage: Stage, ref: str) -> list[str]:
    return stage.git("log", "--format=%s", f"main..{ref}").splitlines()


@pytest.mark.covers("key:git.commit_type", "promise:git-keys")
def test_commit_type_is_the_type_of_every_unit_commit(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "commit_type: build")
    stage.auto("--max-units", "2").require(DONE)
    written = subjects(stage, "milestone/M001")
    assert len(written) == 2
    assert all(line.startswith("build(") for line in written), written


@pytest.mark.covers("key:git.push_branches", "key:git.remote", "promise:git-keys")
def test_push_branches_keeps_the_branch_on_the_remote(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "push_branches: true, remote: there")
    bare = remote(stage, tmp_path, "there")
    for _ in range(2):
        stage.auto("--max-units", "1").require(DONE)
        pushed = stage.git("rev-parse", "milestone/M001", where=bare)
        assert pushed == stage.git("rev-parse", "milestone/M001")


@pytest.mark.covers("key:git.push_branches")
def test_a_branch_that_cannot_be_pushed_is_said_and_blocks_nothing(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "push_branches: true")
    ran = stage.auto().require(DONE)
    assert "milestone/M001 was not pushed to origin" in ran.said
    stage.require_landed()


@pytest.mark.covers("key:git.snapshots", "promise:git-keys")
@pytest.mark.parametrize("wanted", [True, False])
def test_snapshots_name_what_was_before_each_commit(tmp_path: Path, wanted: bool) -> None:
    stage = stage_with(tmp_path, f"snapshots: {str(wanted).lower()}", tasks=6)
    stage.auto("--max-units", "6").require(DONE)
    listed = stage.git("for-each-ref", "--format=%(objectname)", "refs/gsd/snapshots/milestone/M001").split()
    before = stage.git("rev-list", "milestone/M001").split()[1:6]
    assert set(listed) == (set(before) if wanted else set())


@pytest.mark.covers("key:git.merge_strategy", "promise:git-keys")
@pytest.mark.parametrize(("strategy", "parents"), [("merge", 2), ("squash", 1)])
def test_merge_strategy_says_how_a_milestone_lands(tmp_path: Path, strategy: str, parents: int) -> None:
    stage = stage_with(tmp_path, f"merge_strategy: {strategy}")
    stage.auto().require(DONE)
    stage.require_landed()
    assert len(stage.git("log", "-1", "--format=%P", "main").split()) == parents


@pytest.mark.covers("key:git.pre_merge_check", "promise:git-keys")
def test_pre_merge_check_keeps_a_milestone_off_its_target(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "pre_merge_check: 'test -f allowed.txt'")
    ran = stage.auto().require(PAUSED)
    assert "allowed.txt" in ran.said
    assert stage.log() == ["first"]
    (stage.root / "allowed.txt").write_text("yes\n")
    stage.git("add", "allowed.txt")
    stage.git("commit", "-qm", "allowed")
    stage.auto().require(DONE)
    stage.require_landed(before=2)


@pytest.mark.covers("key:git.auto_push")
@pytest.mark.parametrize("wanted", [True, False])
def test_auto_push_takes_the_target_to_the_remote(tmp_path: Path, wanted: bool) -> None:
    stage = stage_with(tmp_path, f"auto_push: {str(wanted).lower()}")
    bare = remote(stage, tmp_path)
    stage.auto().require(DONE)
    assert (stage.git("for-each-ref", where=bare) != "") == wanted


@pytest.mark.covers("key:git.main_branch")
def test_main_branch_is_what_a_milestone_lands_on(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "main_branch: trunk")
    stage.git("branch", "trunk")
    # It lands there; going on from a checkout that lacks it would do it twice.
    assert "git merge trunk" in stage.auto().require(BLOCKED).said
    stage.require_landed(target="trunk")
    assert stage.log() == ["first"]


@pytest.mark.covers("key:git.isolation", "promise:branch-isolation")
def test_branch_isolation_works_on_the_milestones_branch_in_the_checkout(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "isolation: branch")
    stage.auto("--max-units", "1").require(DONE)
    assert stage.git("branch", "--show-current").strip() == "milestone/M001"
    assert not (stage.state / "worktrees").exists()
    assert (stage.root / projects.product("M001", "S01", "T01")).exists()
    stage.auto().require(DONE)
    assert stage.git("branch", "--show-current").strip() == "main"
    stage.require_landed()


@pytest.mark.covers("key:git.isolation")
def test_without_isolation_the_branch_that_is_there_is_worked_on(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "isolation: none")
    stage.auto().require(DONE)
    assert stage.branches() == ["main"]
    assert len(stage.log()) == 4


@pytest.mark.covers("key:git.isolation", "promise:worktree-merges")
def test_a_milestone_in_a_worktree_is_merged_when_it_is_complete(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "isolation: worktree")
    stage.auto("--max-units", "1").require(DONE)
    assert (stage.worktree / ".git").is_file()
    assert not (stage.root / projects.product("M001", "S01", "T01")).exists()
    stage.auto().require(DONE)
    stage.require_landed()
    assert (stage.root / projects.product("M001", "S01", "T01")).exists()


@pytest.mark.covers("key:git.commit_docs")
@pytest.mark.parametrize("wanted", [True, False])
def test_commit_docs_says_whether_planning_files_are_in_git(tmp_path: Path, wanted: bool) -> None:
    shape = {} if wanted else {"plan_committed": False}
    stage = stage_with(tmp_path, f"commit_docs: {str(wanted).lower()}", **shape)
    (stage.root / ".git/info/exclude").write_text("" if wanted else ".gsd/\n")
    stage.auto().require(DONE)
    tracked = stage.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert projects.product("M001", "S01", "T01") in tracked
    assert any(path.startswith(".gsd/") for path in tracked) == wanted


@pytest.mark.covers("key:git.worktree_post_create")
def test_worktree_post_create_runs_in_the_new_worktree(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "worktree_post_create: made.sh")
    script = stage.root / "made.sh"
    script.write_text('#!/bin/sh\npwd > "$SOURCE_DIR/../made"\n')
    script.chmod(0o755)
    stage.git("add", "made.sh")
    stage.git("commit", "-qm", "hook")
    stage.auto("--max-units", "1").require(DONE)
    assert (tmp_path / "made").read_text().strip() == str(stage.worktree)


@pytest.mark.covers("promise:detached-head")
def test_a_worktree_whose_head_came_off_its_branch_is_put_back(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "commit_docs: true", tasks=2)
    stage.auto("--max-units", "1").require(DONE)
    stage.git("checkout", "-q", "--detach", where=stage.worktree)
    stage.auto().require(DONE)
    stage.require_landed()


@pytest.mark.covers("promise:detached-head")
def test_a_user_whose_head_is_detached_is_told_so_and_nothing_starts(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "commit_docs: true")
    stage.git("checkout", "-q", "--detach")
    ran = stage.auto()
    assert ran.code in (1, BLOCKED)
    assert "detached" in ran.said
    assert "git switch" in ran.said
    assert not stage.attempts()


@pytest.mark.covers("promise:verification-rerun")
def test_a_task_whose_gate_failed_runs_again_with_what_the_gate_said(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "commit_docs: true")
    unit = "execute-task/M001/S01/T01"
    wrong = tool("write", path=projects.product("M001", "S01", "T01"), content="something else\n")
    stage.replay(unit, [*steps(unit), wrong], steps(unit))
    stage.auto().require(DONE)
    assert [e["result"] for e in stage.events("attempt-ended")][:2] == ["verify-failed", "committed"]
    first, second = stage.prompts("M001-S01-T01")
    assert "grep -q M001/S01/T01" in second
    assert len(second) > len(first)
    stage.require_landed()


@pytest.mark.covers("promise:state-md")
def test_state_md_is_written_after_each_unit_and_never_read(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, "commit_docs: true", tasks=2)
    seen, unit = tmp_path / "seen", "execute-task/M001/S01/T02"
    stage.replay(unit, [raw_shell("cp", str(stage.state / "STATE.md"), str(seen)), *steps(unit)])
    (stage.state / "STATE.md").write_text("# GSD State\n\n**Active Slice:** S07\n**Phase:** complete\n")
    stage.auto().require(DONE)
    assert "T02" in seen.read_text()
    assert "S07" not in seen.read_text()
    assert "All milestones complete" in (stage.state / "STATE.md").read_text()
    assert stage.attempts() == 4
