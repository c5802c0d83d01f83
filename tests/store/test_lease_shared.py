"""A lease that several share keeps out who wants it alone, and the other way round."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.store import lease
from milepost.store.lease import SHARERS, Lease
from store.children import kill
from store.leases import free, hold_in_child, mine, refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parallel" / "M001.lease"


@pytest.fixture
def guard(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "M001.jsonl"


@pytest.fixture
def sharers(path: Path, guard: Path) -> Iterator[list[int]]:
    pids = [hold_in_child(path, shared=True, guard=guard) for _ in range(2)]
    yield pids
    for pid in pids:
        kill(pid)


@pytest.mark.usefixtures("sharers")
def test_several_share_and_one_alone_is_refused(path: Path, guard: Path) -> None:
    assert free(path, shared=True, guard=guard)
    assert lease.holder(path, guard) == SHARERS
    error = refused(path, guard=guard)
    assert "parallel workers are running" in str(error)
    assert "gsd parallel status" in error.hint
    assert error.holder == SHARERS


def test_it_is_shared_until_the_last_one_is_gone(path: Path, sharers: list[int]) -> None:
    kill(sharers.pop())
    assert lease.holder(path) == SHARERS
    refused(path)
    kill(sharers.pop())
    assert lease.holder(path) is None
    with Lease(path, "M001", mine()):
        assert lease.holder(path) == mine()


def test_while_one_holds_it_alone_nobody_shares_it(path: Path, guard: Path) -> None:
    with Lease(path, "M001", mine(), guard=guard):
        error = refused(path, shared=True, guard=guard)
        assert error.holder == mine()
    assert free(path, shared=True, guard=guard)


def test_the_last_sharer_leaves_no_record(path: Path) -> None:
    with Lease(path, "M001", mine(), shared=True):
        assert free(path, shared=True)
        assert lease.holder(path) == SHARERS
    assert path.read_bytes() == b""


@pytest.mark.parametrize("record", [b"", b'{"pid": 1, "run": "r-dead"}'])
def test_sharers_are_found_whatever_the_record_said(record: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(record)
    with Lease(path, "M001", mine(), shared=True):
        assert lease.holder(path) == SHARERS
