"""What killed coordinators and workers leave in files and journal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doctor.project import COMPLETE, codes, fixed, head, look, milestone_worktree, of, told, write
from doctor.test_sessions import beacon, myself
from fleet.stand import Fleet
from milepost.doctor.finding import Severity
from milepost.formats.journal import (
    AnyEvent,
    AttemptStarted,
    FleetEnded,
    FleetStarted,
    Landed,
    RunEnded,
    RunStarted,
    WorkerLost,
)
from milepost.formats.orchestrator import decode
from milepost.store.journal import Journal

ORCHESTRATOR = ".gsd/orchestrator.json"


def orchestrator(*workers: dict[str, object], active: bool = True) -> str:
    whole = {"workers": workers, "totalCost": 0.5, "startedAt": 1, "configSnapshot": {"max_workers": 2}}
    return json.dumps({"active": active} | whole)


def worker(pid: int, mid: str = "M001", **more: object) -> dict[str, object]:
    return {**json.loads(beacon(pid)), "title": "Feed store", "milestoneId": mid, "cost": 0.5, **more}


def note(root: Path, *events: AnyEvent) -> None:
    for event in events:
        Journal(root / ".gsd", "M001").append(event)


@pytest.fixture
def dead() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.spec(id="DV-18")
@pytest.mark.spec(id="FM-11")
@pytest.mark.spec(id="PR-306")
def test_a_picture_of_dead_workers_is_put_right(sound: Path, dead: int) -> None:
    stopped = worker(dead, "M002") | {"state": "stopped"}
    write(sound, {ORCHESTRATOR: orchestrator(worker(dead), stopped)})
    found = of(sound, "stale_orchestrator")
    assert found.severity is Severity.INFO
    assert f"M001 (pid {dead}), and none is" in found.message
    fixed(sound)
    said = decode((sound / ORCHESTRATOR).read_bytes())
    assert said is not None
    assert not said.active
    assert [w.state for w in said.workers] == ["error", "stopped"]
    assert (said.total_cost, said.workers[0].cost) == (0.5, 0.5)
    assert look(sound) == []


def test_a_picture_with_a_living_worker_or_of_the_past_is_left(sound: Path, dead: int) -> None:
    for text in (orchestrator(worker(os.getpid(), **myself())), orchestrator(worker(dead), active=False)):
        write(sound, {ORCHESTRATOR: text})
        assert look(sound) == []
        fixed(sound)
        assert (sound / ORCHESTRATOR).read_text() == text


def test_a_picture_is_its_coordinators_while_that_lives(fleet: Fleet, dead: int) -> None:
    fleet.start(role="coordinator")
    write(fleet.root, {ORCHESTRATOR: orchestrator(worker(dead))})
    assert "stale_orchestrator" not in codes(fleet.root)


def test_a_picture_that_cannot_be_read_goes(sound: Path) -> None:
    write(sound, {ORCHESTRATOR: "{"})
    assert told(fixed(sound), "stale_orchestrator") == "removed"
    assert not (sound / ORCHESTRATOR).exists()


@pytest.mark.spec(id="FM-17")
def test_workers_that_nobody_coordinates_are_said(fleet: Fleet) -> None:
    coordinator = fleet.start(role="coordinator")
    one = fleet.start(role="worker", milestone="M002")
    assert "fleet_unattended" not in codes(fleet.root)
    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    found = of(fleet.root, "fleet_unattended")
    assert f"M002 (pid {one.pid})" in found.message
    assert "gsd parallel start" in found.hint


@pytest.mark.spec(id="PR-193")
@pytest.mark.spec(id="FM-18")
def test_runs_without_a_last_word_are_named_until_the_next_start(sound: Path, dead: int) -> None:
    now = time.time_ns() // 1_000_000
    begun = RunStarted(at_ms=now - 90_000, run="r1", pid=dead, version="0", command="auto", milestone="M001", fleet="f")
    note(sound, FleetStarted(at_ms=now - 99_000, run="c1", session="f", pid=dead, max_workers=2), begun)
    found = of(sound, "worker_crashed")
    assert f"M001: its worker is gone without a last word (pid {dead}, started " in found.message
    assert "1 min ago" in found.message
    assert f"the coordinator (pid {dead}, started " in of(sound, "coordinator_crashed").message
    note(sound, WorkerLost(at_ms=now, run="c1", milestone="M001", worker_run="r1", reason="killed by SIGKILL"))
    assert "crashed: killed by SIGKILL" in of(sound, "worker_crashed").message
    note(sound, FleetEnded(at_ms=now, run="c1", session="f", state="blocked", reason="x"))
    assert codes(sound) == ["worker_crashed"]
    note(sound, FleetStarted(at_ms=now + 1, run="c2", session="f", pid=os.getpid(), max_workers=2))
    assert "worker_crashed" not in codes(sound)


@pytest.mark.spec(id="FM-12")
def test_a_run_that_ended_with_a_word_has_not_crashed(sound: Path, dead: int) -> None:
    note(sound, RunStarted(at_ms=1, run="r1", pid=dead, version="0", command="auto", milestone="M001"))
    note(sound, RunEnded(at_ms=2, run="r1", state="done", reason="done", milestone="M001"))
    assert look(sound) == []


@pytest.mark.spec(id="FM-20")
def test_a_worker_that_crashed_too_often_wants_a_person(sound: Path, dead: int) -> None:
    for n in range(4):
        note(sound, RunStarted(at_ms=n, run=f"r{n}", pid=dead, version="0", command="auto", milestone="M001"))
        note(sound, WorkerLost(at_ms=n, run="c", milestone="M001", worker_run=f"r{n}", reason="killed by SIGSEGV"))
    found = of(sound, "worker_crashed")
    assert "4 times in a row" in found.message
    assert "--retry M001" in found.hint


def test_a_worker_that_is_at_it_again_has_not_crashed(fleet: Fleet) -> None:
    note(fleet.root, RunStarted(at_ms=1, run="r0", pid=1, version="0", command="auto", milestone="M001"))
    fleet.start(role="worker", milestone="M001")
    assert "worker_crashed" not in codes(fleet.root)


def test_an_open_attempt_is_of_its_own_milestone(fleet: Fleet) -> None:
    """Another worker that lives says nothing about this one."""
    fleet.start(role="worker", milestone="M002")
    root = fleet.root
    begun = AttemptStarted(
        at_ms=1, run="r1", attempt="a", kind="execute-task", unit="M001/S01/T01", base=head(root), branch="b",
        fingerprint="f", number=1,
    )  # fmt: skip
    note(root, RunStarted(at_ms=0, run="r1", pid=1, version="0", command="auto", milestone="M001"), begun)
    assert "gsd parallel start" in of(root, "open_attempt").hint
    fleet.start(role="worker", milestone="M001", run="r2")
    assert "open_attempt" not in codes(root)


def test_a_forecast_of_what_is_merged_or_gone_is_removed(sound: Path) -> None:
    where = milestone_worktree(sound)
    told_of = [{"a": "M001", "b": "main", "files": ["x"], "seenAt": 1763760000000}]
    write(sound, {".gsd/parallel/forecast.json": json.dumps(told_of)})
    assert look(sound) == []
    write(where, dict(COMPLETE))
    note(sound, Landed(at_ms=1, run="r", milestone="M001", target="main", commit="c", tip="t"))
    assert "2025-11-21T21:20:00Z" in of(sound, "stale_forecast").message
    fixed(sound)
    assert not (sound / ".gsd/parallel/forecast.json").exists()
    write(sound, {".gsd/parallel/forecast.json": "[]\n"})
    assert "stale_forecast" not in codes(sound)
    write(sound, {".gsd/parallel/forecast.json": "[{"})
    assert of(sound, "stale_forecast").message == "cannot be read"


@pytest.mark.spec(id="FM-16")
def test_output_of_past_runs_is_no_worker(sound: Path) -> None:
    """Known workers are those with a status file, a lease or a journal, never those whose logs lie about."""
    write(sound, {".gsd/parallel/logs/M001.r1.err": "Traceback: fatal error\n", ".gsd/parallel/logs/M001.r1.out": "{}"})
    assert look(sound) == []


def test_crashes_of_the_past_are_over_when_all_is_done(sound: Path, dead: int) -> None:
    note(sound, FleetStarted(at_ms=1, run="c1", session="f", pid=dead, max_workers=2))
    note(sound, RunStarted(at_ms=2, run="r1", pid=dead, version="0", command="auto", milestone="M001"))
    assert {"coordinator_crashed", "worker_crashed"} <= set(codes(sound))
    write(sound, dict(COMPLETE))
    assert not {"coordinator_crashed", "worker_crashed"} & set(codes(sound))
