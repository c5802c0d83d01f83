"""What is said of a fleet is what the kernel, the journal and the files say at that moment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fleet.stand import Fleet, wait_until
from milepost.fleet import processes
from milepost.fleet.condition import Condition
from milepost.fleet.look import Look, look
from milepost.fleet.processes import Role
from milepost.fleet.worker_look import WorkerLook
from milepost.formats import forecast
from milepost.formats.forecast import Forecast
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    FleetEnded,
    FleetStarted,
    Landed,
    LandingEnded,
    Ordered,
    Result,
    RunEnded,
    RunStarted,
    UsageReported,
    WorkerLost,
    WorkerSpawned,
)
from milepost.formats.status import CurrentUnit, Status, WorkerState
from milepost.process import identity
from milepost.store import beacons
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.testing import projects


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def seen(fleet: Fleet) -> Look:
    return look(fleet.state, now_ms=now_ms())


def worker(fleet: Fleet, mid: str = "M001") -> WorkerLook:
    found = seen(fleet).of(mid)
    assert found is not None
    return found


def status(mid: str = "M001", **more: object) -> Status:
    """Of a process that is long gone."""
    own = identity.own()
    fields: dict[str, object] = {
        "milestone_id": mid, "pid": gone_pid(), "state": WorkerState.RUNNING, "current_unit": None,
        "completed_units": 3, "cost": 0.42, "last_heartbeat": now_ms(), "started_at": now_ms(), "worktree_path": "/p",
        "run": "r1", "host": own.host, "boot_id": own.boot_id, "start_ticks": 5,
    }  # fmt: skip
    return Status(**{**fields, **more})  # type: ignore[arg-type]


def gone_pid() -> int:
    """Of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def say(fleet: Fleet, said: Status) -> None:
    beacons.publish(fleet.state / "parallel", said)


def note(fleet: Fleet, *events: AnyEvent, writer: str = "M001") -> None:
    journal = Journal(fleet.state, writer)
    for event in events:
        journal.append(event)


def begun(mid: str = "M001", run: str = "r1", **more: object) -> RunStarted:
    fields: dict[str, object] = {"at_ms": now_ms() - 60_000, "run": run, "pid": 1, "version": "0", "command": "auto"}
    return RunStarted(**{**fields, "milestone": mid, "fleet": "f1", **more})  # type: ignore[arg-type]


def ended(state: str, reason: str = "why", mid: str = "M001", run: str = "r1", **more: object) -> RunEnded:
    return RunEnded(at_ms=now_ms() - 30_000, run=run, state=state, reason=reason, milestone=mid, **more)  # type: ignore[arg-type]


def session(**more: object) -> FleetStarted:
    fields: dict[str, object] = {"at_ms": now_ms() - 90_000, "run": "c1", "session": "f1", "pid": 1, "max_workers": 2}
    return FleetStarted(**{**fields, **more})  # type: ignore[arg-type]


def test_nothing_has_ever_run(fleet: Fleet) -> None:
    found = seen(fleet)
    assert (found.workers, found.coordinator, found.active, found.forecasts) == ((), None, False, ())
    assert not (fleet.state / "parallel").exists()
    assert not (fleet.state / "journal").exists()


@pytest.mark.spec(id="PR-081")
@pytest.mark.spec(id="DV-30")
def test_a_worker_with_its_title_state_unit_and_process(fleet: Fleet) -> None:
    process = fleet.start(title="Small files", fleet="f1")
    found = worker(fleet)
    assert (found.title, found.state, found.condition) == ("Small files", WorkerState.RUNNING, Condition.WORKING)
    assert found.unit is not None
    assert f"{found.unit.type} {found.unit.id}" == "execute-task M001/S01/T01"
    assert (found.alive, found.pid, found.run, found.micro_usd, found.units) == (True, process.pid, "r1", 250_000, 2)
    assert found.heartbeat_ms is not None
    assert found.progress_ms is not None


