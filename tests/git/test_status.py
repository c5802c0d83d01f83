import os
from pathlib import Path

from conftest import run_git
from git.arrange import commit, write
from milepost.git.status import dirty, fingerprint, look


def test_every_kind_of_change(repo: Path) -> None:
    commit(repo, **{"a b": "1", "gone": "1", "moved": "same\n", "staged": "1", ".gitignore": "*.log\n"})
    write(repo, {"a b": "2", "ünew/x": "1", "staged": "2", "noise.log": "x"})
    run_git(repo, "add", "staged")
    (repo / "gone").unlink()
    run_git(repo, "mv", "moved", "here")
    found = {c.path: (c.index, c.worktree) for c in dirty(repo)}
    assert found == {
        "a b": (".", "M"), "gone": (".", "D"), "staged": ("M", "."), "here": ("A", "."), "moved": ("D", "."),
        "ünew/x": ("?", "?"),
    }  # fmt: skip


def test_head_and_branch_in_the_same_look(repo: Path) -> None:
    assert (look(repo).branch, look(repo).changes) == ("main", ())
    run_git(repo, "checkout", "-q", "--detach")
    assert look(repo).branch is None


def test_a_conflict_is_unmerged(repo: Path) -> None:
    run_git(repo, "switch", "-qc", "side")
    commit(repo, f="side\n")
    run_git(repo, "switch", "-q", "main")
    commit(repo, f="main\n")
    os.system(f"git -C '{repo}' merge -q side >/dev/null 2>&1")
    assert [c.path for c in dirty(repo) if c.unmerged] == ["f"]


def test_a_repository_inside_is_one_change(repo: Path) -> None:
    write(repo / "inner", {"x": "1"})
    run_git(repo / "inner", "init", "-q")
    assert [(c.path, c.nested, c.untracked) for c in dirty(repo)] == [("inner", True, True)]


def test_the_fingerprint_moves_with_tracked_things_only(repo: Path) -> None:
    before = fingerprint(repo)
    write(repo, {"untracked": "x"})
    assert fingerprint(repo) == before
    write(repo, {"README.md": "changed"})
    changed = fingerprint(repo)
    assert changed != before
    write(repo, {"README.md": "changeD"})
    assert fingerprint(repo) != changed
    write(repo, {"README.md": "# A project\n"})
    assert fingerprint(repo) == before
    run_git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    run_git(repo, "config", "branch.main.remote", "origin")
    run_git(repo, "config", "branch.main.merge", "refs/heads/main")
    run_git(repo, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    assert fingerprint(repo) == before
    run_git(repo, "add", "untracked")
    assert fingerprint(repo) != before
    run_git(repo, "rm", "-q", "--cached", "untracked")
    run_git(repo, "commit", "-q", "--allow-empty", "-m", "x")
    assert fingerprint(repo) != before


def test_looking_changes_nothing(repo: Path) -> None:
    os.utime(repo / "README.md", (1, 1))
    before = (repo / ".git" / "index").read_bytes()
    dirty(repo)
    fingerprint(repo)
    assert (repo / ".git" / "index").read_bytes() == before
