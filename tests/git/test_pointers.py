"""What is read without git is what git says; what is not plain is left to git."""

from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head
from milepost.git import pointers, refs
from milepost.git.repo import HeadKind, head_of


def test_a_branch_and_head_of_it(repo: Path) -> None:
    new = commit(repo, a="1")
    assert pointers.head(repo) == ("refs/heads/main", new)
    assert pointers.commit(repo, "refs/heads/main") == new == head(repo)
    assert pointers.commit(repo, "refs/heads/none") is None


def test_packed_refs_count_until_a_loose_one_stands_before_them(repo: Path) -> None:
    old = head(repo)
    run_git(repo, "branch", "milestone/M001")
    run_git(repo, "update-ref", "refs/gsd/backup/M001/1-tip", "HEAD")
    run_git(repo, "pack-refs", "--all")
    assert not (repo / ".git/refs/heads/main").exists()
    found = [pointers.commit(repo, f"refs/{name}") for name in ("heads/milestone/M001", "gsd/backup/M001/1-tip")]
    assert found == [old, old]
    assert pointers.commit(repo, "refs/heads/M001") is None
    assert pointers.head(repo) == ("refs/heads/main", old)
    new = commit(repo, a="1")
    assert pointers.commit(repo, "refs/heads/main") == new


def test_a_worktree_has_its_own_head_and_shares_the_refs(repo: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    run_git(repo, "worktree", "add", "-q", "-b", "side", str(place))
    new = commit(place, b="2")
    assert pointers.head(place) == ("refs/heads/side", new)
    assert pointers.commit(place, "refs/heads/main") == head(repo)
    assert pointers.commit(repo, "refs/heads/side") == new
    assert pointers.git_dir(place).samefile(repo / ".git/worktrees/elsewhere")


def test_detached_and_unborn(repo: Path) -> None:
    run_git(repo, "switch", "-q", "--detach")
    assert pointers.head(repo) == (None, head(repo))
    run_git(repo, "switch", "-q", "--orphan", "fresh")
    assert pointers.head(repo) == ("refs/heads/fresh", None)
    assert head_of(repo).kind is HeadKind.UNBORN


class TestUnplain:
    """Git is asked instead, and knows."""

    def test_a_branch_that_stands_for_another(self, repo: Path) -> None:
        run_git(repo, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
        with pytest.raises(pointers.Unplain):
            pointers.commit(repo, "refs/heads/alias")
        assert refs.branch_tip(repo, "alias") == head(repo)

    def test_other_names(self, repo: Path) -> None:
        run_git(repo, "branch", "grün")
        for name in (
            "refs/heads/grün",
            "refs/heads/../heads/main",
            "HEAD",
            "main",
            "refs/tags/one",
            "refs/heads/main^",
        ):
            with pytest.raises(pointers.Unplain):
                pointers.commit(repo, name)
        assert refs.branch_tip(repo, "grün") == head(repo)

    def test_a_directory_below_the_top(self, repo: Path) -> None:
        (repo / "src").mkdir()
        with pytest.raises(pointers.Unplain):
            pointers.head(repo / "src")
        assert head_of(repo / "src").commit == head(repo)

    def test_no_repository_at_all(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        for ask in (lambda: pointers.head(tmp_path), lambda: pointers.commit(tmp_path, "refs/heads/main")):
            with pytest.raises(pointers.Unplain):
                ask()

    def test_another_store_of_refs(self, repo: Path) -> None:
        (repo / ".git/reftable").mkdir()
        with pytest.raises(pointers.Unplain):
            pointers.commit(repo, "refs/heads/main")

    def test_a_ref_that_a_crash_left_empty(self, repo: Path) -> None:
        run_git(repo, "branch", "torn")
        (repo / ".git/refs/heads/torn").write_bytes(b"")
        with pytest.raises(pointers.Unplain):
            pointers.commit(repo, "refs/heads/torn")

    def test_a_name_that_is_a_directory_of_refs(self, repo: Path) -> None:
        run_git(repo, "branch", "milestone/M001")
        with pytest.raises(pointers.Unplain):
            pointers.commit(repo, "refs/heads/milestone")
        assert refs.branch_tip(repo, "milestone") is None
