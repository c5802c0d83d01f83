"""`.git/info/exclude`: what is missing is appended, what is there stays."""

from pathlib import Path

import pytest

from conftest import run_git
from milepost.git.exclude import exclude

PATTERNS = [".gsd/auto.lock", ".gsd/journal/"]


def file_of(repo: Path) -> Path:
    return repo / ".git/info/exclude"


def test_files_are_out_of_the_status(repo: Path) -> None:
    (repo / ".gsd/journal").mkdir(parents=True)
    (repo / ".gsd/journal/x").touch()
    (repo / ".gsd/auto.lock").touch()
    (repo / ".gsd/PROJECT.md").touch()
    assert exclude(repo / ".git", PATTERNS)
    assert run_git(repo, "status", "--porcelain", "-uall") == "?? .gsd/PROJECT.md\n"


@pytest.mark.parametrize("old", [None, b"", b"# git ls-files\n*.log\n", b"*.log", b"caf\xe9\r\n"])
def test_what_stands_there_stays(old: bytes | None, repo: Path) -> None:
    path = file_of(repo)
    if old is None:
        path.unlink()
        path.parent.rmdir()
    else:
        path.write_bytes(old)
    assert exclude(repo / ".git", PATTERNS)
    new = path.read_bytes()
    assert new.startswith(old or b"")
    assert [line for line in new[len(old or b"") :].decode().splitlines() if line and line[0] != "#"] == PATTERNS


def test_the_second_time_nothing_is_written(repo: Path) -> None:
    exclude(repo / ".git", PATTERNS)
    before = file_of(repo).read_bytes()
    assert not exclude(repo / ".git", reversed(PATTERNS))
    assert not exclude(repo / ".git", [])
    assert file_of(repo).read_bytes() == before


def test_only_what_is_missing_is_added(repo: Path) -> None:
    file_of(repo).write_bytes(b".gsd/auto.lock\r\n")
    assert exclude(repo / ".git", PATTERNS)
    assert file_of(repo).read_text().count("auto.lock") == 1
