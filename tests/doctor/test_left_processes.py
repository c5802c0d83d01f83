"""Processes that killed runs left: found by what was recorded of them, ended, and nothing else is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor.project import codes, fixed, look, of, told
from fleet.stand import Fleet, wait_until
from milepost.formats.journal import WorkerSpawned
from milepost.process import identity, kin, table
from milepost.store.journal import Journal

STARTER = """
import os, subprocess, sys
from milepost.process import kin
kin.MARK = sys.argv[2]
_, env = kin.marked(os.environ)
child = subprocess.Popen(["sleep", "300"], env=env, start_new_session=True, cwd=sys.argv[1], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
"""
"""Starts a command as a worker does, and dies without ending it."""


REAL_MARK = kin.MARK


def alive(pid: int) -> bool:
    row = table.row(pid)
    return row is not None and row.state not in table.GONE


def left_in(directory: Path) -> int:
    """The pid of a command whose starter is gone."""
    done = subprocess.run([sys.executable, "-c", STARTER, str(directory), kin.MARK], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


@pytest.fixture(autouse=True)
def own_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark that nobody else looks for: workers of other tests end what dead workers left, wherever it runs."""
    monkeypatch.setattr(kin, "MARK", f"MILEPOST_SPAWN_{os.getpid()}_{os.urandom(4).hex()}")


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """Pids to be killed after the test, whatever it did."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        subprocess.run(["kill", "-9", str(pid)], stderr=subprocess.DEVNULL, check=False)


@pytest.mark.spec(id="FM-13")
@pytest.mark.spec(id="DV-19")
def test_a_command_that_outlived_its_run_is_named_and_ended(sound: Path, ended: list[int]) -> None:
    pid = left_in(sound)
    ended.append(pid)
    found = of(sound, "leftover_process")
    assert f"pid {pid} (sleep)" in found.message
    assert found.fixable
    assert told(fixed(sound), "leftover_process") == "ended"
    assert not alive(pid)
    assert look(sound) == []


@pytest.mark.spec(id="FM-13")
def test_the_commands_of_a_killed_worker_are_ended(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kin, "MARK", REAL_MARK)
    worker = fleet.start(role="worker", milestone="M001", brood=True)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    left = [found for found in look(fleet.root) if found.code == "leftover_process"]
    assert {int(found.subject.split("-")[0]) for found in left} <= set(fleet.children)
    fixed(fleet.root)
    assert not any(alive(pid) for pid in fleet.children)


def test_what_another_project_left_is_not_ours_to_end(sound: Path, tmp_path: Path, ended: list[int]) -> None:
    pid = left_in(tmp_path)
    ended.append(pid)
    assert look(sound) == []
    fixed(sound)
    assert alive(pid)


def test_commands_of_a_living_worker_are_left(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kin, "MARK", REAL_MARK)
    fleet.start(role="worker", milestone="M001", brood=True)
    assert "leftover_process" not in codes(fleet.root)
    fixed(fleet.root)
    assert all(alive(pid) for pid in fleet.children)


def test_leftovers_are_ended_beside_a_fleet_that_works(fleet: Fleet, ended: list[int]) -> None:
    fleet.start(role="coordinator")
    worker = fleet.start(role="worker", milestone="M002", brood=True)
    pid = left_in(fleet.root)
    ended.append(pid)
    assert told(fixed(fleet.root), "leftover_process") == "ended"
    assert not alive(pid)
    assert alive(worker.pid)
    assert all(alive(child) for child in fleet.children)


def test_what_a_living_merge_starts_is_its_own_whoever_started_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fleet may have been started by somebody who was killed since; its own children carry that mark, too."""
    monkeypatch.setenv(kin.MARK, "/999999999-1-1/")
    merge = fleet.start(role="merge", milestone="M001", brood=True)
    assert "leftover_process" not in codes(fleet.root)
    fixed(fleet.root)
    assert alive(merge.pid)
    assert all(alive(pid) for pid in fleet.children)


@pytest.mark.spec(id="DV-19")
@pytest.mark.spec(id="FM-09")
def test_a_worker_that_lost_its_milestone_is_ended_by_its_recorded_identity(sound: Path, ended: list[int]) -> None:
    process = subprocess.Popen(["sleep", "300"])
    other = subprocess.Popen(["sleep", "300"])
    ended += [process.pid, other.pid]
    try:
        journal = Journal(sound / ".gsd", "coordinator")
        journal.append(spawned(process.pid, 0))
        journal.append(spawned(other.pid, 1))
        found = of(sound, "leftover_process")
        assert f"pid {process.pid} was the worker of M001" in found.message
        fixed(sound)
        wait_until(lambda: process.poll() is not None)
        assert other.poll() is None, "a number alone is nobody"
    finally:
        for one in (process, other):
            one.kill()
            one.wait()


def spawned(pid: int, later: int) -> WorkerSpawned:
    who = identity.of(pid)
    return WorkerSpawned(
        at_ms=time.time_ns() // 1_000_000, run="c", milestone="M001", session="f", worker_run=f"r-{pid}", pid=pid,
        host=who.host, boot_id=who.boot_id, start_ticks=who.start_ticks + later,
    )  # fmt: skip


def test_the_doctor_spares_the_shell_that_it_was_typed_in(sound: Path) -> None:
    """It may itself be a leftover: somebody typed there after the agent's run was killed."""
    env = {**os.environ, kin.MARK: "/999999999-1-1/"}
    code = (
        f"import sys; from milepost.process import kin; kin.MARK = '{kin.MARK}';"
        " sys.path[:0] = sys.argv[2].split(':'); from pathlib import Path; from doctor.project import fixed;"
        "print([one.finding.code for one in fixed(Path(sys.argv[1])).mended])"
    )
    inner = f'{sys.executable} -c "{code}" {sound} {Path(__file__).parents[1]}; echo alive'
    done = subprocess.run(["sh", "-c", inner], env=env, cwd=sound, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\nalive\n", done.stderr
