from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, everything, head, status, write
from milepost.git import planning
from milepost.git.planning import commit_planning
from milepost.git.repo import DetachedHead

ROADMAP = ".gsd/milestones/M001/M001-ROADMAP.md"


def test_only_the_named_files_are_committed(repo: Path) -> None:
    """gsd-2#2184, bug 4: planning artefacts untracked in main are there in a new worktree."""
    commit(repo, code="1", mine="1", both="1")
    write(repo, {ROADMAP: "# M001\n", "new": "untracked", "code": "changed", "mine": "staged", "both": "staged"})
    run_git(repo, "add", "mine", "both")
    write(repo, {"both": "and changed"})
    before, files = status(repo), everything(repo)
    made = commit_planning(repo, [ROADMAP], "docs(M001): plan")
    assert made == head(repo)
    assert run_git(repo, "show", "--format=%s", "--name-only").split() == ["docs(M001):", "plan", ROADMAP]
    assert status(repo) == [line for line in before if ROADMAP not in line]
    assert everything(repo) == files


def test_nothing_new_is_no_commit(repo: Path) -> None:
    write(repo, {ROADMAP: "# M001\n"})
    assert commit_planning(repo, [ROADMAP], "plan") is not None
    assert commit_planning(repo, [ROADMAP], "plan") is None


def test_a_deletion(repo: Path) -> None:
    commit(repo, old="1")
    (repo / "old").unlink()
    assert commit_planning(repo, ["old"], "plan")
    assert status(repo) == []


def test_what_the_user_staged_differently_stays_staged(repo: Path) -> None:
    commit(repo, **{"plan.md": "1"})
    write(repo, {"plan.md": "staged"})
    run_git(repo, "add", "plan.md")
    write(repo, {"plan.md": "on disk"})
    commit_planning(repo, ["plan.md"], "plan")
    assert run_git(repo, "show", "HEAD:plan.md") == "on disk"
    assert run_git(repo, "show", ":plan.md") == "staged"
    assert (repo / "plan.md").read_text() == "on disk"


def test_killed_between_index_and_ref(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {ROADMAP: "# M001\n", "mine": "x"})

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(planning, "compare_and_swap", killed)
        with pytest.raises(KeyboardInterrupt):
            commit_planning(repo, [ROADMAP], "plan")
    assert status(repo) == [f"A  {ROADMAP}", "?? mine"]
    assert commit_planning(repo, [ROADMAP], "plan") == head(repo)
    assert status(repo) == ["?? mine"]


def test_not_on_a_branch(repo: Path) -> None:
    run_git(repo, "checkout", "-q", "--detach")
    with pytest.raises(DetachedHead):
        commit_planning(repo, ["README.md"], "plan")
