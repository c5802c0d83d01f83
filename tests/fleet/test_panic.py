"""Panic kills everything of the fleet at once, proved, and touches nothing else."""

import subprocess
import time
from pathlib import Path

import pytest

from conftest import run_git
from fleet.stand import Fleet
from milepost.fleet import panic, processes
from milepost.fleet.panic import Panicked
from milepost.fleet.processes import Role
from milepost.process import identity, table
from milepost.rules import fleet as rules
from milepost.rules.fleet import Wanted
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def panicked(fleet: Fleet, *milestones: str) -> Panicked:
    return panic.panic(fleet.state, milestones, sender="ada", run="o1", now_ms=now_ms)


def there(pid: int) -> bool:
    row = table.row(pid)
    return row is not None and row.state not in table.GONE


@pytest.mark.spec(id="FM-13")
def test_coordinator_workers_merges_and_all_they_started(fleet: Fleet) -> None:
    started = [
        fleet.start(role="coordinator", run="c1", brood=True), fleet.start(brood=True, deaf=True),
        fleet.start(milestone="M002", run="r2", deaf=True), fleet.start(role="merge", milestone="M003", run="m1", brood=True),
    ]  # fmt: skip
    done = panicked(fleet)
    assert {(runner.role, runner.milestone) for runner in done.killed} == {
        (Role.COORDINATOR, ""), (Role.WORKER, "M001"), (Role.WORKER, "M002"), (Role.MERGE, "M003"),
    }  # fmt: skip
    assert (done.processes, done.survivors, done.unreachable) == (10, (), ())
    assert [process.wait(30) for process in started] == [-9] * 4
    assert not any(there(pid) for pid in fleet.children)
    assert processes.runners(fleet.state) == ()


def test_workers_are_named_also_when_they_die_as_children_of_their_coordinator(fleet: Fleet) -> None:
    fleet.start(
        role="coordinator", run="c1", hires=[{"milestone": "M001", "deaf": True}, {"milestone": "M002", "run": "r2"}]
    )
    assert sorted(runner.milestone for runner in panicked(fleet).killed) == ["", "M001", "M002"]


def test_one_that_forks_without_pause_cannot_outrun_it(fleet: Fleet) -> None:
    group = fleet.start(deaf=True, forker=True).pid
    assert len([row for row in table.rows() if row.group == group]) > 1
    panicked(fleet)
    time.sleep(0.1)
    assert not [row for row in table.rows() if row.group == group and row.state not in table.GONE]


def test_only_one_and_it_is_not_started_again(fleet: Fleet) -> None:
    fleet.start(deaf=True)
    other = fleet.start(milestone="M002", run="r2")
    boss = fleet.start(role="coordinator", run="c1")
    done = panicked(fleet, "M001")
    assert [runner.milestone for runner in done.killed] == ["M001"]
    assert (other.poll(), boss.poll()) == (None, None)
    assert rules.fold(Journal(fleet.state, "project").everything()).of("M001").wanted is Wanted.STOP


def test_nothing_in_git_is_touched(fleet: Fleet) -> None:
    where = fleet.state / "worktrees/M001"
    run_git(fleet.root, "worktree", "add", "-q", "-b", "milestone/M001", str(where))
    (where / "half.txt").write_text("half\n")
    (fleet.root / "README.md").write_text("mine\n")
    fleet.start(deaf=True)
    before = said(fleet.root)
    panicked(fleet)
    assert said(fleet.root) == before


def said(root: Path) -> dict[str, tuple[int, int]]:
    """Everything but where orders and leases lie."""
    ours = (root / ".gsd/parallel", root / ".gsd/journal")
    files = [path for path in root.rglob("*") if not any(path.is_relative_to(other) for other in ours)]
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in files if path != root / ".gsd"}


def test_where_nothing_runs(fleet: Fleet) -> None:
    assert panicked(fleet) == Panicked(killed=(), processes=0, after_ms=panicked(fleet).after_ms)
    assert not (fleet.state / "journal").exists()


@pytest.mark.spec(id="FM-09")
def test_a_number_that_belongs_to_another_process_now_is_not_killed(fleet: Fleet) -> None:
    child = subprocess.Popen(["sleep", "60"])
    own = identity.own()
    holder = Holder(
        pid=child.pid, run="r1", host=own.host, boot_id=own.boot_id, start_ticks=own.start_ticks + 10_000_000
    )
    try:
        with Lease(fleet.state / "parallel/M001.lease", "M001", holder):
            panicked(fleet)
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_what_cannot_be_reached_is_said(fleet: Fleet) -> None:
    with Lease(fleet.state / "parallel/M001.lease", "M001", Holder(pid=0, run="r1")):
        done = panicked(fleet)
    assert [runner.milestone for runner in done.unreachable] == ["M001"]


def test_a_full_disk_does_not_keep_it_from_killing(fleet: Fleet) -> None:
    process = fleet.start(deaf=True)
    (fleet.state / "journal/orders.jsonl").mkdir(parents=True)
    done = panicked(fleet)
    assert done.unwritten is not None
    assert process.wait(30) == -9


def test_a_solo_auto_mode_is_not_the_fleet(fleet: Fleet) -> None:
    own = identity.own()
    holder = Holder(pid=own.pid, run="solo", host=own.host, start_ticks=own.start_ticks, command="auto")
    with Lease(fleet.state / "parallel/auto.lease", "p", holder, guard=fleet.state / "journal/project.jsonl"):
        assert panicked(fleet).killed == ()
