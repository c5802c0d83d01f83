"""What makes a coordinator look again, and what does not: it must not keep itself busy."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from milepost.fleet.coordinator import Coordinator
from milepost.fleet.merge_child import Merge
from milepost.fleet.observe import Observer
from milepost.fleet.site import Site
from milepost.formats.journal import RunEnded, UsageReported
from milepost.formats.preferences import Preferences

from .stand import Fleet


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


def test_a_request_of_a_worker_does_not_make_it_read_the_plan(site: Site) -> None:
    # The clock stands still, so that only news can be a reason to read again.
    observer = Observer(_standing_still(site))
    before = observer.look()
    site.journal("M001").append(
        UsageReported(at_ms=1, run="r1", attempt="a1", model="m", input=1, output=1, micro_usd=5)
    )
    used = observer.look()
    assert len(used.events) == len(before.events) + 1
    assert used.plans is before.plans
    site.journal("M001").append(RunEnded(at_ms=2, run="r1", state="done", reason="", milestone="M001"))
    assert observer.look().plans is not before.plans


def test_a_worker_that_came_or_went_makes_it_read_the_plan(fleet: Fleet, site: Site) -> None:
    observer = Observer(_standing_still(site))
    before = observer.look()
    assert not before.holders
    worker = fleet.start(milestone="M002")
    began = observer.look()
    assert set(began.holders) == {"M002"} and began.plans is not before.plans
    worker.kill()
    worker.wait()
    assert observer.look().plans is not began.plans


def test_only_a_child_that_works_wakes_it(site: Site) -> None:
    def made(*argv: str) -> Merge:
        return Merge(milestone="M001", slice="", process=subprocess.Popen(argv), at_ms=0)

    async def lost(coordinator: Coordinator) -> bool:
        return coordinator._has_lost_one()

    coordinator = Coordinator(site=lambda: site, audience=_Nobody(), stop=anyio.Event())
    subprocess.run(["true"], check=True)
    assert not anyio.run(lost, coordinator)
    coordinator.merge = made("sleep", "60")
    assert not anyio.run(lost, coordinator)
    coordinator.merge.process.kill()
    deadline = time.monotonic() + 30
    while not anyio.run(lost, coordinator):
        assert time.monotonic() < deadline
    assert not anyio.run(lost, coordinator)


class _Nobody:
    can_ask = False

    def plan(self, plan: object, seen: object) -> None: ...

    def note(self, text: str) -> None: ...

    def ask(self, question: str) -> bool:
        return False


def _standing_still(site: Site) -> Site:
    now = site.now_ms()
    return replace(site, now_ms=lambda: now)
