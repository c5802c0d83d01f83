import os
import shutil
import threading
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import branches, commit, head, status, write
from milepost.git import worktrees
from milepost.git.repo import inspect
from milepost.git.worktrees import (
    BranchBusy,
    BranchDiverged,
    IsolationBroken,
    PathTaken,
    WorktreeUnusable,
    ensure,
    prove,
    prove_place,
)
from milepost.model.ids import BadId

BRANCH = "milestone/M001"


@pytest.mark.spec(id="PR-323")
def test_a_new_one(project: Path) -> None:
    made = ensure(inspect(project), "M001", "main")
    assert made.created
    assert made.path == project / ".gsd/worktrees/M001"
    assert made.base == head(project)
    assert run_git(made.path, "symbolic-ref", "HEAD").strip() == f"refs/heads/{BRANCH}"
    assert status(project) == []
    assert "[branch" not in (project / ".git/config").read_text()


def test_it_is_reused(worktree: Path, project: Path) -> None:
    write(worktree, {"loose": "1"})
    again = ensure(inspect(project), "M001", "main")
    assert not again.created
    assert again.base == head(project)
    assert status(worktree) == ["?? loose"]


@pytest.mark.spec(id="PR-323")
@pytest.mark.spec(id="FM-62")
def test_an_existing_branch_is_attached(project: Path) -> None:
    run_git(project, "branch", BRANCH)
    tip = head(project)
    commit(project, later="1")
    made = ensure(inspect(project), "M001", "main")
    assert (head(made.path), made.base) == (tip, tip)


@pytest.mark.spec(id="PR-323")
@pytest.mark.spec(id="FM-61")
def test_a_registration_whose_directory_is_gone(worktree: Path, project: Path) -> None:
    """Restart after somebody removed the directory by hand: the branch has everything."""
    tip = head(worktree)
    shutil.rmtree(worktree)
    assert not worktrees.exists(inspect(project), "M001")
    made = ensure(inspect(project), "M001", "main")
    assert head(made.path) == tip


def test_a_locked_registration_whose_directory_is_gone(worktree: Path, project: Path) -> None:
    run_git(project, "worktree", "lock", "--reason", "on a stick", str(worktree))
    shutil.rmtree(worktree)
    with pytest.raises(WorktreeUnusable, match="on a stick"):
        ensure(inspect(project), "M001", "main")


@pytest.mark.spec(id="PR-323")
@pytest.mark.spec(id="DV-22")
@pytest.mark.spec(id="FM-21")
def test_something_else_stands_there(project: Path) -> None:
    """gsd-2#5218: no ghost worktree, nothing removed."""
    place = project / ".gsd/worktrees/M001"
    write(place, {"precious": "1"})
    with pytest.raises(PathTaken):
        ensure(inspect(project), "M001", "main")
    assert (place / "precious").read_text() == "1"
    assert BRANCH not in branches(project)