@pytest.mark.spec(id="DV-30")
def test_the_title_is_the_milestones_whatever_a_status_file_of_another_program_calls_it(fleet: Fleet) -> None:
    fleet.start(title="M001")
    assert worker(fleet).title == "Small files"


@pytest.mark.spec(id="FM-18")
@pytest.mark.spec(id="DV-17")
def test_no_coordinator_is_needed_to_know(fleet: Fleet) -> None:
    fleet.start()
    fleet.start(milestone="M002", run="r2")
    found = seen(fleet)
    assert found.coordinator is None
    assert [w.milestone for w in found.workers] == ["M001", "M002"]
    assert found.active


def test_coordinator_workers_and_merges_are_told_apart(fleet: Fleet) -> None:
    boss = fleet.start(role="coordinator", run="c1")
    fleet.start()
    merge = fleet.start(role="merge", milestone="M002", run="m1")
    found = seen(fleet)
    assert found.coordinator is not None
    assert found.coordinator.who is not None
    assert found.coordinator.who.pid == boss.pid
    assert {(r.role, r.milestone) for r in found.runners} == {
        (Role.COORDINATOR, ""), (Role.WORKER, "M001"), (Role.MERGE, "M002"),
    }  # fmt: skip
    assert worker(fleet, "M002").condition is Condition.MERGING
    assert worker(fleet, "M002").pid == merge.pid


@pytest.mark.spec(id="PR-152")
@pytest.mark.spec(id="PR-193")
@pytest.mark.spec(id="DV-13")
def test_a_worker_that_was_killed_has_crashed(fleet: Fleet) -> None:
    process = fleet.start()
    process.kill()
    process.wait()
    found = worker(fleet)
    assert (found.state, found.condition, found.alive) == (WorkerState.ERROR, Condition.CRASHED, False)
    assert found.cause.what == f"pid {process.pid} is gone without a last word, in execute-task M001/S01/T01"
    assert beacons.load(fleet.state / "parallel") != ()


@pytest.mark.spec(id="FM-10")
def test_a_zombie_is_dead(fleet: Fleet) -> None:
    process = fleet.start()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert worker(fleet).condition is Condition.CRASHED


@pytest.mark.spec(id="FM-09")
def test_a_number_that_another_process_has_now_is_not_the_worker(fleet: Fleet) -> None:
    say(fleet, status(pid=os.getpid(), start_ticks=identity.own().start_ticks - 1))
    assert worker(fleet).condition is Condition.CRASHED


@pytest.mark.spec(id="FM-09")
def test_nor_is_it_for_a_file_that_names_a_pid_only(fleet: Fleet) -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        say(fleet, status(pid=child.pid, run="", host=identity.host(), boot_id="", start_ticks=0))
        path = fleet.state / "parallel/M001.status.json"
        os.utime(path, (time.time() - 60, time.time() - 60))
        assert worker(fleet).condition is Condition.CRASHED
    finally:
        child.kill()
        child.wait()


@pytest.mark.spec(id="FM-10")
@pytest.mark.spec(id="DV-27")
def test_pid_zero_is_nobody(fleet: Fleet) -> None:
    say(fleet, status(pid=0, start_ticks=0))
    assert (worker(fleet).condition, seen(fleet).active) == (Condition.CRASHED, False)


