"""A lease is handed to a child, held all the time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.store import lease
from milepost.store.lease import Handed, Holder, Lease, LeaseHeld, LeaseLost
from store.children import fork, kill
from store.leases import free, hold_in_child, mine, refused, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parallel" / "M001.lease"


@pytest.fixture
def guard(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "M001.jsonl"


_CHILD = """
import os, sys
from pathlib import Path
from milepost.errors import MilepostError
from milepost.store.lease import Handed, Holder, Lease
path, guard, number, second = sys.argv[1:]
try:
    with Lease.adopt(
        Handed(int(number), int(second) if second else None), Path(path), "M001",
        Holder(pid=os.getpid(), run="r-child"), guard=Path(guard) if guard else None,
    ) as held:
        print("held", any(map(os.get_inheritable, held._held)), flush=True)
        sys.stdin.read()
except MilepostError as error:
    print(type(error).__name__, error, flush=True)
"""


def child_with(handed: Handed, path: Path, guard: Path | None, stdin: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    numbers = (str(handed.lease), "" if handed.guard is None else str(handed.guard))
    argv = [sys.executable, "-c", _CHILD, str(path), str(guard or ""), *numbers]
    return subprocess.Popen(argv, pass_fds=handed.fds, stdin=stdin, stdout=subprocess.PIPE, text=True)


def said(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def end(child: "subprocess.Popen[str]") -> None:
    child.communicate(timeout=60)
    assert child.returncode == 0


@pytest.mark.spec(id="FM-19")
@pytest.mark.parametrize("guarded", [False, True])
def test_a_child_takes_it_over_without_a_moment_in_which_it_is_free(guarded: bool, path: Path, guard: Path) -> None:
    second = guard if guarded else None
    with Lease(path, "M001", mine(), guard=second) as held:
        handed = held.detach()
    refused(path, guard=second)
    child = child_with(handed, path, second)
    handed.close()
    refused(path, guard=second)
    assert said(child) == "held False"
    assert lease.holder(path, second) == Holder(pid=child.pid, run="r-child")
    refused(path, guard=second)
    end(child)
    assert lease.holder(path, second) is None
    assert path.read_bytes() == b""


@pytest.mark.spec(id="FM-19")
def test_a_handed_over_lease_outlives_the_parents_kill(path: Path, guard: Path) -> None:
    told, tell = os.pipe()
    life, hold = os.pipe()

    def parent() -> None:
        with Lease(path, "M001", mine("r-parent"), guard=guard) as held:
            child = child_with(held.detach(), path, guard, stdin=life)
            os.write(tell, f"{child.pid} {said(child)}".encode())
            signal.pause()

    pid = fork(parent)
    child, word = os.read(told, 100).decode().split(" ", 1)
    kill(pid)
    assert word == "held False"
    assert lease.holder(path, guard) == Holder(pid=int(child), run="r-child")
    refused(path, guard=guard)
    os.close(hold)
    until(lambda: lease.holder(path, guard) is None)
    for descriptor in (told, tell, life):
        os.close(descriptor)


@pytest.mark.spec(id="FM-31")
def test_a_killed_child_frees_it_though_the_parent_lives(path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard) as held:
        handed = held.detach()
    child = child_with(handed, path, guard)
    handed.close()
    assert said(child) == "held False"
    child.kill()
    child.communicate()
    assert free(path, guard=guard)


def test_without_a_child_it_is_free_when_the_copies_are_closed(path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard) as held:
        handed = held.detach()
    refused(path, guard=guard)
    handed.close()
    assert lease.holder(path, guard) is None
    assert free(path, guard=guard)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_deleted_on_the_way_is_put_back(replaced: bool, path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard) as held:
        handed = held.detach()
    path.unlink()
    if replaced:
        path.touch()
    child = child_with(handed, path, guard)
    handed.close()
    assert said(child) == "held False"
    assert lease.holder(path) == Holder(pid=child.pid, run="r-child")
    refused(path)
    end(child)


def test_a_deleted_file_without_a_guard_is_refused(path: Path) -> None:
    with Lease(path, "M001", mine()) as held:
        handed = held.detach()
    path.unlink()
    child = child_with(handed, path, None)
    assert said(child) == f"LeaseLost what was handed over as the lease of M001 is not {path}"
    end(child)
    handed.close()


def test_what_is_no_lease_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    reader, writer = os.pipe()
    for handed in (
        Handed(9_999, None),
        Handed(2**40, None),
        Handed(reader, None),
        Handed(other, None),
        Handed(0, None),
    ):
        with pytest.raises(LeaseLost):
            Lease.adopt(handed, path, "M001", mine())
    assert (tmp_path / "other").read_bytes() == b""
    assert lease.holder(path) is None
    for descriptor in (other, reader, writer):
        os.close(descriptor)


def test_descriptors_that_hold_nothing_take_it_if_it_is_free(path: Path, guard: Path) -> None:
    assert free(path, guard=guard)
    handed = Handed(os.open(path, os.O_RDWR), os.open(guard, os.O_RDWR))
    with Lease.adopt(handed, path, "M001", mine(), guard=guard):
        assert lease.holder(path) == mine()
        refused(path)
    assert lease.holder(path, guard) is None


def test_descriptors_that_hold_nothing_are_refused_when_another_holds_it(path: Path, guard: Path) -> None:
    child = hold_in_child(path, guard=guard)
    handed = Handed(os.open(path, os.O_RDWR), None)
    try:
        with pytest.raises(LeaseHeld, match="r-child"):
            Lease.adopt(handed, path, "M001", mine(), guard=guard)
    finally:
        kill(child)
        handed.close()


def test_a_guard_that_was_not_handed_over_is_taken(path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine()) as held:
        handed = held.detach()
    with Lease.adopt(handed, path, "M001", mine("r-2"), guard=guard):
        path.unlink()
        refused(path, guard=guard)
