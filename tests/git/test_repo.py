import os
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, write
from milepost.git import repo as repository
from milepost.git import worktrees
from milepost.git.repo import HeadKind, NestedKind, inspect


def test_a_plain_repository_from_below(repo: Path) -> None:
    (repo / "deep" / "er").mkdir(parents=True)
    found = inspect(repo / "deep" / "er")
    assert found.root == repo
    assert found.git_dir == found.common_dir == repo / ".git"
    assert (found.head.kind, found.head.branch) == (HeadKind.BRANCH, "main")


def test_the_root_is_the_main_checkout_also_from_inside_our_worktree(repo: Path) -> None:
    made = worktrees.ensure(inspect(repo), "M001", "main")
    found = inspect(made.path)
    assert found.root == repo
    assert found.head.branch == "main"


def test_a_worktree_that_a_person_made_is_a_root_of_its_own(repo: Path, tmp_path: Path) -> None:
    run_git(repo, "worktree", "add", "-q", "-b", "feature", str(tmp_path / "mine"))
    found = inspect(tmp_path / "mine")
    assert found.root == tmp_path / "mine"
    assert found.common_dir == repo / ".git"


def test_the_root_behind_a_state_directory_that_is_a_link(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.symlink(tmp_path / "state", repo / ".gsd")
    made = worktrees.ensure(inspect(repo), "M001", "main")
    assert inspect(made.path).root == repo


@pytest.mark.parametrize("name", ["with space", "ünïcode", "semi;colon $x"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    run_git(root, "init", "-q", "-b", "main")
    commit(root, a="1")
    assert inspect(root).root == root
    assert worktrees.ensure(inspect(root), "M001", "main").path == root / ".gsd/worktrees/M001"


def test_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(repository.NotARepository) as caught:
        inspect(tmp_path)
    assert caught.value.hint


def test_inside_the_git_directory(repo: Path) -> None:
    with pytest.raises(repository.NotARepository):
        inspect(repo / ".git" / "objects")


def test_bare(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q", "--bare", "b.git")
    with pytest.raises(repository.BareRepository):
        inspect(tmp_path / "b.git")


def test_unborn_branch(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q", "-b", "trunk")
    found = inspect(tmp_path)
    assert (found.head.kind, found.head.branch, found.head.commit) == (HeadKind.UNBORN, "trunk", None)
    with pytest.raises(repository.NoCommits, match="trunk"):
        repository.require_ready(found)


def test_detached(repo: Path) -> None:
    run_git(repo, "checkout", "-q", "--detach")
    assert inspect(repo).head.kind is HeadKind.DETACHED
    with pytest.raises(repository.DetachedHead):
        repository.require_ready(inspect(repo))


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "revert", "bisect"])
def test_an_operation_half_done(repo: Path, operation: str) -> None:
    run_git(repo, "switch", "-qc", "side")
    commit(repo, f="side\n")
    run_git(repo, "switch", "-q", "main")
    commit(repo, f="main\n")
    commit(repo, f="later\n")
    command = {
        "merge": ["merge", "side"], "rebase": ["rebase", "side"], "cherry-pick": ["cherry-pick", "side"],
        "revert": ["revert", "--no-edit", "HEAD~1"], "bisect": ["bisect", "start"],
    }[operation]  # fmt: skip
    os.system(f"cd '{repo}' && git {' '.join(command)} >/dev/null 2>&1")
    assert repository.in_progress(repo) == operation
    with pytest.raises(repository.OperationInProgress) as caught:
        repository.require_ready(inspect(repo))
    assert operation in caught.value.hint


def test_a_leftover_squash_message_is_no_operation(repo: Path) -> None:
    (repo / ".git" / "SQUASH_MSG").write_text("old")
    repository.require_ready(inspect(repo))


def test_nobody_to_commit_as(repo: Path, private_machine: Path) -> None:
    (private_machine / ".gitconfig").write_text("")
    with pytest.raises(repository.NoIdentity) as caught:
        repository.require_ready(inspect(repo))
    assert "user.email" in caught.value.hint


def test_repositories_inside(repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "lib", {"x": "1"})
    run_git(tmp_path / "lib", "init", "-q", "-b", "main")
    commit(tmp_path / "lib")
    run_git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "libs/my lib")
    commit(repo, **{".gitignore": "cache/\n"})
    for name in ("vendored", "cache/deep"):
        write(repo / name, {"y": "1"})
        run_git(repo / name, "init", "-q")
    found = {n.path: n.kind for n in repository.nested(repo)}
    assert found == {"libs/my lib": NestedKind.SUBMODULE, "vendored": NestedKind.REPOSITORY}
    assert {n.path for n in repository.nested(repo, deep=True)} == {"libs/my lib", "vendored", "cache/deep"}
