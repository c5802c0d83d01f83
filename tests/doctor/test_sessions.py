"""Status files of parallel workers: stale, silent, forgotten, and what is none of these."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doctor.project import codes, fixed, look, of, told, write
from milepost.doctor.finding import Severity
from milepost.process import identity

BEACON = ".gsd/parallel/M001.status.json"
STARTED, BEAT = 1763759000000, 1763760030000


@pytest.fixture
def dead() -> int:
    """The pid of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def beacon(pid: int, state: str = "running", **more: object) -> str:
    """A status file as GSD writes it; `more` as ours does."""
    said = {
        "milestoneId": "M001", "pid": pid, "state": state, "currentUnit": None, "completedUnits": 0, "cost": 0,
        "lastHeartbeat": BEAT, "startedAt": STARTED, "worktreePath": "/x",
    }  # fmt: skip
    return json.dumps(said | more)


def myself() -> dict[str, object]:
    own = identity.own()
    return {"host": own.host, "bootId": own.boot_id, "startTicks": own.start_ticks}


@pytest.mark.spec(id="PR-150")
@pytest.mark.spec(id="PR-151")
@pytest.mark.spec(id="PR-177")
@pytest.mark.spec(id="PR-340")
@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_worker_that_is_gone_is_named_and_its_file_removed(sound: Path, dead: int, state: str) -> None:
    write(sound, {BEACON: beacon(dead, state)})
    found = of(sound, "stale_parallel_session")
    assert (found.path, found.severity, found.fixable) == (BEACON, Severity.WARNING, True)
    for part in ("M001", f"pid {dead}", "started 2025-11-21T21:03:20Z", "last heartbeat 2025-11-21T21:20:30Z"):
        assert part in found.message
    assert told(fixed(sound), "stale_parallel_session") == "removed"
    assert not (sound / BEACON).exists()
    assert look(sound) == []


@pytest.mark.spec(id="PR-152")
@pytest.mark.spec(id="FM-09")
def test_a_number_that_means_another_process_now_is_nobody(sound: Path) -> None:
    """Ours says when its process began; of a file of GSD the process must have run when it was written."""
    write(sound, {BEACON: beacon(os.getpid(), **(myself() | {"startTicks": identity.own().start_ticks + 1}))})
    assert of(sound, "stale_parallel_session").fixable
    write(sound, {BEACON: beacon(os.getpid())})
    os.utime(sound / BEACON, (1_000_000_000, 1_000_000_000))
    assert of(sound, "stale_parallel_session").fixable


@pytest.mark.spec(id="PR-152")
@pytest.mark.spec(id="DV-27")
@pytest.mark.spec(id="FM-10")
@pytest.mark.parametrize("pid", [0, -1])
def test_no_process_has_the_number_zero(sound: Path, pid: int) -> None:
    write(sound, {BEACON: beacon(pid)})
    assert of(sound, "stale_parallel_session").fixable


@pytest.mark.spec(id="FM-10")
def test_a_zombie_is_dead(sound: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    write(sound, {BEACON: beacon(child.pid, lastHeartbeat=now_ms())})
    assert of(sound, "stale_parallel_session").fixable
    child.wait()


@pytest.mark.spec(id="FM-10")
@pytest.mark.skipif(os.getuid() != 0, reason="only root may start a process of another user")
def test_a_process_of_another_user_is_alive(sound: Path) -> None:
    child = subprocess.Popen(["sleep", "60"], user=65534)
    try:
        write(sound, {BEACON: beacon(child.pid, lastHeartbeat=now_ms())})
        assert codes(sound) == ["fleet_unattended"]
    finally:
        child.kill()
        child.wait()


@pytest.mark.spec(id="DV-18")
@pytest.mark.spec(id="FM-05")
@pytest.mark.parametrize("ours", [True, False])
def test_a_living_process_with_an_old_heartbeat_is_silent_and_not_gone(sound: Path, ours: bool) -> None:
    text = beacon(os.getpid(), **(myself() if ours else {}))
    write(sound, {BEACON: text})
    found = of(sound, "unresponsive_worker")
    assert (found.path, found.severity, found.fixable) == (BEACON, Severity.WARNING, False)
    assert "lives and does not answer" in found.message
    assert "gone" not in found.message
    assert f"pid {os.getpid()}" in found.message
    assert "2025-11-21T21:20:30Z" in found.message
    assert "gsd parallel stop M001" in found.hint
    fixed(sound)
    assert (sound / BEACON).read_text() == text


def test_a_suspended_worker_is_told_as_such(sound: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        os.kill(child.pid, 19)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        write(sound, {BEACON: beacon(child.pid)})
        assert f"kill -CONT {child.pid}" in of(sound, "unresponsive_worker").message
    finally:
        child.kill()
        child.wait()


def test_a_worker_on_another_host_cannot_be_judged_from_here(sound: Path, dead: int) -> None:
    write(sound, {BEACON: beacon(dead, host="elsewhere", bootId="b", startTicks=5)})
    found = of(sound, "unresponsive_worker")
    assert "elsewhere" in found.message
    assert "cannot be told" in found.message
    fixed(sound)
    assert (sound / BEACON).is_file()


def test_a_living_worker_is_left(sound: Path) -> None:
    write(sound, {BEACON: beacon(os.getpid(), lastHeartbeat=now_ms())})
    assert codes(sound) == ["fleet_unattended"]
    fixed(sound)
    assert (sound / BEACON).is_file()


@pytest.mark.spec(id="FM-12")
@pytest.mark.spec(id="DV-13")
@pytest.mark.parametrize("state", ["stopped", "error"])
def test_a_worker_that_ended_with_a_last_word_leaves_its_file(sound: Path, dead: int, state: str) -> None:
    write(sound, {BEACON: beacon(dead, state)})
    assert look(sound) == []
    fixed(sound)
    assert (sound / BEACON).is_file()


@pytest.mark.parametrize("text", ["", "{", "[]", beacon(1).replace("M001", "M002")])
def test_a_file_that_says_nothing_is_no_worker(sound: Path, text: str) -> None:
    write(sound, {BEACON: text})
    assert "cannot be read" in of(sound, "stale_parallel_session").message
    fixed(sound)
    assert not (sound / BEACON).exists()


def test_a_worker_that_waits_for_long_may_have_been_forgotten(sound: Path) -> None:
    hour = 3_600_000
    order = {"signal": "pause", "sentAt": now_ms() - 5 * hour, "takenAt": now_ms() - 5 * hour}
    write(sound, {BEACON: beacon(os.getpid(), "paused", lastHeartbeat=now_ms(), lastOrder=order)})
    found = of(sound, "worker_paused")
    assert "5 h" in found.message
    assert found.hint == "gsd parallel resume M001"
    order["takenAt"] = now_ms()
    write(sound, {BEACON: beacon(os.getpid(), "paused", lastHeartbeat=now_ms(), lastOrder=order)})
    assert codes(sound) == ["fleet_unattended"]
