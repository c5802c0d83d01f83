"""Whether git ignores a path."""

from pathlib import Path

import pytest

from conftest import run_git
from milepost.git.ignored import ignored
from milepost.git.run import GitFailed


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.log", True),
        ("deep/not/there.log", True),
        ("a.txt", False),
        ("kept.log", False),
        ("out/x", True),
        ("-n.log", True),
    ],
)
def test_paths(path: str, expected: bool, repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log\n/out/\n")
    (repo / "kept.log").touch()
    run_git(repo, "add", "-f", "kept.log")
    assert ignored(repo, path) is expected


def test_everything_that_can_make_git_ignore(repo: Path, private_machine: Path) -> None:
    (repo / ".git/info/exclude").write_text("one\n")
    (private_machine / ".config/git").mkdir(parents=True)
    (private_machine / ".config/git/ignore").write_text("two\n")
    assert ignored(repo, "one")
    assert ignored(repo, "two")


def test_a_path_outside_is_an_error(repo: Path) -> None:
    with pytest.raises(GitFailed):
        ignored(repo, "../elsewhere")
