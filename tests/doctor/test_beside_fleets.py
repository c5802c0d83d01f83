"""`doctor --fix` beside those who work: it mends what concerns nobody, and keeps its hands off the rest."""

import os
import signal
from pathlib import Path

import pytest

from doctor.project import codes, fixed, place, told, write
from doctor.test_sessions import beacon
from fleet.stand import Fleet, wait_until
from milepost.doctor.run import examine, mend
from milepost.store.lease import Holder, Lease

ORDER = '{"signal": "stop", "sentAt": 1, "from": "coordinator"}'


def damage(root: Path) -> None:
    """A dead worker of M003, an order to it, and things that only somebody alone may put right."""
    write(root, {".gsd/parallel/M003.status.json": beacon(999_999_999).replace("M001", "M003")})
    write(root, {".gsd/parallel/M003.signal.json": ORDER, ".gsd/auto.lock": "{"})
    write(root, {".gsd/worktrees/M009/only.txt": "here"})


def running(fleet: Fleet) -> dict[str, bytes]:
    """What the fleet holds and says, heartbeats apart."""
    box = fleet.state / "parallel"
    return {str(p): p.read_bytes() for p in sorted(box.glob("*.lease")) + sorted(box.glob("M001.*.json"))}


@pytest.mark.spec(id="DV-18")
def test_with_a_coordinator_nothing_of_its_is_touched(fleet: Fleet) -> None:
    coordinator = fleet.start(role="coordinator")
    worker = fleet.start(role="worker", milestone="M001")
    damage(fleet.root)
    before = running(fleet)
    report = fixed(fleet.root)
    assert report.mended
    for one in report.mended:
        assert not one.done
        assert f"the coordinator (pid {coordinator.pid}), M001 (pid {worker.pid})" in one.refused
    assert running(fleet) == before
    assert coordinator.poll() is None
    assert worker.poll() is None


@pytest.mark.spec(id="DV-18")
@pytest.mark.spec(id="PR-177")
def test_with_workers_alone_what_is_of_nobody_is_mended(fleet: Fleet) -> None:
    worker = fleet.start(role="worker", milestone="M001")
    damage(fleet.root)
    before = running(fleet)
    report = fixed(fleet.root)
    assert told(report, "stale_parallel_session") == "removed"
    assert told(report, "stale_signal") == "removed"
    assert told(report, "stale_crash_lock") == "removed"
    assert f"M001 (pid {worker.pid})" in told(report, "worktree_unregistered")
    assert {name: said for name, said in running(fleet).items() if name in before} == before
    assert worker.poll() is None
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wait_until(lambda: "stale_parallel_session" in codes(fleet.root))
    assert told(fixed(fleet.root), "worktree_unregistered").startswith("moved to")


def test_what_somebody_takes_meanwhile_is_not_touched(fleet: Fleet) -> None:
    """M003's lease is held by somebody who has not said anything yet."""
    fleet.start(role="worker", milestone="M001")
    damage(fleet.root)
    with Lease(fleet.state / "parallel/M003.lease", "M003", Holder(pid=os.getpid(), run="new", command="start")):
        fixed(fleet.root)
    assert (fleet.state / "parallel/M003.status.json").is_file()
    assert (fleet.state / "parallel/M003.signal.json").is_file()


def test_the_leases_that_mending_takes_are_free_afterwards(fleet: Fleet) -> None:
    fleet.start(role="worker", milestone="M001")
    damage(fleet.root)
    fixed(fleet.root)
    for name in ("coordinator", "M003"):
        guard = fleet.state / f"journal/{name}.jsonl"
        with Lease(fleet.state / f"parallel/{name}.lease", name, Holder(pid=1, run="r"), guard=guard):
            pass


def test_a_lease_file_that_was_deleted_does_not_open_the_door(sound: Path) -> None:
    """Solo auto mode at work, its lease file thrown away: the journal's lock says it still."""
    write(sound, {".gsd/auto.lock": "{"})
    path, guard = sound / ".gsd/parallel/auto.lease", sound / ".gsd/journal/project.jsonl"
    with Lease(path, "project", Holder(pid=os.getpid(), run="r-1"), guard=guard):
        path.unlink()
        report = fixed(sound)
    assert [one.done for one in report.mended] == []
    assert (sound / ".gsd/auto.lock").is_file()


def test_only_what_is_about_one_milestone(fleet: Fleet) -> None:
    damage(fleet.root)
    assert {found.code for found in examine(place(fleet.root), "M009").findings} == {"worktree_unregistered"}
    done = {one.finding.code for one in mend(place(fleet.root), "M003").mended if one.done}
    assert done == {"stale_parallel_session", "stale_signal"}
    assert (fleet.root / ".gsd/worktrees/M009/only.txt").is_file()


def test_nothing_is_said_to_be_out_of_date_that_somebody_writes(fleet: Fleet) -> None:
    assert "state_file_missing" in codes(fleet.root)
    fleet.start(role="coordinator")
    assert "state_file_missing" not in codes(fleet.root)
