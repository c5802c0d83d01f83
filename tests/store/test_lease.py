"""A lease is held by the kernel's lock, so by the living, one at a time."""

import os
import signal
from pathlib import Path

import pytest

from milepost.errors import ExitCode
from milepost.store import lease
from milepost.store.lease import UNKNOWN, Lease, LeaseHeld
from store.children import fork, in_child, kill, limit_files_to, wait
from store.leases import free, hold_in_child, mine, refused, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parallel" / "M001.lease"


@pytest.fixture
def guard(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "M001.jsonl"


def test_who_holds_it_is_said_while_it_is_held(path: Path) -> None:
    assert lease.holder(path) is None
    with Lease(path, "M001", mine()):
        assert lease.holder(path) == mine()
    assert lease.holder(path) is None
    assert path.read_bytes() == b""


@pytest.mark.spec(id="FM-19")
def test_a_second_one_is_refused_with_the_holders_name(path: Path) -> None:
    with Lease(path, "M001", mine()):
        error = refused(path)
        assert lease.holder(path) == mine()
    assert error.holder == mine()
    assert error.exit_code is ExitCode.BLOCKED
    assert f"M001 is being worked on by another process (pid {os.getpid()}, run r-1)" in str(error)


def test_another_process_is_refused_too(path: Path) -> None:
    child = hold_in_child(path)
    try:
        refused(path)
        found = lease.holder(path)
        assert found is not None
        assert (found.pid, found.run) == (child, "r-child")
    finally:
        kill(child)


@pytest.mark.spec(id="FM-02")
def test_each_milestone_has_a_lease_of_its_own(path: Path) -> None:
    child = hold_in_child(path)
    try:
        assert free(path.with_name("M002.lease"))
        assert free(path.with_name("coordinator.lease"))
    finally:
        kill(child)


@pytest.mark.spec(id="FM-31")
@pytest.mark.spec(id="FM-47")
def test_the_lease_of_a_killed_process_is_free_at_once(path: Path, guard: Path) -> None:
    kill(hold_in_child(path, guard=guard))
    assert path.read_bytes() != b""
    assert lease.holder(path, guard) is None
    with Lease(path, "M001", mine(), guard=guard):
        assert lease.holder(path, guard) == mine()


@pytest.mark.spec(id="FM-09")
@pytest.mark.spec(id="FM-10")
@pytest.mark.parametrize("pid", [os.getpid(), 1, 0, -1], ids=["ours", "init", "none", "negative"])
def test_a_record_of_the_dead_holds_nothing_whoever_has_its_pid_now(pid: int, path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f'{{"pid": {pid}, "run": "r-dead"}}')
    assert lease.holder(path) is None
    assert free(path)


@pytest.mark.spec(id="FM-46")
def test_a_holder_that_sleeps_for_a_day_keeps_it(path: Path) -> None:
    child = hold_in_child(path)
    try:
        os.kill(child, signal.SIGSTOP)
        os.waitpid(child, os.WUNTRACED)
        os.utime(path, (1, 1))
        found = lease.holder(path)
        assert found is not None
        assert found.pid == child
        refused(path)
    finally:
        kill(child)


@pytest.mark.spec(id="FM-48")
def test_a_copy_with_a_number_is_nobodys(path: Path) -> None:
    copies = [path.with_name(name) for name in ("M001 2.lease", "M001 (1).lease", "M001.lease 2")]
    path.parent.mkdir()
    for copy in copies:
        copy.write_text('{"pid": 1, "run": "r-copy"}')
    child = hold_in_child(copies[0])
    try:
        assert lease.holder(path) is None
        assert free(path)
    finally:
        kill(child)


@pytest.mark.spec(id="FM-45")
@pytest.mark.spec(id="FM-19")
def test_of_many_that_race_one_gets_it(path: Path, guard: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"

    def work(number: int) -> None:
        until(go.exists)
        try:
            with Lease(path, "M001", mine(), guard=guard):
                (tmp_path / f"won-{number}").touch()
                until((tmp_path / "over").exists)
        except LeaseHeld:
            (tmp_path / f"lost-{number}").touch()

    children = [fork(lambda number=number: work(number)) for number in range(6)]  # type: ignore[misc]
    go.touch()
    until(lambda: len(list(tmp_path.glob("lost-*"))) == 5)
    (tmp_path / "over").touch()
    assert [wait(pid) for pid in children] == [0] * 6
    assert len(list(tmp_path.glob("won-*"))) == 1


def test_a_program_that_is_started_meanwhile_does_not_inherit_it(path: Path, guard: Path) -> None:
    reader, writer = os.pipe()
    with Lease(path, "M001", mine(), guard=guard):
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "read line"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)])  # fmt: skip # noqa: E501
    assert free(path, guard=guard)
    os.close(reader)
    os.close(writer)
    os.waitpid(pid, 0)


def test_a_forked_copy_of_the_holder_does_not_let_go_of_it(path: Path) -> None:
    with Lease(path, "M001", mine()) as held:
        assert in_child(lambda: held.__exit__(None, None, None)) == 0
        refused(path)
    assert free(path)


def test_letting_go_does_not_wait_for_a_forked_copy(path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard):
        child = fork(signal.pause)
    try:
        assert free(path, guard=guard)
    finally:
        kill(child)


@pytest.mark.parametrize("shared", [False, True])
def test_asking_does_not_get_in_the_way_of_starting(shared: bool, path: Path, guard: Path) -> None:
    def ask() -> None:
        for _ in range(1_000):
            lease.holder(path, guard)

    assert free(path, shared=shared, guard=guard)
    askers = [fork(ask) for _ in range(2)]
    assert all(free(path, shared=shared, guard=guard) for _ in range(50))
    assert [wait(pid) for pid in askers] == [0, 0]


@pytest.mark.parametrize("record", [b"", b"{", b'{"pid": "x"}', b"\xff"])
def test_a_holder_whose_record_cannot_be_read_is_still_one(record: bytes, path: Path) -> None:
    with Lease(path, "M001", mine()):
        path.write_bytes(record)
        assert lease.holder(path) == UNKNOWN
        assert str(refused(path)).endswith("by another process")


def test_a_shorter_record_leaves_nothing_of_a_longer_one(path: Path) -> None:
    kill(hold_in_child(path))
    path.write_bytes(b"x" * 1_000)
    with Lease(path, "M001", mine()):
        assert lease.holder(path) == mine()


def test_on_a_full_disk_it_is_held_without_a_record(path: Path) -> None:
    def work() -> None:
        limit_files_to(10)
        with Lease(path, "M001", mine()):
            assert in_child(lambda: refused(path)) == 0
            assert lease.holder(path) == UNKNOWN

    assert in_child(work) == 0


def test_it_is_let_go_after_an_error(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lease(path, "M001", mine()):
        raise ZeroDivisionError
    assert in_child(lambda: Lease(path, "M001", mine()).__enter__()) == 0


def test_a_pipe_of_its_name_hangs_nobody(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    assert lease.holder(path) is None
