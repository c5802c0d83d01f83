"""Files are replaced whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from milepost.store import atomic
from store.children import fork, in_child, kill, limit_files_to


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def test_replace_makes_directories_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.json"
    atomic.replace(path, b"one")
    atomic.replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["c.json"]


def test_a_file_keeps_its_mode_and_a_new_one_obeys_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_bytes(b"old")
    path.chmod(0o751)
    atomic.replace(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    old = os.umask(0o027)
    try:
        atomic.replace(tmp_path / "new", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_linked_file_stays_linked(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "file", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    atomic.replace(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["file"]
    assert names(tmp_path) == ["link", "real"]


def test_a_full_disk_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(b"old")

    def work() -> None:
        limit_files_to(1_000)
        with pytest.raises(OSError, match="too large"):
            atomic.replace(path, b"x" * 5_000)

    assert in_child(work) == 0
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["ledger"]


def test_a_directory_in_the_way_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic.replace(tmp_path / "taken", b"new")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        atomic.replace(tmp_path / "file" / "below", b"new")
    assert names(tmp_path) == ["file", "taken"]


def test_a_reader_never_sees_half(tmp_path: Path) -> None:
    path = tmp_path / "state"
    sizes = {1_000: b"a" * 1_000, 200_000: b"b" * 200_000}
    atomic.replace(path, sizes[1_000])

    def write() -> None:
        for _ in range(100_000):
            for data in sizes.values():
                atomic.replace(path, data)

    writer = fork(write)
    try:
        seen = {path.read_bytes() for _ in range(300)}
    finally:
        kill(writer)
    assert seen <= set(sizes.values())
