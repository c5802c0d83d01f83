"""Leases that tests take, in this process and in children."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.store.lease import Holder, Lease, LeaseHeld
from store.children import fork


def mine(run: str = "r-1") -> Holder:
    return Holder(pid=os.getpid(), run=run, command="auto", started_at=5)


def hold_in_child(path: Path, *, shared: bool = False, guard: Path | None = None, run: str = "r-child") -> int:
    """A child that holds the lease; returns when it has it."""
    reader, writer = os.pipe()

    def work() -> None:
        with Lease(path, "M001", mine(run), shared=shared, guard=guard):
            os.write(writer, b"!")
            signal.pause()

    pid = fork(work)
    os.close(writer)
    assert os.read(reader, 1) == b"!"
    os.close(reader)
    return pid


def refused(path: Path, *, shared: bool = False, guard: Path | None = None) -> LeaseHeld:
    with pytest.raises(LeaseHeld) as said, Lease(path, "M001", mine("r-2"), shared=shared, guard=guard):
        pass
    return said.value


def free(path: Path, *, shared: bool = False, guard: Path | None = None) -> bool:
    with Lease(path, "M001", mine("r-3"), shared=shared, guard=guard):
        return True


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
