"""Single files put back to what the last commit says."""

import os
from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, status, write
from milepost.git.take_back import take_back


@pytest.fixture
def where(repo: Path) -> Path:
    commit(repo, **{"a.txt": "a\n", "b.txt": "b\n", "d__c.txt": "c\n", "run.sh": "x\n"})
    return repo


def test_changed_deleted_and_new_files(where: Path) -> None:
    write(where, {"a.txt": "changed\n", "new.txt": "n\n", "d/new.txt": "n\n"})
    (where / "b.txt").unlink()
    take_back(where, ["a.txt", "b.txt", "new.txt", "d/new.txt"])
    assert status(where) == []
    assert (where / "a.txt").read_text() == "a\n"
    assert not (where / "new.txt").exists()


def test_only_the_paths_that_are_named(where: Path) -> None:
    write(where, {"a.txt": "changed\n", "b.txt": "mine\n", "new.txt": "mine\n"})
    take_back(where, ["a.txt", "a.txt"])
    assert status(where) == [" M b.txt", "?? new.txt"]


def test_what_was_staged(where: Path) -> None:
    write(where, {"a.txt": "changed\n", "new.txt": "n\n", "b.txt": "mine\n"})
    run_git(where, "add", "-A")
    run_git(where, "rm", "-q", "--cached", "d/c.txt")
    take_back(where, ["a.txt", "new.txt", "d/c.txt"])
    assert status(where) == ["M  b.txt"]


def test_modes_and_links(where: Path) -> None:
    (where / "run.sh").chmod(0o755)
    (where / "a.txt").unlink()
    (where / "a.txt").symlink_to("b.txt")
    (where / "link").symlink_to(where.parent)
    take_back(where, ["run.sh", "a.txt", "link"])
    assert status(where) == []
    assert not (where / "a.txt").is_symlink()
    assert where.parent.is_dir()


def test_a_directory_where_a_file_was(where: Path) -> None:
    (where / "a.txt").unlink()
    write(where, {"a.txt/inner.txt": "x\n"})
    take_back(where, ["a.txt", "a.txt/inner.txt"])
    assert status(where) == []
    assert (where / "a.txt").read_text() == "a\n"


@pytest.mark.parametrize("name", ["sp ace.txt", "*.txt", ":(top)x", "-x", "caf\udce9", 'q"uote', "new\nline"])
def test_any_name(name: str, where: Path) -> None:
    (where / name).write_text("new\n")
    take_back(where, [name])
    assert status(where) == []
    assert (where / "b.txt").exists()
    (where / name).write_text("old\n")
    run_git(where, "add", "-A")
    run_git(where, "commit", "-qm", "odd name")
    (where / name).write_text("changed\n")
    take_back(where, [name])
    assert (where / name).read_text() == "old\n"


def test_nothing_and_what_is_not_there(where: Path) -> None:
    take_back(where, [])
    take_back(where, ["never.txt", "d/never.txt"])
    assert status(where) == []
    assert sorted(os.listdir(where / "d")) == ["c.txt"]
