from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head
from milepost.git import refs


def test_resolve(repo: Path) -> None:
    assert refs.resolve(repo, "main") == head(repo)
    assert refs.resolve(repo, "nothing") is None
    assert refs.branch_tip(repo, "main") == head(repo)


@pytest.mark.spec(id="FM-62")
def test_compare_and_swap(repo: Path) -> None:
    old = head(repo)
    new = commit(repo, a="1")
    refs.compare_and_swap(repo, "refs/heads/side", old, refs.ABSENT)
    refs.compare_and_swap(repo, "refs/heads/side", new, old)
    with pytest.raises(refs.RefMoved, match=new[:10]):
        refs.compare_and_swap(repo, "refs/heads/side", old, old)
    with pytest.raises(refs.RefMoved):
        refs.compare_and_swap(repo, "refs/heads/side", old, refs.ABSENT)
    assert head(repo, "side") == new


def test_delete_only_where_it_is_expected(repo: Path) -> None:
    old = head(repo)
    new = commit(repo, a="1")
    run_git(repo, "branch", "side")
    with pytest.raises(refs.RefMoved):
        refs.delete(repo, "refs/heads/side", old)
    refs.delete(repo, "refs/heads/side", new)
    refs.delete(repo, "refs/heads/side", new)
    assert refs.branch_tip(repo, "side") is None


def test_pins_are_numbered_and_never_move(repo: Path) -> None:
    one = head(repo)
    two = commit(repo, a="1")
    assert refs.pin(repo, "M001", "tip", one) == "refs/gsd/backup/M001/1-tip"
    assert refs.pin(repo, "M001", "tip", two) == "refs/gsd/backup/M001/2-tip"
    assert refs.pin(repo, "M001", "target", two) == "refs/gsd/backup/M001/3-target"
    assert refs.pin(repo, "M001", "tip", one) == "refs/gsd/backup/M001/1-tip"
    assert refs.pin(repo, "M001-ab12cd", "tip", one) == "refs/gsd/backup/M001-ab12cd/1-tip"
    assert [(b.number, b.label, b.commit) for b in refs.backups(repo, "M001")] == [
        (1, "tip", one),
        (2, "tip", two),
        (3, "target", two),
    ]


def test_a_number_is_not_used_again(repo: Path) -> None:
    for n in range(1, 12):
        refs.pin(repo, "M001", "tip", commit(repo, a=str(n)))
    assert refs.pin(repo, "M001", "tip", head(repo, "HEAD~11")).endswith("/12-tip")


@pytest.mark.spec(id="PR-324")
@pytest.mark.spec(id="FM-89")
@pytest.mark.parametrize("name", ["main", "master", "trunk", "release/2.x"])
def test_the_default_branch_has_any_name(repo: Path, name: str) -> None:
    run_git(repo, "branch", "-m", name)
    assert refs.default_branch(repo) == name


@pytest.mark.spec(id="PR-324")
@pytest.mark.spec(id="FM-89")
def test_the_remotes_head_decides(repo: Path, tmp_path: Path) -> None:
    run_git(repo, "branch", "develop")
    run_git(tmp_path, "clone", "-q", "--bare", str(repo), "origin.git")
    run_git(tmp_path / "origin.git", "symbolic-ref", "HEAD", "refs/heads/develop")
    run_git(tmp_path, "clone", "-q", str(tmp_path / "origin.git"), "clone")
    run_git(tmp_path / "clone", "branch", "main", "develop")
    assert refs.default_branch(tmp_path / "clone") == "develop"


@pytest.mark.spec(id="FM-88")
def test_a_milestone_branch_is_never_the_default(repo: Path) -> None:
    run_git(repo, "branch", "-m", "milestone/M001")
    assert refs.default_branch(repo) is None


@pytest.mark.spec(id="PR-324")
@pytest.mark.spec(id="FM-88")
@pytest.mark.parametrize(
    ("recorded", "preferred", "expected"),
    [
        ("develop", None, "develop"),
        ("develop", "main", "develop"),
        ("gone", "develop", "develop"),
        ("milestone/M001", None, "main"),
        ("gsd/M001/S01", None, "main"),
        ("we ird", None, "main"),
        (None, None, "main"),
    ],
)
def test_integration_branch(repo: Path, recorded: str | None, preferred: str | None, expected: str) -> None:
    for name in ("develop", "milestone/M001", "gsd/M001/S01"):
        run_git(repo, "branch", name)
    assert refs.integration(recorded, preferred, repo) == expected


def test_a_preferred_branch_that_is_missing_is_said(repo: Path) -> None:
    with pytest.raises(refs.NoIntegrationBranch, match="develop") as caught:
        refs.integration(None, "develop", repo)
    assert "main_branch" in caught.value.hint


@pytest.mark.spec(id="FM-88")
@pytest.mark.spec(id="FM-89")
def test_no_branch_to_integrate_into(repo: Path) -> None:
    run_git(repo, "branch", "-m", "milestone/M001")
    with pytest.raises(refs.NoIntegrationBranch):
        refs.integration("milestone/M001", None, repo)


def test_whether_a_remote_has_a_commit(repo: Path, tmp_path: Path) -> None:
    run_git(repo, "init", "-q", "--bare", str(tmp_path / "remote.git"))
    run_git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    commit = run_git(repo, "rev-parse", "HEAD").strip()
    assert not refs.on_a_remote(repo, commit)
    run_git(repo, "push", "-q", "origin", "main")
    assert refs.on_a_remote(repo, commit)
    assert not refs.on_a_remote(repo, "1" * 40)
    assert not refs.on_a_remote(tmp_path, commit)
