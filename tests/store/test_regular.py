"""Only files are read; nothing else can hang who reads."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.store import regular


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"ab" * 1_500_000)
    assert regular.read(path) == path.read_bytes()
    assert regular.read(path, most=3_000_000) == path.read_bytes()
    with pytest.raises(OSError, match="longer than 2999999 bytes"):
        regular.read(path, most=2_999_999)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_an_error(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "x")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match="not a regular file"):
        regular.read(tmp_path / "x")
    assert len(os.listdir("/dev/fd")) == before


def test_a_link_is_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "link").symlink_to("x")
    assert regular.read(tmp_path / "link") == b"x"
    with pytest.raises(OSError, match="symbolic links"):
        regular.open_to_read(tmp_path / "link", follow=False)
