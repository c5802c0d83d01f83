"""`gsd parallel pause|resume|rebase|stop|panic`: the documented sentence, and what really happened."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import run_git
from fleet.stand import Fleet, wait_until
from milepost.fleet import processes
from milepost.formats.journal import Landed, Ordered
from milepost.store import beacons
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.testing import projects
from milepost.ui.cli.main import main

Out = pytest.CaptureFixture[str]


def typed(*argv: str) -> int:
    return main(["parallel", *argv], "gsd")


def timeless(text: str) -> str:
    """Seconds differ from machine to machine."""
    return re.sub(r"\d+(\.\d)? s\b", "N s", text)


@pytest.mark.parametrize("command", ["pause", "resume", "rebase", "stop"])
def test_where_nothing_runs(command: str, fleet: Fleet, capsys: Out) -> None:
    assert typed(command) == 0
    assert capsys.readouterr().out.startswith("No parallel orchestration is currently active.\n")
    assert not (fleet.state / "parallel").exists()
    assert not (fleet.state / "journal").exists()


@pytest.mark.spec(id="PR-084")
@pytest.mark.spec(id="PR-086")
@pytest.mark.spec(id="DV-12")
def test_pause_and_resume_all(fleet: Fleet, capsys: Out) -> None:
    fleet.start(unit="")
    fleet.start(milestone="M002", run="r2", unit_s=0.6, unit="execute-task M002/S01/T01")
    assert typed("pause") == 0
    assert timeless(capsys.readouterr().out) == (
        "All parallel workers paused.\n"
        "M001 is paused after N s\n"
        "M002 will pause after execute-task M002/S01/T01 (order taken after N s)\n"
    )
    wait_until(lambda: {status.state for status in beacons.load(fleet.state / "parallel")} == {"paused"})
    assert typed("pause") == 0
    assert capsys.readouterr().out == ("All parallel workers paused.\nM001 is paused already\nM002 is paused already\n")
    assert typed("resume") == 0
    assert timeless(capsys.readouterr().out) == (
        "All parallel workers resumed.\nM001 runs after N s\nM002 runs after N s\n"
    )
    assert typed("resume") == 0
    assert "M001 runs already\n" in capsys.readouterr().out


@pytest.mark.spec(id="PR-085")
@pytest.mark.spec(id="PR-087")
def test_pause_and_resume_one(fleet: Fleet, capsys: Out) -> None:
    fleet.start(unit="")
    fleet.start(milestone="M002", run="r2", unit="")
    assert typed("pause", "M002") == 0
    assert timeless(capsys.readouterr().out) == "Paused worker for M002.\nM002 is paused after N s\n"
    assert typed("resume", "M002") == 0
    assert timeless(capsys.readouterr().out) == "Resumed worker for M002.\nM002 runs after N s\n"


def test_a_milestone_without_a_worker_is_said_and_written_down(fleet: Fleet, capsys: Out) -> None:
    assert typed("pause", "M003") == 0
    assert capsys.readouterr().out == (
        "Paused worker for M003.\n"
        "M003 is not running; it will not be started before gsd parallel resume M003, or a new start\n"
    )
    orders = [e for e in Journal(fleet.state, "orders").own() if isinstance(e, Ordered)]
    assert [(e.milestone, e.order) for e in orders] == [("M003", "pause")]
    assert typed("resume", "M003") == 0
    assert "M003 is not running; gsd parallel start starts it" in capsys.readouterr().out


@pytest.mark.spec(id="FM-50")
@pytest.mark.parametrize("command", ["pause", "resume", "rebase", "stop", "panic"])
def test_bad_ids(command: str, fleet: Fleet, capsys: Out) -> None:
    assert typed(command, "../../etc") == 1
    assert "'../../etc' is not a milestone id" in capsys.readouterr().err
    assert typed(command, "M009") == 1
    assert capsys.readouterr().err == "gsd: M009 is not a milestone of this project\n  Milestones: M001, M002, M003\n"
    assert not (fleet.state / "journal").exists()


def test_no_answer_is_not_called_paused(fleet: Fleet, capsys: Out) -> None:
    fleet.start(deaf=True)
    assert typed("pause", "--wait", "0.2") == 1
    found = capsys.readouterr()
    assert timeless(found.out) == "M001 has not answered for N s\n"
    assert found.err.startswith("gsd: M001 did not answer for 0 s; the order waits there\n")


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_bad_wait(text: str, fleet: Fleet, capsys: Out) -> None:
    assert typed("pause", f"--wait={text}") == 1
    assert "must be a number of seconds" in capsys.readouterr().err


def test_rebase(fleet: Fleet, capsys: Out) -> None:
    fleet.start()
    assert typed("rebase") == 0
    assert timeless(capsys.readouterr().out) == (
        "M001 will bring its target in after execute-task M001/S01/T01 (order taken after N s)\n"
    )


@pytest.mark.spec(id="PR-082")
@pytest.mark.spec(id="PR-005")
@pytest.mark.spec(id="PR-328")
def test_stop_all_leaves_no_process_and_says_what_is_kept(fleet: Fleet, capsys: Out) -> None:
    where = fleet.state / "worktrees/M001"
    run_git(fleet.root, "worktree", "add", "-q", "-b", "milestone/M001", str(where))
    boss, one = fleet.start(role="coordinator", run="c1"), fleet.start(brood=True, careless=True)
    assert typed("stop") == 0
    out = timeless(capsys.readouterr().out).splitlines()
    assert f"the coordinator (pid {boss.pid}) ended after N s" in out
    assert f"M001 (pid {one.pid}) ended after N s; 2 processes of it ended with it" in out
    assert out[-2:] == [
        "M001 is kept in .gsd/worktrees/M001 on milestone/M001",
        "All parallel workers stopped.",
    ]
    assert processes.runners(fleet.state) == ()
    assert where.is_dir()
    assert typed("stop") == 0
    assert capsys.readouterr().out == "No parallel orchestration is currently active.\nThere was nothing to stop.\n"


@pytest.mark.spec(id="PR-083")
def test_stop_one(fleet: Fleet, capsys: Out) -> None:
    one, two = fleet.start(), fleet.start(milestone="M002", run="r2")
    assert typed("stop", "M001") == 0
    assert timeless(capsys.readouterr().out) == (f"M001 (pid {one.pid}) ended after N s\nStopped worker for M001.\n")
    assert two.poll() is None
    assert typed("stop", "M001") == 0
    assert capsys.readouterr().out == (
        "M001 was not running; it will not be started before a new start or resume\nStopped worker for M001.\n"
    )


@pytest.mark.spec(id="PR-326")
def test_stop_by_force(fleet: Fleet, capsys: Out) -> None:
    process = fleet.start(deaf=True)
    assert typed("stop", "--wait", "0.1") == 0
    assert f"M001 (pid {process.pid}) was ended by force after" in capsys.readouterr().out
    assert process.wait(30) == -9


def test_what_could_not_be_stopped_is_not_called_stopped(fleet: Fleet, capsys: Out) -> None:
    with Lease(fleet.state / "parallel/M001.lease", "M001", Holder(pid=0, run="r1")):
        assert typed("stop", "--wait", "0.1") == 1
        found = capsys.readouterr()
        assert "All parallel workers stopped." not in found.out
        assert found.err == "gsd: still there: M001 (pid unknown)\n  gsd parallel panic\n"


@pytest.mark.covers("command:parallel panic")
def test_panic(fleet: Fleet, capsys: Out) -> None:
    started = [fleet.start(deaf=True, brood=True), fleet.start(role="coordinator", run="c1")]
    assert typed("panic") == 0
    out = timeless(capsys.readouterr().out)
    assert out.startswith(
        f"Killed the coordinator (pid {started[1].pid}), M001 (pid {started[0].pid}): 4 processes in N s."
    )
    assert "gsd parallel start settles it and goes on." in out
    assert [process.wait(30) for process in started] == [-9, -9]
    assert typed("panic") == 0
    assert capsys.readouterr().out == "Nothing of the fleet was running.\n"


def test_panic_beside_a_coordinator_that_lives_on(fleet: Fleet, capsys: Out) -> None:
    """A second start would be refused; the coordinator starts it again when it is told to."""
    fleet.start()
    fleet.start(role="coordinator", run="c1")
    assert typed("panic", "M001") == 0
    assert "gsd parallel resume M001 settles it and goes on." in capsys.readouterr().out


@pytest.mark.parametrize("command", ["pause", "resume", "rebase", "stop"])
def test_a_merged_milestone_is_not_said_to_be_waiting(command: str, fleet: Fleet, capsys: Out) -> None:
    done = Landed(at_ms=5, run="m", milestone="M002", target="main", commit="c", tip="t")
    Journal(fleet.state, "coordinator").append(done)
    assert typed(command, "M002") == 0
    out = capsys.readouterr().out
    assert "M002 is merged; no worker is needed for it" in out
    assert "start" not in out


@pytest.mark.parametrize(("command", "other"), [("stop", "stop"), ("pause", "pause")])
def test_gsd_stop_is_not_for_the_fleet_and_says_so(command: str, other: str, fleet: Fleet, capsys: Out) -> None:
    process = fleet.start()
    assert main([command], "gsd") == 1
    assert capsys.readouterr().err == (
        f"gsd: no auto mode is running; parallel workers are: M001 (pid {process.pid})\n"
        f"  gsd parallel {other} is for them.\n"
    )
    assert process.poll() is None


@pytest.mark.covers("command:parallel pause", "command:parallel resume", "command:parallel stop")
@pytest.mark.spec(id="PR-100")
@pytest.mark.spec(id="PR-101")
@pytest.mark.spec(id="PR-102")
@pytest.mark.spec(id="DV-11")
@pytest.mark.spec(id="DV-12")
@pytest.mark.spec(id="PR-313")
def test_with_a_real_worker_and_no_coordinator(fleet: Fleet, tmp_path: Path, capsys: Out) -> None:
    """Started as the manual recipe says; paused in mid-unit, waiting, gone on with, stopped."""
    usage, *rest = projects.steps("execute-task/M001/S01/T01")
    script = tmp_path / "script.json"
    script.write_text(
        json.dumps([projects.session("*", usage, {"sleep": 2}, *rest), projects.session("*", projects.hang())])
    )
    code = "from milepost.ui.cli.main import gsd; gsd()"
    log = (tmp_path / "log").open("wb")
    worker = subprocess.Popen(
        [sys.executable, "-c", code, "headless", "--json", "auto", "--agent", f"scripted:{script}"], cwd=fleet.root,
        env={**os.environ, "GSD_MILESTONE_LOCK": "M001", "GSD_PARALLEL_WORKER": "1"}, stdout=log, stderr=log,
        stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    fleet.started.append(worker)
    box = fleet.state / "parallel"
    wait_until(lambda: any(status.current_unit for status in beacons.load(box)))
    assert typed("pause") == 0
    assert "M001 will pause after execute-task M001/S01/T01 (order taken after" in capsys.readouterr().out
    wait_until(lambda: [status.state for status in beacons.load(box)] == ["paused"])
    assert typed("resume") == 0
    assert "M001 runs after" in capsys.readouterr().out
    wait_until(lambda: any(status.current_unit for status in beacons.load(box)))
    assert typed("stop") == 0
    out = capsys.readouterr().out
    assert f"M001 (pid {worker.pid}) ended after" in out
    assert "M001 is kept in .gsd/worktrees/M001 on milestone/M001" in out
    assert worker.wait(30) == 130
    assert typed("status") == 0
    assert "M001 stopped: ordered by" in capsys.readouterr().out
    log.close()
