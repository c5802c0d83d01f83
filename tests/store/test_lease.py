"""A lease is held by the kernel's lock, so by the living."""

import os
import signal
from pathlib import Path

import pytest

from milepost.errors import ExitCode
from milepost.store import lease
from milepost.store.lease import Holder, Lease, LeaseHeld
from store.children import fork, in_child, kill, wait


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parallel" / "auto.lease"


def mine(run: str = "r-1") -> Holder:
    return Holder(pid=os.getpid(), run=run, command="auto", started_at=5)


def hold_in_child(path: Path) -> int:
    """A child that holds the lease; returns when it has it."""
    reader, writer = os.pipe()

    def work() -> None:
        with Lease(path, "M001", mine("r-child")):
            os.write(writer, b"!")
            signal.pause()

    pid = fork(work)
    os.close(writer)
    assert os.read(reader, 1) == b"!"
    os.close(reader)
    return pid


def test_who_holds_it_is_said_while_it_is_held(path: Path) -> None:
    assert lease.holder(path) is None
    with Lease(path, "M001", mine()):
        assert lease.holder(path) == mine()
    assert lease.holder(path) is None
    assert path.read_bytes() == b""


def test_a_second_one_is_refused_with_the_holders_name(path: Path) -> None:
    with Lease(path, "M001", mine()):
        with pytest.raises(LeaseHeld) as refused, Lease(path, "M001", mine("r-2")):
            pass
        assert lease.holder(path) == mine()
    assert refused.value.holder == mine()
    assert refused.value.exit_code is ExitCode.BLOCKED
    assert f"M001 is being worked on by another process (pid {os.getpid()}, run r-1)" in str(refused.value)


def test_another_process_is_refused_too(path: Path) -> None:
    child = hold_in_child(path)
    try:
        with pytest.raises(LeaseHeld), Lease(path, "M001", mine()):
            pass
        found = lease.holder(path)
        assert found is not None
        assert (found.pid, found.run) == (child, "r-child")
    finally:
        kill(child)


def test_the_lease_of_a_killed_process_is_free(path: Path) -> None:
    kill(hold_in_child(path))
    assert path.read_bytes() != b""
    assert lease.holder(path) is None
    with Lease(path, "M001", mine()):
        assert lease.holder(path) == mine()


def test_a_program_that_is_started_meanwhile_does_not_inherit_it(path: Path) -> None:
    reader, writer = os.pipe()
    with Lease(path, "M001", mine()):
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "read line"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)])  # fmt: skip # noqa: E501
    with Lease(path, "M001", mine("r-2")):
        pass
    os.close(reader)
    os.close(writer)
    os.waitpid(pid, 0)


def test_asking_does_not_get_in_the_way_of_starting(path: Path) -> None:
    def ask() -> None:
        for _ in range(3_000):
            lease.holder(path)

    with Lease(path, "M001", mine()):
        pass
    askers = [fork(ask) for _ in range(2)]
    for _ in range(50):
        with Lease(path, "M001", mine()):
            pass
    assert [wait(pid) for pid in askers] == [0, 0]


@pytest.mark.parametrize("record", [b"", b"{", b'{"pid": "x"}', b"\xff"])
def test_a_holder_whose_record_cannot_be_read_is_still_one(record: bytes, path: Path) -> None:
    with Lease(path, "M001", mine()):
        path.write_bytes(record)
        assert lease.holder(path) == Holder(pid=0, run="unknown")
        with pytest.raises(LeaseHeld, match=r"by another process$"), Lease(path, "M001", mine()):
            pass


def test_a_shorter_record_leaves_nothing_of_a_longer_one(path: Path) -> None:
    kill(hold_in_child(path))
    path.write_bytes(b"x" * 1_000)
    with Lease(path, "M001", mine()):
        assert lease.holder(path) == mine()


def test_it_is_let_go_after_an_error(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lease(path, "M001", mine()):
        raise ZeroDivisionError
    assert in_child(lambda: Lease(path, "M001", mine()).__enter__()) == 0
