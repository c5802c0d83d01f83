"""Locks on files: they mean the file that has the name now."""

import fcntl
import os
import signal
from pathlib import Path

import pytest

from milepost.store import flock
from milepost.store.flock import Grip
from store.children import fork, kill, wait


def held_in_child(path: Path, *, shared: bool = False) -> int:
    told, tell = os.pipe()

    def work() -> None:
        assert flock.take(path, shared=shared) is not None
        os.write(tell, b"!")
        signal.pause()

    pid = fork(work)
    assert os.read(told, 1) == b"!"
    os.close(told)
    os.close(tell)
    return pid


@pytest.mark.parametrize(("shared", "grip"), [(False, Grip.EXCLUSIVE), (True, Grip.SHARED)])
def test_how_a_file_is_held(shared: bool, grip: Grip, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.lease"
    assert flock.grip(path) is Grip.NONE
    child = held_in_child(path, shared=shared)
    assert flock.grip(path) is grip
    assert flock.is_exclusive(path) is not shared
    assert flock.take(path) is None
    kill(child)
    assert flock.grip(path) is Grip.NONE
    assert not flock.is_exclusive(path)


def test_askers_do_not_take_each_other_for_holders(tmp_path: Path) -> None:
    path = tmp_path / "b.lease"
    path.touch()

    def ask() -> None:
        assert [flock.is_exclusive(path) for _ in range(2_000)].count(True) == 0

    assert [wait(pid) for pid in [fork(ask), fork(ask), fork(ask)]] == [0, 0, 0]


def test_a_file_that_is_replaced_while_it_is_locked_is_locked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.lease"
    real = flock.lock
    left = [3]

    def replaced_meanwhile(descriptor: int, *, shared: bool = False) -> bool:
        if left[0]:
            left[0] -= 1
            path.unlink()
            path.touch()
        return real(descriptor, shared=shared)

    monkeypatch.setattr(flock, "lock", replaced_meanwhile)
    descriptor = flock.take(path)
    assert descriptor is not None
    assert flock.is_at(descriptor, path)
    assert flock.take(path) is None
    flock.release(descriptor)
    left[0] = 1_000
    with pytest.raises(OSError, match="all the time"):
        flock.take(path)


def test_an_open_file_is_where_its_name_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    descriptor = flock.take(path)
    assert descriptor is not None
    assert flock.is_at(descriptor, path)
    (tmp_path / "link").symlink_to(path)
    assert flock.is_at(descriptor, tmp_path / "link")
    path.unlink()
    assert not flock.is_at(descriptor, path)
    assert not flock.is_at(descriptor, path / "below")
    flock.release(descriptor)


def test_a_directory_that_is_replaced_while_it_is_waited_for_is_locked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "journal"
    real = fcntl.flock
    left = [2]

    def replaced_meanwhile(descriptor: int, how: int) -> None:
        if left[0]:
            left[0] -= 1
            directory.rename(tmp_path / f"old-{left[0]}")
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", replaced_meanwhile)
    descriptor = flock.wait_for(directory)
    assert flock.is_at(descriptor, directory)
    assert flock.grip(directory) is Grip.EXCLUSIVE
    flock.release(descriptor)


def test_a_link_is_neither_locked_nor_asked(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("precious")
    for path, leads_to in ((tmp_path / "a.lease", mine), (tmp_path / "b.lease", tmp_path / "b.lease")):
        path.symlink_to(leads_to)
        with pytest.raises(OSError, match="is a symbolic link"):
            flock.take(path)
        assert flock.grip(path) is Grip.NONE
        assert not flock.is_exclusive(path)
    assert mine.read_text() == "precious"
