"""`orchestrator.json` as a coordinator writes it: from one look, only when something changed, inactive at the end."""

import json
import time
from pathlib import Path

import pytest

from milepost.fleet import orchestrator_file
from milepost.fleet.observe import Observation, Observer
from milepost.fleet.orchestrator_file import Publisher
from milepost.fleet.site import Site
from milepost.formats.journal import FleetStarted
from milepost.formats.preferences import Parallel, Preferences
from milepost.formats.status import WorkerState

from .stand import Fleet, wait_until

SESSION = "f-1"


@pytest.fixture
def site(fleet: Fleet, tmp_path: Path) -> Site:
    made = Site(
        root=fleet.root, state_dir=".gsd", home=str(tmp_path), program="gsd", run="c-1",
        preferences=Preferences(parallel=Parallel(max_workers=3, budget_ceiling=12.5)), env={}, shell={},
        now_ms=lambda: time.time_ns() // 1_000_000,
    )  # fmt: skip
    made.journal("coordinator").append(
        FleetStarted(at_ms=1763760000000, run="c-1", session=SESSION, pid=7, max_workers=3)
    )
    return made


def look(site: Site) -> Observation:
    return Observer(site).look()


def said(fleet: Fleet) -> dict[str, object]:
    found: dict[str, object] = json.loads((fleet.state / "orchestrator.json").read_text())
    return found


@pytest.mark.spec(id="PR-306")
def test_the_fields_are_the_documented_ones(fleet: Fleet, site: Site) -> None:
    worker = fleet.start(milestone="M002", fleet=SESSION, cost=0.25, units=2, title="Second")
    Publisher().publish(look(site), SESSION, site)
    found = said(fleet)
    assert list(found)[:5] == ["active", "workers", "totalCost", "startedAt", "configSnapshot"]
    assert found["active"] is True
    assert found["startedAt"] == 1763760000000
    assert found["totalCost"] == 0.25
    assert found["configSnapshot"] == {"max_workers": 3, "budget_ceiling": 12.5}
    workers = found["workers"]
    assert isinstance(workers, list)
    (one,) = workers
    keys = ["milestoneId", "title", "pid", "worktreePath", "startedAt", "state", "completedUnits", "cost"]
    assert list(one)[:8] == keys
    assert (one["milestoneId"], one["title"], one["pid"]) == ("M002", "Second", worker.pid)
    assert (one["state"], one["completedUnits"], one["cost"]) == ("running", 2, 0.25)


def test_nothing_is_written_while_nothing_changes(fleet: Fleet, site: Site) -> None:
    fleet.start(milestone="M002", fleet=SESSION)
    publisher = Publisher()
    publisher.publish(look(site), SESSION, site)
    before = (fleet.state / "orchestrator.json").stat().st_ino
    publisher.publish(look(site), SESSION, site)
    assert (fleet.state / "orchestrator.json").stat().st_ino == before


@pytest.mark.spec(id="FM-08")
def test_a_worker_is_listed_from_its_first_heartbeat_on(fleet: Fleet, site: Site) -> None:
    fleet.start(milestone="M001", fleet=SESSION, silent=True)
    assert orchestrator_file.picture(look(site), SESSION, site).workers == ()


@pytest.mark.spec(id="FM-07")
def test_a_file_of_the_run_before_is_not_taken_for_the_one_that_lives(fleet: Fleet, site: Site) -> None:
    first = fleet.start(milestone="M001", run="r1", fleet=SESSION)
    first.kill()
    first.wait()
    fleet.start(milestone="M001", run="r2", fleet=SESSION, silent=True)
    assert orchestrator_file.picture(look(site), SESSION, site).workers == ()


@pytest.mark.spec(id="FM-11")
@pytest.mark.spec(id="FM-12")
def test_the_dead_are_errors_and_those_with_a_last_word_are_not(fleet: Fleet, site: Site) -> None:
    killed, ended = (fleet.start(milestone=mid, fleet=SESSION) for mid in ("M001", "M002"))
    killed.kill()
    killed.wait()
    ended.terminate()
    ended.wait()
    wait_until(lambda: not look(site).holders)
    found = orchestrator_file.picture(look(site), SESSION, site)
    assert [(w.milestone_id, w.state) for w in found.workers] == [
        ("M001", WorkerState.ERROR),
        ("M002", WorkerState.STOPPED),
    ]


def test_workers_of_an_earlier_session_are_not_listed_unless_they_live(fleet: Fleet, site: Site) -> None:
    fleet.start(milestone="M001", fleet="f-0")
    gone = fleet.start(milestone="M002", fleet="f-0")
    gone.kill()
    gone.wait()
    assert [w.milestone_id for w in orchestrator_file.picture(look(site), SESSION, site).workers] == ["M001"]


@pytest.mark.spec(id="FM-11")
def test_when_the_coordinator_ends_nothing_is_active(fleet: Fleet, site: Site) -> None:
    publisher = Publisher()
    publisher.close(site)
    assert not (fleet.state / "orchestrator.json").exists(), "one that never began has nothing to say"
    publisher.publish(look(site), SESSION, site)
    publisher.close(site)
    assert said(fleet)["active"] is False
    assert orchestrator_file.deactivate(fleet.state, lambda _: True) is False


def test_a_disk_that_refuses_ends_no_coordinator(fleet: Fleet, site: Site) -> None:
    (fleet.state / "orchestrator.json").mkdir()
    publisher = Publisher()
    publisher.publish(look(site), SESSION, site)
    (fleet.state / "orchestrator.json").rmdir()
    publisher.publish(look(site), SESSION, site)
    assert said(fleet)["active"] is True
