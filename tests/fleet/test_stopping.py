"""Stop ends processes and nothing else: by order and signal, then by force, until none is left."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import run_git
from fleet.stand import Fleet
from milepost.fleet import processes, stopping
from milepost.fleet.processes import Role
from milepost.fleet.stopping import Ended
from milepost.formats.journal import Ordered
from milepost.git import refs
from milepost.process import identity, table
from milepost.rules import fleet as rules
from milepost.rules.fleet import Wanted
from milepost.store import lease, mailbox
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def stop(fleet: Fleet, *milestones: str, wait_s: float = 30.0) -> list[Ended]:
    errors: list[OSError] = []
    found = stopping.stop(
        fleet.state, milestones, sender="ada", run="o1", wait_s=wait_s, now_ms=now_ms, unwritten=errors.append
    )
    return list(found)


def told(ended: Sequence[Ended]) -> list[tuple[Role, str, bool, bool]]:
    return sorted((one.runner.role, one.runner.milestone, one.forced, one.gone) for one in ended)


def there(pid: int) -> bool:
    row = table.row(pid)
    return row is not None and row.state not in table.GONE


@pytest.mark.spec(id="PR-082")
@pytest.mark.spec(id="PR-102")
@pytest.mark.spec(id="PR-104")
@pytest.mark.spec(id="PR-176")
@pytest.mark.spec(id="DV-19")
def test_all_and_the_coordinator_too(fleet: Fleet) -> None:
    started = [
        fleet.start(), fleet.start(milestone="M002", run="r2"), fleet.start(role="coordinator", run="c1"),
    ]  # fmt: skip
    ended = stop(fleet)
    assert told(ended) == [
        (Role.COORDINATOR, "", False, True), (Role.WORKER, "M001", False, True), (Role.WORKER, "M002", False, True),
    ]  # fmt: skip
    assert [process.wait(30) for process in started] == [0, 0, 0]
    assert processes.runners(fleet.state) == ()
    assert rules.fold(Journal(fleet.state, "project").everything()).stop_all


@pytest.mark.spec(id="PR-083")
@pytest.mark.spec(id="DV-19")
def test_one_is_stopped_and_the_other_still_known(fleet: Fleet) -> None:
    """A partial stop forgets nobody: the other one still hears the next stop."""
    fleet.start()
    other = fleet.start(milestone="M002", run="r2")
    boss = fleet.start(role="coordinator", run="c1")
    assert told(stop(fleet, "M001")) == [(Role.WORKER, "M001", False, True)]
    assert (other.poll(), boss.poll()) == (None, None)
    assert {runner.milestone for runner in processes.runners(fleet.state)} == {"", "M002"}
    stop(fleet)
    assert (other.wait(30), boss.wait(30)) == (0, 0)


@pytest.mark.spec(id="PR-102")
def test_the_order_is_there_as_well_as_the_signal(fleet: Fleet) -> None:
    fleet.start(deaf=True)
    stop(fleet, "M001", wait_s=0.2)
    order = mailbox.pending(fleet.state / "parallel", "M001")
    assert order is not None
    assert (order.signal, order.run) == ("stop", "r1")


@pytest.mark.spec(id="DV-29")
@pytest.mark.spec(id="FM-41")
def test_an_order_that_nobody_took_is_not_obeyed_by_the_next_run(fleet: Fleet) -> None:
    fleet.start(deaf=True)
    stop(fleet, "M001", wait_s=0.2)
    nxt = fleet.start(run="r2")
    time.sleep(0.2)
    assert nxt.poll() is None
    assert mailbox.pending(fleet.state / "parallel", "M001") is None


@pytest.mark.spec(id="PR-326")
@pytest.mark.spec(id="FM-13")
def test_one_that_does_not_hear_is_ended_by_force_with_all_it_started(fleet: Fleet) -> None:
    process = fleet.start(deaf=True, brood=True)
    assert all(there(pid) for pid in fleet.children)
    ended = stop(fleet, wait_s=0.2)
    assert told(ended) == [(Role.WORKER, "M001", True, True)]
    assert ended[0].swept == 2
    assert process.wait(30) == -9
    assert not any(there(pid) for pid in fleet.children)


@pytest.mark.spec(id="FM-13")
def test_what_a_worker_leaves_behind_ends_with_it(fleet: Fleet) -> None:
    process = fleet.start(brood=True, careless=True)
    ended = stop(fleet)
    assert (told(ended), ended[0].swept) == ([(Role.WORKER, "M001", False, True)], 2)
    assert process.wait(30) == 0
    assert not any(there(pid) for pid in fleet.children)


@pytest.mark.spec(id="FM-09")
def test_a_number_that_belongs_to_another_process_now_is_not_signalled(fleet: Fleet) -> None:
    child = subprocess.Popen(["sleep", "60"])
    own = identity.own()
    holder = Holder(pid=child.pid, run="r1", host=own.host, boot_id=own.boot_id, start_ticks=1)
    try:
        with Lease(fleet.state / "parallel/M001.lease", "M001", holder):
            ended = stop(fleet, wait_s=0.1)
        assert child.poll() is None
        assert ended
    finally:
        child.kill()
        child.wait()


def test_a_worker_that_cannot_be_reached_is_not_called_stopped(fleet: Fleet) -> None:
    with Lease(fleet.state / "parallel/M001.lease", "M001", Holder(pid=0, run="r1")):
        ended = stop(fleet, wait_s=0.1)
    assert [(one.unreachable, one.gone) for one in ended] == [(True, False)]


def test_a_milestone_that_does_not_run_is_kept_from_being_started(fleet: Fleet) -> None:
    assert stop(fleet, "M003") == []
    found = rules.fold(Journal(fleet.state, "project").everything()).of("M003")
    assert (found.wanted, found.wanted_by) == (Wanted.STOP, "ada")


def test_where_nothing_runs_nothing_is_written(fleet: Fleet) -> None:
    assert stop(fleet) == []
    assert not (fleet.state / "journal").exists()


def test_a_merge_is_let_finish(fleet: Fleet) -> None:
    merge = fleet.start(role="merge", milestone="M002", run="m1", lasts_s=0.5)
    assert told(stop(fleet)) == [(Role.MERGE, "M002", False, True)]
    assert merge.wait(30) == 0


def test_a_merge_that_does_not_end_is_ended(fleet: Fleet) -> None:
    merge = fleet.start(role="merge", milestone="M002", run="m1", deaf=True)
    assert all(one.gone for one in stop(fleet, "M002", wait_s=0.1))
    assert merge.wait(30) == -9


def test_a_full_disk_does_not_keep_it_from_stopping(fleet: Fleet) -> None:
    process = fleet.start()
    (fleet.state / "journal/orders.jsonl").mkdir(parents=True)
    errors: list[OSError] = []
    ended = stopping.stop(fleet.state, (), sender="ada", run="o1", wait_s=30, now_ms=now_ms, unwritten=errors.append)
    assert told(list(ended)) == [(Role.WORKER, "M001", False, True)]
    assert len(errors) == 1
    assert process.wait(30) == 0


@pytest.mark.spec(id="PR-328")
def test_worktree_branch_and_work_in_progress_stay(fleet: Fleet) -> None:
    where = fleet.state / "worktrees/M001"
    run_git(fleet.root, "worktree", "add", "-q", "-b", "milestone/M001", str(where))
    (where / "half.txt").write_text("half\n")
    pinned = refs.pin(fleet.root, "M001", stopping.BACKUP, run_git(fleet.root, "rev-parse", "HEAD").strip())
    fleet.start()
    stop(fleet)
    (left,) = stopping.kept(fleet.state, ("M001", "M002"))
    assert (left.worktree, left.branch, left.backup) == (where, "milestone/M001", pinned)
    assert (where / "half.txt").read_text() == "half\n"
    assert run_git(fleet.root, "branch", "--list", "milestone/M001").strip() == "+ milestone/M001"


def test_the_project_of_a_neighbour_goes_on(fleet: Fleet, tmp_path: Path) -> None:
    other = Fleet(tmp_path / "other")
    other.state.mkdir(parents=True)
    try:
        theirs = other.start()
        fleet.start()
        stop(fleet)
        assert theirs.poll() is None
        assert lease.holder(other.state / "parallel/M001.lease") is not None
    finally:
        other.end()


def test_the_journal_names_who_ordered_it(fleet: Fleet) -> None:
    fleet.start()
    stop(fleet, "M001")
    found = [e for e in Journal(fleet.state, "orders").own() if isinstance(e, Ordered)]
    assert [(e.milestone, e.order, e.sender, e.run) for e in found] == [("M001", "stop", "ada", "o1")]
