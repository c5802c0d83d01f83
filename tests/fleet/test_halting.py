"""Telling a worker to stop: who is signalled, and who never is."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from milepost.fleet import halting, processes
from milepost.fleet.site import Site
from milepost.formats.preferences import Preferences
from milepost.store import lease, mailbox

from .stand import Fleet, wait_until


@pytest.fixture
def site(fleet: Fleet, tmp_path: Path) -> Site:
    return Site(
        root=fleet.root,
        state_dir=".gsd",
        home=str(tmp_path),
        program="gsd",
        run="r0",
        preferences=Preferences(),
        env={},
        shell={},
        now_ms=lambda: time.time_ns() // 1_000_000,
    )


@pytest.fixture
def caught() -> Iterator[list[int]]:
    """SIGTERMs that this very process got."""
    found: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGTERM, before)


@pytest.mark.spec(id="PR-083")
@pytest.mark.parametrize("sender", ["", "budget"])
def test_a_coordinator_that_makes_a_place_does_not_stop_itself(sender: str, site: Site, caught: list[int]) -> None:
    with site.hold("M001", processes.STARTING, run="r9"):
        holder = lease.holder(site.lease("M001"), site.guard("M001"))
        assert holder is not None
        halting.ask("M001", holder, sender, site)
        anyio.run(halting.force, holder)
    assert caught == []
    order = mailbox.claim(site.box, "M001", run="r9")
    assert order is not None and order.signal == "stop"


def test_a_worker_is_signalled(site: Site, fleet: Fleet) -> None:
    worker = fleet.start(milestone="M001")
    holder = lease.holder(site.lease("M001"), site.guard("M001"))
    assert holder is not None and holder.pid == worker.pid
    halting.ask("M001", holder, "", site)
    wait_until(lambda: worker.poll() is not None)
