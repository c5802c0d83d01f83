"""While the target moves under a checkout nobody commits there; what cuts git off in it is finished, not undone."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head, plan_for, status, write
from milepost.git import hold, merge, publish
from milepost.git.hold import IndexBusy, held
from milepost.git.merge import Landed, Refused

TESTS = Path(__file__).parent.parent
GIT_ONLY = "kill -9 $PPID"
"""By a filter: its parent is the git that checks out."""
CHILD = """
import sys
import time
from pathlib import Path
from git.arrange import plan_for
from milepost.git import merge
merge.land(plan_for(Path(sys.argv[1]), Path(sys.argv[2])), journal=lambda *_: None)
"""
ALL = "kill -9 $(ps -o ppid= -p $PPID) $PPID"
"""The process that started that git, too."""


def filtered(project: Path, worktree: Path, command: str, *, times: int = 1) -> Path:
    """What is checked out of `src/store.py` goes through a filter that does something else, so many times."""
    flag = project.parent / "times"
    flag.write_text("x" * times)
    script = f"if test -s '{flag}'; then printf '%s' \"$(cut -c2- '{flag}')\" > '{flag}'; head -c 2; {command}; fi; cat"
    smudge = project.parent / "smudge"
    smudge.write_text(script)
    run_git(project, "config", "filter.odd.smudge", f"exec sh '{smudge}'")
    run_git(project, "config", "filter.odd.clean", "cat")
    run_git(project, "config", "filter.odd.required", "true")
    run_git(worktree, "config", "filter.odd.smudge", f"exec sh '{smudge}'")
    write(project, {".git/info/attributes": "src/store.py filter=odd\n"})
    return flag


def locks(project: Path) -> list[str]:
    return [str(path.relative_to(project)) for path in (project / ".git").rglob("*") if "lock" in path.name or "gsd." in path.name]  # fmt: skip # noqa: E501


def land(project: Path, worktree: Path) -> merge.Outcome:
    return merge.land(plan_for(project, worktree), journal=lambda *_: None)


def require_whole(project: Path, user: list[str]) -> None:
    """The milestone is there, its files as they should be; of the user nothing changed; no lock is left."""
    assert (project / "src/store.py").read_text() == "store\n"
    assert status(project) == user
    assert locks(project) == []


@pytest.fixture
def user(project: Path) -> list[str]:
    """Something staged, something changed."""
    write(project, {"mine.py": "mine\n", "src/other.py": "changed\n"})
    run_git(project, "add", "mine.py")
    return status(project)


def test_a_commit_from_the_index_of_before_is_refused_and_takes_nothing_out(
    project: Path, worktree: Path, user: list[str]
) -> None:
    """`git commit` between the moment that main moved and the one at which the index did."""
    said: list[str] = []

    def somebody(step: str, facts: Mapping[str, str]) -> None:
        if (step, facts["at"]) == ("publish", "done"):
            tried = subprocess.run(["git", "-C", str(project), "commit", "-qm", "mine"], capture_output=True, text=True, check=False)  # fmt: skip # noqa: E501
            said.append(tried.stderr)

    assert isinstance(merge.land(plan_for(project, worktree), journal=somebody), Landed)
    assert len(said) == 1 and "index.lock" in said[0]
    require_whole(project, user)
    run_git(project, "commit", "-qm", "mine")
    assert set(run_git(project, "diff", "--name-only", "HEAD^", "HEAD").split()) == {"mine.py"}


def test_git_killed_in_the_middle_of_a_file(project: Path, worktree: Path, user: list[str]) -> None:
    """The out-of-memory killer: the same call goes on from what is there."""
    flag = filtered(project, worktree, GIT_ONLY)
    assert isinstance(land(project, worktree), Landed)
    assert flag.read_text() == ""
    require_whole(project, user)


def test_everything_killed_in_the_middle_of_a_file(project: Path, worktree: Path, user: list[str]) -> None:
    """Main has moved and the files have not: until the next run nobody can commit the old ones by mistake."""
    flag = filtered(project, worktree, ALL)
    env = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    argv = [sys.executable, "-c", CHILD, str(project), str(worktree)]
    done = subprocess.run(argv, env=env, check=False, capture_output=True, text=True)
    assert (done.returncode, flag.read_text()) == (-9, "")
    assert publish.noted(project) == ("M001",)
    tried = subprocess.run(["git", "-C", str(project), "commit", "-qm", "mine"], capture_output=True, text=True, check=False)  # fmt: skip # noqa: E501
    assert "index.lock" in tried.stderr

    assert isinstance(land(project, worktree), Landed)
    require_whole(project, user)


def test_git_that_cannot_write_the_files_is_no_change_of_the_users(
    project: Path, worktree: Path, user: list[str]
) -> None:
    """A full disk, a filter that fails: said as it is, and finished by the next run."""
    filtered(project, worktree, "exit 1", times=2)
    refused = land(project, worktree)
    assert isinstance(refused, Refused)
    assert "could not be brought to" in refused.reason and not refused.paths
    assert locks(project) == []
    assert isinstance(land(project, worktree), Landed)
    require_whole(project, user)


def test_another_git_that_stays_is_named(project: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "_WAIT_S", 0.1)
    before = head(project, "main")
    lock = project / ".git/index.lock"
    lock.touch()
    refused = land(project, worktree)
    assert isinstance(refused, Refused)
    assert "another git is at work" in refused.reason and str(lock) in refused.hint
    assert (head(project, "main"), status(project), lock.read_bytes()) == (before, [], b"")
    lock.unlink()
    assert isinstance(land(project, worktree), Landed)
    require_whole(project, [])


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="only /proc tells what a process is")
def test_a_lock_that_a_killed_git_left_long_ago_is_no_obstacle(project: Path, worktree: Path) -> None:
    lock = project / ".git/index.lock"
    lock.touch()
    os.utime(lock, (time.time() - 90,) * 2)
    assert isinstance(land(project, worktree), Landed)
    assert locks(project) == []
    require_whole(project, [])


def test_a_hold_that_is_held_is_not_taken_over(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "_WAIT_S", 0.1)
    with held(project), pytest.raises(IndexBusy), held(project):
        pass
    assert locks(project) == []
    with held(project):
        pass


def test_what_is_kept_is_the_index_with_its_times(project: Path) -> None:
    """Git looks again at a file that is as young as the index that names it."""
    real = project / ".git/index"
    with held(project) as hand:
        assert hand.index.stat().st_mtime_ns == real.stat().st_mtime_ns
        run_git(project, "status")
        commit_blob = run_git(project, "hash-object", "-w", "README.md").strip()
        listed = ["git", "-C", str(project), "update-index", "--add", "--cacheinfo", f"100644,{commit_blob},new.md"]
        subprocess.run(listed, check=True, env={**os.environ, "GIT_INDEX_FILE": str(hand.index)})
        assert "new.md" not in run_git(project, "ls-files")
        hand.keep()
    assert "new.md" in run_git(project, "ls-files")


def test_a_linked_checkout_of_the_target_is_held_too(project: Path, worktree: Path) -> None:
    """The user has main in a worktree of their own, and something else at the root."""
    run_git(project, "switch", "-qc", "side")
    run_git(project, "worktree", "add", "-q", str(project.parent / "linked"), "main")
    linked = project.parent / "linked"
    commit(linked, linked="1")
    assert isinstance(land(project, worktree), Landed)
    assert (linked / "src/store.py").exists() and not (project / "src/store.py").exists()
    assert (status(linked), locks(project)) == ([], [])
