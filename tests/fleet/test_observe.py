"""A look at a fleet in which nothing happens costs nearly nothing."""

import subprocess
from pathlib import Path

import pytest

from milepost.fleet import coordinator
from milepost.fleet.observe import Observer
from milepost.fleet.site import Site
from milepost.formats.journal import AttemptEnded, Result, RunEnded, UsageReported
from milepost.formats.preferences import Preferences
from milepost.formats.status import Status, WorkerState
from milepost.store import beacons
from milepost.store.journal import Journal
from milepost.testing import projects

MIDS = ("M001", "M002", "M003", "M004")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observer(tmp_path: Path, clock: Clock) -> Observer:
    root = tmp_path / "project"
    projects.tiny(root, milestones=MIDS)
    site = Site(
        root=root, state_dir=".gsd", home=str(tmp_path / "home"), program="gsd", run="r-1", preferences=Preferences(),
        env={}, shell={}, now_ms=clock,
    )  # fmt: skip
    for mid in MIDS:
        subprocess.run(["git", "-C", str(root), "branch", f"milestone/{mid}"], check=True)
        _beat(site, mid)
    Journal(site.state, "M001").append(AttemptEnded(at_ms=1, run="r", attempt="a", result=Result.COMMITTED))
    return Observer(site)


def _beat(site: Site, mid: str) -> None:
    status = Status(
        milestone_id=mid, pid=0, state=WorkerState.RUNNING, current_unit=None, completed_units=0, cost=0.0,
        last_heartbeat=site.now_ms(), started_at=1, worktree_path="", run="r",
    )  # fmt: skip
    beacons.publish(site.box, status)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was started as a process."""
    found: list[str] = []
    real = subprocess.Popen.__init__

    def init(self: object, args: list[str], *more: object, **given: object) -> None:
        found.append(args[0])
        real(self, args, *more, **given)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", init)
    return found


@pytest.mark.spec(id="FM-54")
def test_while_nothing_is_decided_no_process_is_started_and_no_plan_read(
    observer: Observer, clock: Clock, started: list[str]
) -> None:
    first = observer.look()
    assert started, "the first look asks git"
    started.clear()
    for _ in range(9):
        clock.now += int(coordinator.TICK_S * 1000)
        for mid in MIDS:
            _beat(observer.site, mid)
            observer.site.journal(mid).append(UsageReported(at_ms=2, run="r", attempt="a", model="", input=1, output=1))
        assert observer.look().plans is first.plans
    assert started == []


@pytest.mark.spec(id="FM-54")
def test_what_happened_is_seen_at_the_next_look(observer: Observer, started: list[str]) -> None:
    first = observer.look()
    started.clear()
    observer.site.journal("M002").append(RunEnded(at_ms=2, run="r", state="done", reason="", milestone="M002"))
    again = observer.look()
    assert again.plans is not first.plans
    assert (len(again.events), len(first.events)) == (2, 1)
    assert started
