import os
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import branches, commit, head, status, write
from milepost.git import refs
from milepost.git.commits import commit_unit
from milepost.git.put_right import WorkMisplaced, put_right_branch, take_back

BRANCH = "milestone/M001"


def settled(worktree: Path) -> set[str]:
    """What our own commit then contains."""
    commit_unit(worktree, branch=BRANCH, message="ours", excluded=lambda _: None)
    assert status(worktree) == []
    return set(run_git(worktree, "show", "--format=", "--name-only").split())


def test_nothing_wrong(worktree: Path) -> None:
    write(worktree, {"new": "1"})
    assert put_right_branch(worktree, BRANCH, head(worktree)) is None


def test_it_committed_by_itself(worktree: Path) -> None:
    base = head(worktree)
    theirs = commit(worktree, "agent", agent="1", src__store__py="1")
    write(worktree, {"loose": "1"})
    found = put_right_branch(worktree, BRANCH, base)
    assert found is not None
    assert (head(worktree, BRANCH), found.tip) == (base, theirs)
    assert theirs in {b.commit for b in refs.backups(worktree, "M001")}
    assert settled(worktree) == {"agent", "src/store/py", "loose"}
    assert head(worktree, "HEAD~1") == base


@pytest.mark.parametrize("way", ["new branch", "detached", "orphan"])
def test_it_left_the_branch(worktree: Path, way: str) -> None:
    base = head(worktree)
    args = {"new branch": ["switch", "-qc", "feature/x"], "detached": ["checkout", "-q", "--detach"],
            "orphan": ["checkout", "-q", "--orphan", "fresh"]}[way]  # fmt: skip
    run_git(worktree, *args)
    commit(worktree, "agent", agent="1")
    found = put_right_branch(worktree, BRANCH, base)
    assert found is not None
    assert not found.carried
    assert run_git(worktree, "symbolic-ref", "HEAD").strip() == f"refs/heads/{BRANCH}"
    assert settled(worktree) == {"agent"}


def test_it_amended_our_commit(worktree: Path) -> None:
    base = head(worktree)
    write(worktree, {"agent": "1"})
    run_git(worktree, "add", "-A")
    run_git(worktree, "commit", "-q", "--amend", "-m", "mine now")
    put_right_branch(worktree, BRANCH, base)
    assert settled(worktree) == {"agent"}
    assert head(worktree, "HEAD~1") == base


def test_it_reset_the_branch_and_worked_on(worktree: Path) -> None:
    base = head(worktree)
    run_git(worktree, "reset", "-q", "--hard", "HEAD~2")
    write(worktree, {"agent": "1"})
    found = put_right_branch(worktree, BRANCH, base)
    assert found is not None
    assert found.carried
    assert (worktree / "src/store.py").read_text() == "store\n"
    assert settled(worktree) == {"agent"}


def test_it_worked_on_a_branch_from_main(worktree: Path) -> None:
    base = head(worktree)
    run_git(worktree, "switch", "-qc", "feature/x", "main")
    commit(worktree, "agent", agent="1")
    write(worktree, {"loose": "1"})
    (worktree / "src/other.py").unlink()
    found = put_right_branch(worktree, BRANCH, base)
    assert found is not None
    assert found.carried
    assert settled(worktree) == {"agent", "loose", "src/other.py"}
    assert (worktree / "src/store.py").exists()
    assert "feature/x" in branches(worktree)


def test_work_that_does_not_fit_is_kept_and_said(worktree: Path) -> None:
    base = head(worktree)
    run_git(worktree, "switch", "-qc", "feature/x", "main")
    write(worktree, {"src/store.py": "quite different\n"})
    with pytest.raises(WorkMisplaced):
        put_right_branch(worktree, BRANCH, base)
    assert (worktree / "src/store.py").read_text() == "quite different\n"
    pins = [b.commit for b in refs.backups(worktree, "M001") if b.label == "agent-files"]
    assert run_git(worktree, "show", f"{pins[0]}:src/store.py") == "quite different\n"


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "revert"])
def test_it_left_something_half_done(worktree: Path, project: Path, operation: str) -> None:
    base = head(worktree)
    run_git(project, "switch", "-qc", "side", "main")
    commit(project, "side", **{"src__store.py": "side\n"})
    run_git(project, "switch", "-q", "main")
    argument = {"revert": "HEAD~1"}.get(operation, "side")
    os.system(f"cd '{worktree}' && git {operation} {argument} >/dev/null 2>&1")
    write(worktree, {"src/store.py": "resolved\n", "agent": "1"})
    found = put_right_branch(worktree, BRANCH, base)
    if operation != "revert":
        assert found is not None
        assert found.operation == operation
    # A rebase is undone as a whole: its working tree lacks half of the branch. What was resolved in it is pinned.
    assert settled(worktree) == ({"agent"} if operation == "rebase" else {"src/store.py", "agent"})
    assert len(run_git(worktree, "log", "-1", "--format=%P").split()) == 1


def test_the_branch_was_deleted(worktree: Path) -> None:
    base = head(worktree)
    run_git(worktree, "switch", "-qc", "renamed")
    run_git(worktree, "branch", "-qD", BRANCH)
    found = put_right_branch(worktree, BRANCH, base)
    assert found is not None
    assert found.tip is None
    assert head(worktree, BRANCH) == base


def test_running_it_again_is_fine(worktree: Path) -> None:
    base = head(worktree)
    commit(worktree, "agent", agent="1")
    put_right_branch(worktree, BRANCH, base)
    assert put_right_branch(worktree, BRANCH, base) is None


def test_single_files_are_taken_back(worktree: Path) -> None:
    write(worktree, {"src/store.py": "bad", "new/x": "bad", "fine": "1", "staged": "bad"})
    (worktree / "src/other.py").unlink()
    run_git(worktree, "add", "staged")
    take_back(worktree, ["src/store.py", "new/x", "src/other.py", "staged"])
    assert status(worktree) == ["?? fine"]
    assert (worktree / "src/store.py").read_text() == "store\n"
