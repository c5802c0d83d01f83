import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import run_git
from milepost.git import run
from milepost.git.run import DubiousOwnership, GitFailed, GitLocked, GitTimedOut, GitUnusable, git


def test_output_and_code(repo: Path) -> None:
    assert git(repo, "rev-parse", "--abbrev-ref", "HEAD").line == "main"
    assert git(repo, "diff", "--quiet", ok=(0, 1)).code == 0


def test_unexpected_code_is_typed_and_one_line(repo: Path) -> None:
    with pytest.raises(GitFailed) as caught:
        git(repo, "rev-parse", "--verify", "nonsense")
    assert caught.value.code == 128
    assert "\n" not in str(caught.value)
    assert "fatal:" in str(caught.value)


def test_variables_that_redirect_git_are_scrubbed(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert git(repo, "rev-parse", "--show-toplevel").line == str(repo)


def test_identity_from_the_environment_is_kept(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")
    assert git(repo, "var", "GIT_AUTHOR_IDENT").out.startswith("Grace ")


def test_names_that_are_not_utf8_survive(repo: Path) -> None:
    name = b"caf\xe9.txt"
    Path(os.fsdecode(os.path.join(os.fsencode(repo), name))).write_text("x")
    listed = git(repo, "ls-files", "-z", "--others").out
    assert run.raw(listed) == name + b"\0"


def test_a_lock_that_goes_away_is_waited_for(repo: Path) -> None:
    lock = repo / ".git" / "index.lock"
    lock.touch()
    (repo / "new").write_text("x")
    timer = threading.Timer(0.1, lock.unlink)
    timer.start()
    git(repo, "add", "new")
    assert "new" in run_git(repo, "ls-files")


def test_a_worktree_that_another_process_is_adding_is_waited_for(repo: Path, tmp_path: Path) -> None:
    """Git reads the files of every worktree, and dies of one that is written just now."""
    run_git(repo, "worktree", "add", "-q", str(tmp_path / "side"))
    half_made = repo / ".git/worktrees/side/commondir"
    text = half_made.read_text()
    half_made.write_text("")
    timer = threading.Timer(0.1, half_made.write_text, [text])
    timer.start()
    assert str(tmp_path / "side") in git(repo, "worktree", "list").out


def test_a_worktree_that_stays_half_made_is_said(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_PAUSE_S", 0.001)
    run_git(repo, "worktree", "add", "-q", str(tmp_path / "side"))
    (repo / ".git/worktrees/side/commondir").write_text("")
    with pytest.raises(GitFailed, match="commondir"):
        git(repo, "worktree", "list")


def test_a_lock_that_stays_is_typed(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_PAUSE_S", 0.001)
    (repo / ".git" / "index.lock").touch()
    (repo / "new").write_text("x")
    with pytest.raises(GitLocked) as caught:
        git(repo, "add", "new")
    assert "lock" in caught.value.hint


def test_a_lost_compare_and_swap_is_not_retried(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_PAUSE_S", 100.0)
    now = git(repo, "rev-parse", "HEAD").line
    with pytest.raises(GitFailed):
        git(repo, "update-ref", "refs/heads/main", now, "1" * 40)


def test_a_hanging_hook_is_killed_with_its_group(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nsleep 60 & echo $! > "$PWD/child"; wait\n')
    hook.chmod(0o755)
    with pytest.raises(GitTimedOut):
        git(repo, "commit", "--allow-empty", "-m", "x", timeout_s=1.0)
    child = int((repo / "child").read_text())
    for _ in range(100):
        if not _runs(child):
            break
        time.sleep(0.02)
    assert not _runs(child)


def test_a_daemon_left_by_a_hook_does_not_hold_us_up(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nsleep 30 &\necho $! > "$PWD/child"\n')
    hook.chmod(0o755)
    git(repo, "commit", "--allow-empty", "-m", "x", timeout_s=20.0)
    os.kill(int((repo / "child").read_text()), 9)


def test_there_is_no_terminal_to_ask_on(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nread answer && exit 1\n(: < /dev/tty) 2>/dev/null && exit 1\nexit 0\n")
    hook.chmod(0o755)
    git(repo, "commit", "--allow-empty", "-m", "x")


def test_dubious_ownership_has_the_command_to_type(repo: Path) -> None:
    with pytest.raises(DubiousOwnership) as caught:
        git(repo, "rev-parse", "HEAD", env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert caught.value.hint == f"git config --global --add safe.directory {repo}"


def test_no_git_on_path(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo))
    with pytest.raises(GitUnusable):
        git(repo, "rev-parse", "HEAD")


def test_a_git_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\necho git version 2.30.1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    run.version.cache_clear()
    with pytest.raises(GitUnusable, match=r"2\.38"):
        run.version()
    run.version.cache_clear()


def test_a_secret_in_a_url_is_not_repeated(repo: Path) -> None:
    with pytest.raises(GitFailed) as caught:
        git(repo, "ls-remote", "file://user:hunter2@localhost/nowhere")
    assert "hunter2" not in str(caught.value)


def _runs(pid: int) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return done.stdout.strip() not in ("", "Z", "Zs")
