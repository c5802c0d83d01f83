"""SIGKILL before and after each effect of the merge: the next run lands exactly once, and keeps what is the user's."""

from pathlib import Path

import pytest

from conftest import run_git
from git import doomed
from git.arrange import branches, commit, everything, head, plan_for, status, write
from milepost.git import merge
from milepost.git.merge import CheckResult

STEPS = (
    "commit", "pin", "merge", "check", "pin", "publish", "checkout", "push", "remove-worktree", "remove-branch",
)  # fmt: skip
ANNOUNCED = [f"{step} {at}" for step in STEPS for at in ("begin", "done")]


@pytest.fixture
def busy(project: Path, worktree: Path, tmp_path: Path) -> Path:
    """The user has staged, changed, untracked and ignored files; there is a remote; the worktree is dirty."""
    commit(worktree, **{"src__app.py": "rewritten\n", "gone_later": "1"})
    run_git(worktree, "rm", "-q", "src/other.py", "gone_later")
    run_git(worktree, "commit", "-qm", "removed")
    write(worktree, {"late.py": "late\n"})
    commit(project, mine="1", staged="1")
    run_git(tmp_path, "init", "-q", "--bare", "remote.git")
    run_git(project, "remote", "add", "origin", str(tmp_path / "remote.git"))
    write(project, {"mine": "changed", "staged": "2", "src/note": "untracked", "x.log": "ignored", "late.py": "late\n"})
    run_git(project, "add", "staged")
    write(project, {"staged": "3"})
    return project


def run(project: Path, worktree: Path, fatal: int) -> tuple[int, list[str]]:
    def check(place: Path) -> CheckResult:
        return CheckResult(passed=(place / "src/store.py").exists())

    def land(journal: doomed.Journal) -> str:
        outcome = merge.land(plan_for(project, worktree, push_to="origin"), journal=journal, check=check)
        return f"{type(outcome).__name__} {getattr(outcome, 'kept', '')}"

    return doomed.run(land, fatal)


def of_the_user(project: Path) -> tuple[dict[str, bytes], list[str], str]:
    files = everything(project)
    names = ("README.md", "mine", "staged", "src/note", "x.log", "late.py")
    return {name: files[name] for name in names}, [s for s in status(project) if "late" not in s], staged(project)


def staged(project: Path) -> str:
    return run_git(project, "show", ":staged")


@pytest.mark.spec(id="FM-94")
@pytest.mark.parametrize("fatal", range(len(ANNOUNCED)), ids=[name.replace(" ", "-") for name in ANNOUNCED])
def test_killed_and_run_again(busy: Path, worktree: Path, fatal: int) -> None:
    before, user = head(busy), of_the_user(busy)
    tip_files = set(run_git(worktree, "ls-files").split()) | {"late.py"}
    code, announced = run(busy, worktree, fatal)
    assert (code, announced[-1]) == (-9, ANNOUNCED[fatal])
    if ANNOUNCED[fatal] in ANNOUNCED[: ANNOUNCED.index("publish begin") + 1]:
        assert head(busy) == before
        assert of_the_user(busy) == user

    code, announced = run(busy, worktree, -1)
    assert code == 0
    assert announced[-1] == "Landed ()"
    assert run_git(busy, "log", "--format=%s", f"{before}..main").splitlines() == ["feat(M001): Store"]
    assert set(run_git(busy, "ls-tree", "-r", "--name-only", "main").split()) == tip_files | {"mine", "staged"}
    assert of_the_user(busy) == user
    assert not (busy / "src/other.py").exists()
    assert (busy / "src/app.py").read_text() == "rewritten\n"
    assert "milestone/M001" not in branches(busy)
    assert not worktree.exists()
    assert list((busy / ".gsd/worktrees").iterdir()) == []
    assert len(run_git(busy, "worktree", "list").splitlines()) == 1
    assert run_git(busy, "for-each-ref", "refs/gsd/landing") == ""
    assert head(busy.parent / "remote.git", "main") == head(busy)
    assert sorted(ref.rsplit("-", 1)[1] for ref in run_git(busy, "for-each-ref", "refs/gsd/backup").split()[2::3]) == [
        "target", "tip",
    ]  # fmt: skip


def test_every_step_was_walked(busy: Path, worktree: Path) -> None:
    _, announced = run(busy, worktree, -1)
    assert announced == [*ANNOUNCED, "Landed ()"]


def test_killed_while_files_are_being_written(busy: Path, worktree: Path) -> None:
    """Some of the result's files are on disk, one is missing, and the index is still the old one."""
    user = of_the_user(busy)
    run(busy, worktree, ANNOUNCED.index("publish done"))
    write(busy, {"src/store.py": "store\n"})
    (busy / "src/app.py").unlink()
    (busy / "src/other.py").unlink()
    _, announced = run(busy, worktree, -1)
    assert announced[-1] == "Landed ()"
    assert (busy / "src/app.py").read_text() == "rewritten\n"
    assert of_the_user(busy) == user


@pytest.mark.spec(id="FM-94")
@pytest.mark.parametrize("marked", [True, False], ids=["its .git is there", "its .git is gone"])
def test_killed_while_the_worktree_is_being_removed(busy: Path, worktree: Path, marked: bool) -> None:
    """What is missing from a half-removed worktree is not the milestone's work, and is never landed."""
    run(busy, worktree, ANNOUNCED.index("remove-worktree begin"))
    landed, user = head(busy), of_the_user(busy)
    run_git(busy, "update-ref", "refs/gsd/removing/M001", "milestone/M001")
    write(worktree, {"x.log": "ignored"})
    for name in ("README.md", "src/store.py") + (() if marked else (".git",)):
        (worktree / name).unlink()
    _, announced = run(busy, worktree, -1)
    assert announced[-1] == "Landed ()"
    assert head(busy) == landed
    assert of_the_user(busy) == user
    assert not worktree.exists()
    assert run_git(busy, "for-each-ref", "refs/gsd/removing") == ""


def test_a_half_removed_worktree_with_something_new_is_kept(busy: Path, worktree: Path) -> None:
    run(busy, worktree, ANNOUNCED.index("remove-worktree begin"))
    run_git(busy, "update-ref", "refs/gsd/removing/M001", "milestone/M001")
    (worktree / ".git").unlink()
    write(worktree, {"new": "1"})
    _, announced = run(busy, worktree, -1)
    assert "new" in announced[-1]
    assert (worktree / "new").exists()


def test_killed_before_the_files_follow_and_then_edited_by_the_user(busy: Path, worktree: Path) -> None:
    run(busy, worktree, ANNOUNCED.index("publish done"))
    old = (busy / "src/app.py").read_text()
    write(busy, {"src/app.py": "my edit\n"})
    _, announced = run(busy, worktree, -1)
    assert announced[-1].startswith("Refused")
    assert (busy / "src/app.py").read_text() == "my edit\n"
    assert worktree.exists()
    write(busy, {"src/app.py": old})
    _, announced = run(busy, worktree, -1)
    assert announced[-1] == "Landed ()"