@pytest.mark.spec(id="FM-10")
@pytest.mark.spec(id="DV-27")
def test_a_process_of_another_user_is_alive(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc hides it, a refused signal says that it is there."""
    pid = gone_pid()

    def refused(of: int, number: int) -> None:
        raise PermissionError(of, number)

    say(fleet, status(pid=pid, start_ticks=0))
    assert not seen(fleet).active
    monkeypatch.setattr(os, "kill", refused)
    assert seen(fleet).active


def test_one_on_another_host_is_not_called_dead(fleet: Fleet) -> None:
    say(fleet, status(host="elsewhere.invalid"))
    found = worker(fleet)
    assert (found.condition, found.alive) == (Condition.WORKING, True)
    assert found.runner is not None
    assert found.runner.kin is None


@pytest.mark.spec(id="PR-152")
def test_silent_for_more_than_thirty_seconds_and_alive_is_unresponsive(fleet: Fleet) -> None:
    """Told apart from dead; what is published stays as it was."""
    fleet.start(heartbeat_ms_ago=31_000)
    found = worker(fleet)
    assert (found.state, found.condition, found.alive) == (WorkerState.RUNNING, Condition.UNRESPONSIVE, True)
    assert found.cause.what.startswith("its process lives, and its heart has not beaten for 31 s")


def test_silent_for_less_is_nothing(fleet: Fleet) -> None:
    fleet.start(heartbeat_ms_ago=20_000)
    assert worker(fleet).condition is Condition.WORKING


def test_before_the_first_heartbeat_it_starts(fleet: Fleet) -> None:
    """It is not called running before it spoke."""
    fleet.start(silent=True)
    found = worker(fleet)
    assert (found.state, found.condition, found.alive) == (None, Condition.STARTING, True)


@pytest.mark.spec(id="FM-16")
def test_the_status_of_an_earlier_run_is_not_laid_to_the_new_worker(fleet: Fleet) -> None:
    say(fleet, status(run="r0", state=WorkerState.ERROR, reason="an old error"))
    fleet.start(run="r9", silent=True)
    found = worker(fleet)
    assert (found.condition, found.cause.what, found.run) == (Condition.STARTING, "", "r9")


@pytest.mark.spec(id="FM-16")
def test_logs_alone_are_no_worker(fleet: Fleet) -> None:
    projects.write(fleet.root, {".gsd/parallel/logs/M002.r1.err": "boom\n", ".gsd/parallel/M002.stderr.log": "x\n"})
    assert seen(fleet).workers == ()


def test_while_its_place_is_made_no_process_is_named(fleet: Fleet) -> None:
    """The coordinator holds the lease then, and must not be taken for the worker."""
    own = identity.own()
    holder = Holder(pid=own.pid, run="r5", host=own.host, start_ticks=own.start_ticks, command="start")
    with Lease(fleet.state / "parallel/M001.lease", "M001", holder):
        found = worker(fleet)
        assert (found.condition, found.run, found.pid) == (Condition.STARTING, "r5", 0)
        assert found.runner is not None
        assert found.runner.row() is None


def test_who_deletes_the_lease_has_not_ended_the_worker(fleet: Fleet) -> None:
    fleet.start()
    (fleet.state / "parallel/M001.lease").unlink()
    found = worker(fleet)
    assert (found.condition, found.alive, found.run) == (Condition.WORKING, True, "r1")


@pytest.mark.parametrize(
    ("state", "more", "condition", "published"),
    [
        ("done", {}, Condition.FINISHED, WorkerState.STOPPED),
        ("blocked", {"hint": "gsd doctor"}, Condition.BLOCKED, WorkerState.STOPPED),
        ("paused", {}, Condition.NEEDS_YOU, WorkerState.STOPPED),
        ("paused", {"passing": True}, Condition.WAITING, WorkerState.STOPPED),
        ("budget", {}, Condition.OUT_OF_BUDGET, WorkerState.STOPPED),
        ("interrupted", {}, Condition.STOPPED, WorkerState.STOPPED),
        ("error", {}, Condition.FAILED, WorkerState.ERROR),
    ],
)
@pytest.mark.spec(id="FM-12")
@pytest.mark.spec(id="DV-13")
def test_what_ended_with_a_last_word_has_not_crashed(
    state: str, more: dict[str, object], condition: Condition, published: WorkerState, fleet: Fleet
) -> None:
    """Its process is gone and its status file may still say running: the journal's word counts."""
    note(fleet, session(), writer="coordinator")
    note(fleet, begun(), ended(state, **more))
    say(fleet, status())
    found = worker(fleet)
    assert (found.condition, found.state, found.cause.what) == (condition, published, "why")
    assert found.cause.hint == more.get("hint", "")


@pytest.mark.spec(id="FM-01")
def test_a_clean_exit_without_a_last_word_is_a_crash(fleet: Fleet) -> None:
    note(fleet, session(), writer="coordinator")
    note(fleet, begun())
    assert worker(fleet).condition is Condition.CRASHED


def test_one_that_could_not_be_started(fleet: Fleet) -> None:
    note(fleet, session(), WorkerSpawned(at_ms=now_ms(), run="c1", milestone="M001", session="f1", worker_run="r1", pid=7),
         WorkerLost(at_ms=now_ms(), run="c1", milestone="M001", worker_run="r1", reason="exit code 127"),
         writer="coordinator")  # fmt: skip
    found = worker(fleet)
    assert (found.condition, found.cause.what, found.state) == (Condition.CRASHED, "exit code 127", WorkerState.ERROR)


def test_who_paused_it_and_when(fleet: Fleet) -> None:
    note(fleet, begun(fleet=""))
    fleet.start(doing="paused", said={})
    at = now_ms()
    note(fleet, Ordered(at_ms=at, run="o", milestone="M001", order="pause", sender="ada"), writer="orders")
    found = worker(fleet)
    assert (found.condition, found.cause.by, found.cause.at_ms) == (Condition.PAUSED, "ada", at)


@pytest.mark.spec(id="FM-11")
@pytest.mark.spec(id="FM-18")
def test_a_session_that_is_done_is_no_more_shown(fleet: Fleet) -> None:
    landed = Landed(at_ms=now_ms(), run="m", milestone="M001", target="main", commit="c" * 40, tip="t")
    note(fleet, session(), writer="coordinator")
    note(fleet, begun(), ended("done"), landed)
    say(fleet, status(state=WorkerState.STOPPED))
    assert worker(fleet).condition is Condition.MERGED
    note(fleet, FleetEnded(at_ms=now_ms(), run="c1", session="f1", state="done", reason="all"), writer="coordinator")
    assert seen(fleet).workers == ()


@pytest.mark.spec(id="FM-12")
def test_what_a_worker_of_another_program_last_said_stays(fleet: Fleet) -> None:
    """GSD's file: nine fields and no journal."""
    text = {
        "milestoneId": "M002", "pid": gone_pid(), "state": "stopped", "currentUnit": None, "completedUnits": 4,
        "cost": 1.5, "lastHeartbeat": 1763760000000, "startedAt": 1763750000000, "worktreePath": "/x",
    }  # fmt: skip
    projects.write(fleet.root, {".gsd/parallel/M002.status.json": json.dumps(text)})
    found = worker(fleet, "M002")
    assert (found.condition, found.state, found.units, found.micro_usd) == (
        Condition.STOPPED, WorkerState.STOPPED, 4, 1_500_000,
    )  # fmt: skip
    projects.write(fleet.root, {".gsd/parallel/M002.status.json": json.dumps({**text, "state": "running"})})
    assert worker(fleet, "M002").condition is Condition.CRASHED


@pytest.mark.parametrize("text", ["", "{", "[]", '{"milestoneId": "M002"}', "\x00\x00"])
def test_a_file_that_cannot_be_read_is_no_worker(text: str, fleet: Fleet) -> None:
    projects.write(fleet.root, {".gsd/parallel/M002.status.json": text, ".gsd/parallel/forecast.json": text})
    assert seen(fleet).workers == ()


@pytest.mark.spec(id="PR-140")
@pytest.mark.spec(id="PR-317")
def test_the_total_is_the_sum_however_often_it_is_looked_at(fleet: Fleet) -> None:
    say(fleet, status("M001", cost=1.25))
    say(fleet, status("M002", cost=0.5))
    assert [seen(fleet).micro_usd for _ in range(3)] == [1_750_000] * 3


@pytest.mark.spec(id="PR-140")
def test_what_the_journal_knows_is_what_it_cost(fleet: Fleet) -> None:
    """A worker that was killed may not have published its last request."""
    attempt = AttemptStarted(
        at_ms=1, run="r1", attempt="a", kind="execute-task", unit="M001/S01/T01", base="", branch="", fingerprint="",
        number=1,
    )  # fmt: skip
    usage = UsageReported(at_ms=2, run="r1", attempt="a", model="m", input=1, output=1, micro_usd=700_000)
    unpriced = UsageReported(at_ms=2, run="r1", attempt="a", model="m", input=1, output=1)
    done = AttemptEnded(at_ms=3, run="r1", attempt="a", result=Result.COMMITTED, commit="c")
    note(fleet, begun(), attempt, usage, unpriced, done)
    say(fleet, status(cost=0.42, completed_units=0))
    found = worker(fleet)
    assert (found.micro_usd, found.unpriced, found.units) == (700_000, 1, 1)


def test_a_merge_that_conflicted_says_with_what(fleet: Fleet) -> None:
    last = LandingEnded(
        at_ms=now_ms(), run="m", milestone="M001", outcome="conflict", target="main", reason="conflicts with main",
        files=("src/app.txt",), hint="gsd parallel merge M001",
    )  # fmt: skip
    note(fleet, session(), writer="coordinator")
    note(fleet, begun(), ended("done"), last)
    found = worker(fleet)
    assert (found.condition, found.cause.what) == (Condition.CONFLICT, "conflicts with main: src/app.txt")


def test_conflicts_to_come_until_one_side_has_landed(fleet: Fleet) -> None:
    told = (
        Forecast(a="M001", b="M002", files=("a.py",), seen_at=5),
        Forecast(a="M003", b="main", files=("b",), seen_at=6),
    )
    (fleet.state / "parallel").mkdir()
    (fleet.state / "parallel/forecast.json").write_bytes(forecast.encode(told))
    assert seen(fleet).forecasts == told
    note(fleet, Landed(at_ms=9, run="m", milestone="M002", target="main", commit="c", tip="t"))
    assert seen(fleet).forecasts == told[1:]


def test_a_plan_that_cannot_be_read_hides_no_process(fleet: Fleet) -> None:
    (fleet.state / "milestones/M001/M001-ROADMAP.md").write_bytes(b"\x00\x00")
    fleet.start(title="From its status")
    found = worker(fleet)
    assert (found.title, found.alive) == ("From its status", True)


def test_a_person_who_looks_never_stands_in_the_way_of_a_start(fleet: Fleet) -> None:
    """Asking takes each lock for a moment."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom milepost.fleet import processes\n"
        "while True: processes.runners(Path(sys.argv[1]))"
    )
    fleet.start(milestone="M003", run="r3")
    asking = subprocess.Popen([sys.executable, "-c", code, str(fleet.state)])
    try:
        for number in range(50):
            path = fleet.state / "parallel/M001.lease"
            with Lease(path, "M001", Holder(pid=os.getpid(), run=f"r{number}")):
                pass
    finally:
        asking.kill()
        asking.wait()


def test_a_process_that_ends_leaves_the_list(fleet: Fleet) -> None:
    process = fleet.start()
    assert processes.runners(fleet.state) != ()
    os.kill(process.pid, signal.SIGTERM)
    process.wait()
    wait_until(lambda: processes.runners(fleet.state) == ())
    assert worker(fleet).condition is Condition.STOPPED


def test_nothing_is_written_by_looking(fleet: Fleet) -> None:
    say(fleet, status())
    before = {path: path.stat().st_mtime_ns for path in Path(fleet.root).rglob("*")}
    seen(fleet)
    assert {path: path.stat().st_mtime_ns for path in Path(fleet.root).rglob("*")} == before


def test_units_in_flight_are_a_living_workers_only(fleet: Fleet) -> None:
    say(fleet, status(current_unit=CurrentUnit(type="execute-task", id="M001/S01/T01", started_at=1)))
    assert worker(fleet).unit is None


def test_a_pipe_in_the_place_of_the_forecast_hangs_nobody(fleet: Fleet) -> None:
    (fleet.state / "parallel").mkdir()
    os.mkfifo(fleet.state / "parallel" / "forecast.json")
    assert seen(fleet).forecasts == ()
