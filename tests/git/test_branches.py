from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import branches, commit, head, status, write
from milepost.git.branches import CheckoutDirty, enter_branch, leave_branch
from milepost.git.repo import NotReady
from milepost.git.worktrees import BranchBusy

BRANCH = "milestone/M001"


def test_in_and_out(project: Path) -> None:
    """gsd-2#4389: branch mode really has its branch."""
    assert enter_branch(project, "M001", "main") == BRANCH
    assert run_git(project, "symbolic-ref", "--short", "HEAD").strip() == BRANCH
    made = commit(project, a="1")
    leave_branch(project, "main")
    assert (head(project, BRANCH), (project / "a").exists()) == (made, False)
    enter_branch(project, "M001", "main")
    assert head(project) == made


def test_untracked_files_stay(project: Path) -> None:
    write(project, {"mine": "1"})
    enter_branch(project, "M001", "main")
    leave_branch(project, "main")
    assert status(project) == ["?? mine"]


def test_tracked_changes_are_refused(project: Path) -> None:
    write(project, {"src/app.py": "mine"})
    with pytest.raises(CheckoutDirty) as caught:
        enter_branch(project, "M001", "main")
    assert caught.value.paths == ("src/app.py",)
    assert BRANCH not in branches(project)


def test_an_untracked_or_ignored_file_in_the_way(project: Path) -> None:
    enter_branch(project, "M001", "main")
    commit(project, new="theirs")
    write(project, {"x.log": "theirs"})
    run_git(project, "add", "-f", "x.log")
    run_git(project, "commit", "-qm", "log")
    leave_branch(project, "main")
    write(project, {"x.log": "mine"})
    with pytest.raises(NotReady, match=r"x\.log"):
        enter_branch(project, "M001", "main")
    assert (project / "x.log").read_text() == "mine"


def test_the_branch_has_a_worktree(worktree: Path, project: Path) -> None:
    with pytest.raises(BranchBusy, match=str(worktree)):
        enter_branch(project, "M001", "main")