def test_a_worktree_of_another_repository_stands_there(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run_git(other, "init", "-q", "-b", "main")
    commit(other, a="1")
    run_git(other, "worktree", "add", "-q", "-b", BRANCH, str(project / ".gsd/worktrees/M001"))
    with pytest.raises(PathTaken):
        ensure(inspect(project), "M001", "main")


def test_an_empty_directory_is_used(project: Path) -> None:
    (project / ".gsd/worktrees/M001").mkdir(parents=True)
    assert ensure(inspect(project), "M001", "main").created


@pytest.mark.spec(id="PR-323")
@pytest.mark.spec(id="FM-61")
def test_the_branch_is_checked_out_elsewhere(project: Path, tmp_path: Path) -> None:
    """gsd-2#5218."""
    run_git(project, "worktree", "add", "-q", "-b", BRANCH, str(tmp_path / "elsewhere"))
    with pytest.raises(BranchBusy, match="elsewhere"):
        ensure(inspect(project), "M001", "main")


def test_a_branch_named_milestone_is_in_the_way(project: Path) -> None:
    run_git(project, "branch", "milestone")
    with pytest.raises(WorktreeUnusable):
        ensure(inspect(project), "M001", "main")


def test_while_another_process_adds_one(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads the files of all worktrees, and dies of one that is written just now: with the branch made already."""
    run_git(project, "worktree", "add", "-q", str(tmp_path / "side"))
    half_made = project / ".git/worktrees/side/commondir"
    text, real = half_made.read_text(), worktrees.git

    def git(where: Path, *args: str, **more: object) -> object:
        if args[:2] == ("worktree", "add"):
            half_made.write_text("")
            threading.Timer(0.1, half_made.write_text, [text]).start()
        return real(where, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(worktrees, "git", git)
    assert ensure(inspect(project), "M001", "main").created


def test_a_post_checkout_hook_that_fails_is_no_obstacle(project: Path) -> None:
    hook = project / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 2\n")
    hook.chmod(0o755)
    assert status(ensure(inspect(project), "M001", "main").path) == []


def test_no_such_start(project: Path) -> None:
    with pytest.raises(WorktreeUnusable, match="nowhere"):
        ensure(inspect(project), "M001", "nowhere")


@pytest.mark.spec(id="PR-323")
@pytest.mark.spec(id="FM-50")
def test_an_id_that_leads_outside(project: Path) -> None:
    with pytest.raises(BadId):
        ensure(inspect(project), "../M001", "main")


@pytest.mark.spec(id="FM-87")
def test_head_detached_ahead_moves_the_branch(worktree: Path, project: Path) -> None:
    """gsd-2#1846: 32 commits were lost."""
    run_git(worktree, "checkout", "-q", "--detach")
    ahead = commit(worktree, more="1")
    write(worktree, {"loose": "1"})
    found = ensure(inspect(project), "M001", "main")
    assert ahead[:10] in found.note
    assert head(project, BRANCH) == ahead
    assert status(worktree) == ["?? loose"]


@pytest.mark.spec(id="FM-62")
@pytest.mark.spec(id="FM-87")
def test_head_detached_and_diverged_stops(worktree: Path, project: Path) -> None:
    tip = head(worktree)
    run_git(worktree, "checkout", "-q", "--detach", "HEAD~1")
    other = commit(worktree, more="1")
    with pytest.raises(BranchDiverged):
        ensure(inspect(project), "M001", "main")
    assert (head(project, BRANCH), head(worktree)) == (tip, other)


def test_head_detached_behind(worktree: Path, project: Path) -> None:
    tip = head(worktree)
    run_git(worktree, "checkout", "-q", "--detach", "HEAD~1")
    ensure(inspect(project), "M001", "main")
    assert (head(worktree), status(worktree)) == (tip, [])


def test_on_another_branch_stops(worktree: Path, project: Path) -> None:
    run_git(worktree, "switch", "-qc", "mine")
    with pytest.raises(WorktreeUnusable, match="on mine"):
        ensure(inspect(project), "M001", "main")


def test_an_interrupted_creation_is_finished(worktree: Path, project: Path) -> None:
    admin = project / ".git/worktrees/M001"
    (admin / "index").unlink()
    (admin / "index.lock").touch()
    (admin / "locked").write_text("initializing")
    (worktree / "src/store.py").unlink()
    (worktree / "src/app.py").write_text("line 1\nli")
    found = ensure(inspect(project), "M001", "main")
    assert "interrupted" in found.note
    assert status(worktree) == []
    assert not (admin / "locked").exists()


def test_the_project_was_moved(worktree: Path, project: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    project.rename(moved)
    found = ensure(inspect(moved), "M001", "main")
    assert found.path == moved / ".gsd/worktrees/M001"
    assert not found.created


class TestProof:
    def test_top_level(self, project: Path) -> None:
        made = ensure(inspect(project), "M001", "main")
        prove(made)
        shutil.rmtree(made.path)
        made.path.mkdir()
        with pytest.raises(IsolationBroken):
            prove(made)

    def test_head(self, project: Path) -> None:
        made = ensure(inspect(project), "M001", "main")
        run_git(made.path, "switch", "-qc", "other")
        with pytest.raises(IsolationBroken) as caught:
            prove(made)
        assert (caught.value.what, caught.value.found) == ("HEAD", "refs/heads/other")

    def test_repository(self, project: Path, tmp_path: Path) -> None:
        made = ensure(inspect(project), "M001", "main")
        run_git(tmp_path, "clone", "-q", str(project), "clone")
        other = ensure(inspect(tmp_path / "clone"), "M001", "main")
        (made.path / ".git").write_text((other.path / ".git").read_text())
        with pytest.raises(IsolationBroken):
            prove(made)

    def test_registration(self, project: Path, tmp_path: Path) -> None:
        made = ensure(inspect(project), "M001", "main")
        shutil.copytree(made.path, tmp_path / "copy")
        with pytest.raises(IsolationBroken) as caught:
            prove_place(tmp_path / "copy", BRANCH, isolation="worktree")
        assert caught.value.what == "registration"

    def test_the_main_checkout_is_no_worktree(self, project: Path) -> None:
        prove_place(project, "main", isolation="none")
        with pytest.raises(IsolationBroken):
            prove_place(project, "main", isolation="worktree")
        with pytest.raises(IsolationBroken):
            prove_place(project / "src", "main", isolation="none")


class TestIncluded:
    def test_only_ignored_files_that_are_listed(self, project: Path) -> None:
        write(project, {
            ".gitignore": ".gsd/worktrees/\n.env*\nnode_modules/\nconf/*.json\n",
            ".worktreeinclude": "# keys\n.env\nconf/*.json\nplain.txt\n",
            ".env": "KEY=1\n", ".env.other": "x", "conf/local dev.json": "{}", "plain.txt": "not ignored",
            "node_modules/x/.env": "also named .env",
        })  # fmt: skip
        os.symlink("/etc/hostname", project / "conf/link.json")
        made = ensure(inspect(project), "M001", "main")
        copied = worktrees.copy_included(inspect(project), made)
        assert set(copied) == {".env", "conf/local dev.json", "conf/link.json", "node_modules/x/.env"}
        assert (made.path / ".env").read_text() == "KEY=1\n"
        assert (made.path / "conf/link.json").is_symlink()

    def test_nothing_is_written_over_or_outside(self, project: Path, tmp_path: Path) -> None:
        write(project, {".gitignore": ".gsd/worktrees/\n.env\nout/\n", ".worktreeinclude": ".env\nout/\n",
                        ".env": "root", "out/secret": "x"})  # fmt: skip
        made = ensure(inspect(project), "M001", "main")
        write(made.path, {".env": "own"})
        os.symlink(tmp_path, made.path / "out")
        assert worktrees.copy_included(inspect(project), made) == ()
        assert (made.path / ".env").read_text() == "own"
        assert not (tmp_path / "secret").exists()
