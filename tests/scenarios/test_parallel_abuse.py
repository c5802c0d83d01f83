"""Commands that come at the wrong moment, or again and again from a script: none costs money or stops what is at work."""

import os
import shlex
import signal
import subprocess

import pytest

from milepost.testing import projects
from scenarios.fleet_stage import PAIR, FleetStage, task
from scenarios.stage import BLOCKED, DONE, INTERRUPTED, wait_until


@pytest.mark.spec(id="FM-20")
def test_a_start_that_is_refused_forgives_no_crashes(fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    gate = fleet.hold(task("M001"))
    running = fleet.begin()
    gate.wait()
    for _ in range(2):
        assert "another coordinator" in fleet.fleet("--retry", "--yes").require(BLOCKED).err
    assert fleet.events("cap-reset") == []
    assert [e for e in fleet.events("ordered") if e["order"] == "retry"] == []
    gate.open()
    fleet.end(running).require(DONE)
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="PR-083")
def test_a_stop_while_a_worker_is_being_started_is_no_second_stop(fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    for mid in PAIR:
        fleet.replay(task(mid), [projects.hang()])
    running = fleet.begin()
    wait_until(lambda: bool(fleet.events("fleet-started")), seconds=60)
    running.send_signal(signal.SIGTERM)
    fleet.end(running).require(INTERRUPTED)
    assert [event["state"] for event in fleet.events("fleet-ended")] == ["interrupted"]
    assert not fleet.look()["active"]


@pytest.mark.parametrize("streams", ["<&-", "<&- >&- 2>&-"])
def test_a_fleet_needs_no_streams(streams: str, fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    command = shlex.join(fleet.argv("parallel", "start", "--agent", fleet.agent()))
    done = subprocess.run(
        ["sh", "-c", f"exec {command} {streams}"], cwd=fleet.root, env=fleet.environment({}), check=False, timeout=150
    )
    assert done.returncode == DONE
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="PR-104")
@pytest.mark.spec(id="FM-12")
def test_a_coordinator_says_how_it_ended_also_when_a_worker_was_ended_by_force(fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    gates = [fleet.hold(task(mid)) for mid in PAIR]
    running = fleet.begin()
    for gate in gates:
        gate.wait()
    pid = fleet.status("M001")["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    ran = fleet.parallel("stop", "--wait", "3").require(DONE)
    assert f"M001 (pid {pid}) was ended by force" in ran.out
    assert f"the coordinator (pid {running.pid}) ended after" in ran.out
    fleet.end(running).require(INTERRUPTED)
    assert [event["state"] for event in fleet.events("fleet-ended")] == ["interrupted"]
