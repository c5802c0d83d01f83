"""A lock that a killed git left is taken away; one that is or may be held is not."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from conftest import run_git
from fleet.stand import wait_until
from git.arrange import write
from milepost.git import left_lock, refs, run, worktrees
from milepost.git import repo as repository
from milepost.git.run import GitLocked, git

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="only /proc tells what a process is")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_PAUSE_S", 0.001)


def stood(lock: Path, seconds: float = 5.0, text: str = "") -> Path:
    """A lock that has stood for so long."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(text)
    at = time.time() - seconds
    os.utime(lock, (at, at))
    return lock


def sleeper(where: Path, *options: str) -> subprocess.Popen[bytes]:
    """A git that lives as long as its input is open, at work in `where`."""
    return subprocess.Popen(["git", "-C", str(where), *options, "cat-file", "--batch"], stdin=subprocess.PIPE)


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock"])
def test_a_commit_goes_through_a_lock_that_was_left_in_a_worktree_of_ours(
    project: Path, worktree: Path, name: str
) -> None:
    write(worktree, {"src/new.py": "new\n"})
    lock = stood(project / ".git/worktrees/M001" / name)
    git(worktree, "add", "src/new.py")
    git(worktree, "commit", "-qm", "new")
    assert not lock.exists()
    assert git(worktree, "show", "HEAD:src/new.py").out == "new\n"


@pytest.mark.parametrize("name", ["refs/heads/main.lock", "refs/heads/milestone/M001.lock"])
def test_a_ref_moves_although_a_killed_git_had_locked_it(project: Path, worktree: Path, name: str) -> None:
    lock = stood(project / ".git" / name)
    ref = name.removesuffix(".lock")
    tip, base = (run_git(project, "rev-parse", at).strip() for at in (ref, "main~1"))
    refs.compare_and_swap(project, ref, base, tip, why="test")
    assert not lock.exists()
    assert run_git(project, "rev-parse", ref).strip() == base
    assert run_git(project, "for-each-ref", "refs/heads").count("\n") <= 2, "nothing strange is left among the refs"


def test_a_lock_of_this_moment_is_held(project: Path, worktree: Path) -> None:
    lock = stood(project / ".git/worktrees/M001/index.lock", seconds=-600)
    with pytest.raises(GitLocked):
        git(worktree, "add", "-A")
    assert lock.exists()


def test_a_lock_in_the_users_checkout_is_given_a_minute(project: Path) -> None:
    write(project, {"src/new.py": "new\n"})
    lock = stood(project / ".git/index.lock", seconds=30)
    with pytest.raises(GitLocked):
        git(project, "add", "src/new.py")
    assert lock.exists()
    stood(lock, seconds=61)
    git(project, "add", "src/new.py")
    assert not lock.exists()


def test_as_long_as_a_git_lives_that_may_hold_it_it_stands(project: Path, worktree: Path) -> None:
    process = sleeper(worktree)
    lock = project / ".git/worktrees/M001/index.lock"
    try:
        wait_until(lambda: os.readlink(f"/proc/{process.pid}/cwd") == str(worktree))
        # Written after that git began, and long ago enough.
        lock.touch()
        wait_until(lambda: time.time() - lock.stat().st_mtime > 1.5)
        assert not left_lock.take_away(lock, ours=True)
        assert lock.exists()
    finally:
        process.communicate()
    assert left_lock.take_away(lock, ours=True)


@pytest.mark.parametrize(
    "words", [(), ("--git-dir", "{git}"), ("--git-dir={git}",)], ids=["elsewhere", "told", "told-in-one-word"]
)
def test_a_git_that_works_elsewhere_holds_no_lock_of_a_worktree(
    project: Path, worktree: Path, words: tuple[str, ...]
) -> None:
    process = sleeper(project, *(word.format(git=project / ".git/worktrees/M001") for word in words))
    lock = project / ".git/worktrees/M001/index.lock"
    try:
        wait_until(lambda: os.readlink(f"/proc/{process.pid}/cwd") == str(project))
        lock.touch()
        wait_until(lambda: time.time() - lock.stat().st_mtime > 1.5)
        assert left_lock.take_away(lock, ours=True) == (not words)
    finally:
        process.communicate()


def test_what_a_merge_of_ours_holds_is_left_to_it(project: Path, worktree: Path) -> None:
    lock = stood(project / ".git/worktrees/M001/index.lock", text="milepost: a merge is being brought …\n")
    assert not left_lock.take_away(lock, ours=True)
    assert lock.exists()


def test_entering_a_worktree_sweeps_it(project: Path, worktree: Path) -> None:
    """What is left there would stop the agent's own git, which asks nobody."""
    names = ("index.lock", "HEAD.lock", "ORIG_HEAD.lock")
    locks = [stood(project / ".git/worktrees/M001" / name) for name in names]
    worktrees.ensure(repository.inspect(project), "M001", "main")
    assert not [lock for lock in locks if lock.exists()]


def test_a_worktree_of_somebody_else_is_given_a_minute(project: Path, tmp_path: Path) -> None:
    run_git(project, "worktree", "add", "-q", str(tmp_path / "side"))
    lock = stood(project / ".git/worktrees/side/index.lock", seconds=30)
    assert not left_lock.of_ours(lock)
    assert left_lock.of_ours(project / ".git/refs/heads/main.lock")
    assert left_lock.of_ours(project / ".git/packed-refs.lock")
    assert not left_lock.of_ours(project / ".git/HEAD.lock")
