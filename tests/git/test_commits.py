import os
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head, status, write
from milepost.git import commits
from milepost.git.commits import CommitRefused, SigningFailed, Skipped, WrongBranch, commit_unit, find_attempt
from milepost.git.run import GitFailed


def nothing(_: str) -> None:
    return None


def not_m002(path: str) -> str | None:
    return "belongs to M002" if "M002" in path else None


def files_of(where: Path, name: str = "HEAD") -> set[str]:
    return set(run_git(where, "show", "--format=", "--name-only", "-z", "--no-renames", name).split("\0")) - {""}


def test_everything_that_changed_goes_in(repo: Path) -> None:
    commit(repo, gone="1", moved="same\n", staged="1", kept="1")
    write(repo, {"neü/a b": "1", "staged": "2", "[x]*": "odd", ":!kept": "odder"})
    run_git(repo, "add", "staged")
    run_git(repo, "mv", "moved", "here")
    (repo / "gone").unlink()
    made = commit_unit(repo, branch="main", message="feat: x\n\n# not a comment\n", excluded=nothing)
    assert made == head(repo)
    assert files_of(repo) == {"neü/a b", "staged", "[x]*", ":!kept", "here", "moved", "gone"}
    assert run_git(repo, "log", "-1", "--format=%B").rstrip() == "feat: x\n\n# not a comment"
    assert status(repo) == []


def test_nothing_to_commit(repo: Path) -> None:
    assert commit_unit(repo, branch="main", message="x", excluded=nothing) is None


def test_only_line_ends_that_git_normalises_is_nothing(repo: Path) -> None:
    commit(repo, **{".gitattributes": "* text=auto\n", "f": "one\n"})
    os.utime(repo / "f", (1, 1))
    write(repo, {"f": "one\r\n"})
    assert commit_unit(repo, branch="main", message="x", excluded=nothing) is None


def test_another_branch_is_refused_before_anything_is_staged(repo: Path) -> None:
    """gsd-2#5221: a worker whose directory is the main checkout."""
    write(repo, {"new": "1"})
    with pytest.raises(WrongBranch, match="HEAD is main, not milestone/M001"):
        commit_unit(repo, branch="milestone/M001", message="x", excluded=nothing)
    run_git(repo, "checkout", "-q", "--detach")
    with pytest.raises(WrongBranch, match="detached"):
        commit_unit(repo, branch="main", message="x", excluded=nothing)
    assert status(repo) == ["?? new"]


def test_another_milestones_files_stay_out(repo: Path) -> None:
    """gsd-2#1991."""
    write(repo, {"code": "1", "M002/x": "made up"})
    told: list[Skipped] = []
    commit_unit(repo, branch="main", message="x", excluded=not_m002, on_skip=told.append)
    assert files_of(repo) == {"code"}
    assert told == [Skipped(path="M002/x", reason="belongs to M002")]
    assert status(repo) == ["?? M002/x"]


def test_what_is_excluded_stays_out_even_when_staged(repo: Path) -> None:
    write(repo, {"code": "1", "M002/x": "made up", "both": "1"})
    run_git(repo, "add", "-A")
    write(repo, {"both": "2"})
    commit_unit(repo, branch="main", message="x", excluded=not_m002)
    assert files_of(repo) == {"code", "both"}
    assert run_git(repo, "show", "HEAD:both") == "2"
    assert status(repo) == ["A  M002/x"]


def test_only_excluded_changes_are_nothing(repo: Path) -> None:
    write(repo, {"M002/x": "made up"})
    run_git(repo, "add", "-A")
    assert commit_unit(repo, branch="main", message="x", excluded=not_m002) is None


def test_a_repository_inside_is_skipped_and_said(repo: Path) -> None:
    """gsd-2#3044."""
    write(repo, {"code": "1", "inner/x": "1"})
    run_git(repo / "inner", "init", "-q")
    told: list[Skipped] = []
    commit_unit(repo, branch="main", message="x", excluded=nothing, on_skip=told.append)
    assert files_of(repo) == {"code"}
    assert [s.path for s in told] == ["inner"]


def hook(repo: Path, name: str, text: str) -> None:
    path = repo / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_hooks_run_and_may_refuse(repo: Path) -> None:
    hook(repo, "pre-commit", "echo no good >&2; exit 1")
    write(repo, {"code": "1"})
    with pytest.raises(CommitRefused, match="no good") as caught:
        commit_unit(repo, branch="main", message="x", excluded=nothing)
    assert caught.value.output == "no good"
    assert run_git(repo, "log", "--format=%s") == "first\n"


def test_a_hook_may_format(repo: Path) -> None:
    hook(repo, "pre-commit", "echo formatted > code; git add code")
    write(repo, {"code": "raw"})
    commit_unit(repo, branch="main", message="x", excluded=nothing)
    assert run_git(repo, "show", "HEAD:code") == "formatted\n"
    assert status(repo) == []


def test_commit_signing_prompts_with_no_tty(repo: Path) -> None:
    """soleur#7644: fails with a reason instead of waiting for a passphrase."""
    asks = repo.parent / "asks"
    asks.write_text("#!/bin/sh\nread -r pass < /dev/tty || { echo 'cannot open tty' >&2; exit 2; }\n")
    asks.chmod(0o755)
    run_git(repo, "config", "commit.gpgSign", "true")
    run_git(repo, "config", "gpg.program", str(asks))
    run_git(repo, "config", "user.signingKey", "ABCD")
    write(repo, {"code": "1"})
    with pytest.raises(SigningFailed) as caught:
        commit_unit(repo, branch="main", message="x", excluded=nothing)
    assert "gpgSign" in caught.value.hint


def test_auto_commit_fails_because_of_a_lock(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gsd-2#2233: loudly."""
    monkeypatch.setattr("milepost.git.run._PAUSE_S", 0.001)
    (repo / ".git" / "index.lock").touch()
    write(repo, {"code": "1"})
    with pytest.raises(GitFailed, match="lock"):
        commit_unit(repo, branch="main", message="x", excluded=nothing)


def test_an_attempt_is_found_by_its_trailer(repo: Path) -> None:
    base = head(repo)
    write(repo, {"a": "1"})
    made = commit_unit(repo, branch="main", message="x\n\nGSD-Unit: u\nGSD-Attempt: a-1\n", excluded=nothing)
    commit(repo, "later", b="1")
    assert find_attempt(repo, "main", base, "a-1") == made
    assert find_attempt(repo, "main", base, "a-") is None
    assert find_attempt(repo, "main", str(made), "a-1") is None


def test_a_snapshot_has_everything_and_changes_nothing(repo: Path) -> None:
    commit(repo, **{"gone": "1", "changed": "1", ".gitignore": "*.log\n"})
    write(repo, {"changed": "2", "new/x": "1", "noise.log": "x", "inner/x": "1"})
    (repo / "gone").unlink()
    run_git(repo / "inner", "init", "-q")
    before, index = status(repo), (repo / ".git" / "index").read_bytes()
    made = commits.snapshot(repo)
    listed = set(run_git(repo, "ls-tree", "-r", "--name-only", made).split())
    assert listed == {".gitignore", "README.md", "changed", "new/x"}
    assert run_git(repo, "show", f"{made}:changed") == "2"
    assert (status(repo), (repo / ".git" / "index").read_bytes()) == (before, index)
    assert head(repo, f"{made}^") == head(repo)
