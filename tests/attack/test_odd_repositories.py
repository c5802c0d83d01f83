"""Repositories that are set up in ways nobody thinks of, and locks that somebody left."""

import pytest

from milepost.testing.projects import raw_shell, steps
from scenarios.stage import BLOCKED, DONE, Stage

TASK = "execute-task/M001/S01/T01"


def test_a_tracked_plan_below_an_ignored_directory_is_committed(stage: Stage) -> None:
    stage.make()
    (stage.root / ".gitignore").write_text(".gsd/\n")
    stage.git("add", ".gitignore")
    stage.git("commit", "-qm", "ignore")
    stage.auto().require(DONE)
    stage.require_landed(before=2)
    assert "- [x] **T01" in stage.git("show", "main:.gsd/milestones/M001/slices/S01/S01-PLAN.md")


def test_a_sparse_checkout_is_no_obstacle(stage: Stage) -> None:
    stage.make()
    stage.git("sparse-checkout", "set", ".gsd", "src")
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.git("show", "main:work/M001-S01-T01.txt") == "made by M001/S01/T01\n"


def test_a_lock_in_the_users_checkout_is_named(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [*steps(TASK), raw_shell("touch", str(stage.root / ".git/index.lock"))])
    ran = stage.auto().require(BLOCKED)
    assert "index.lock" in ran.said
    assert stage.log() == ["first"]
    (stage.root / ".git/index.lock").unlink()
    stage.auto().require(DONE)
    assert stage.attempts() == 3


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", ".gitmodules", ".mailmap"])
def test_a_pipe_where_git_reads_a_file_is_removed(stage: Stage, name: str) -> None:
    """Git would wait for its other end, for five minutes in every call."""
    stage.make()
    stage.replay(TASK, [*steps(TASK), raw_shell("sh", "-c", f"rm -f {name}; mkfifo {name}")])
    stage.auto().require(DONE)
    stage.require_landed()
    [taken] = [event for event in stage.events("corrected") if "where git reads" in str(event["what"])]
    assert taken["paths"] == [name]


def test_a_branch_of_that_name_with_other_history_is_refused(stage: Stage) -> None:
    stage.make()
    empty = stage.git("commit-tree", "-m", "unrelated", stage.git("mktree", ok=(0,)).strip()).strip()
    stage.git("branch", "milestone/M001", empty)
    ran = stage.auto().require(BLOCKED)
    assert "has no history in common with main" in ran.err
    assert stage.git("rev-parse", "milestone/M001").strip() == empty
    assert stage.attempts() == 0


@pytest.mark.parametrize("deed", ["rm -rf {root}/.git/worktrees/M001", "git -C {root} worktree remove --force $PWD"])
def test_a_worktree_that_was_unregistered_stops_with_what_to_do(stage: Stage, deed: str) -> None:
    stage.make()
    stage.replay(TASK, [*steps(TASK), raw_shell("sh", "-c", deed.format(root=stage.root) + "; mkdir -p $PWD/x")])
    before = stage.git("rev-parse", "main", "HEAD")
    for _ in range(2):
        stage.auto().require(BLOCKED)
        assert stage.git("rev-parse", "main", "HEAD") == before
        assert stage.git("symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_a_slice_that_a_task_renames_has_its_name_back(stage: Stage) -> None:
    stage.make()
    rename = "sed -i 's/S01/S07/' .gsd/milestones/M001/M001-ROADMAP.md"
    stage.replay(TASK, [*steps(TASK), raw_shell("sh", "-c", rename)])
    ran = stage.auto().require(DONE)
    assert "struck out parts" in ran.out
    assert stage.attempts() == 3
