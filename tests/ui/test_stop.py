"""`gsd stop` and `gsd pause`: from any terminal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.formats.signal import Order
from milepost.process import identity
from milepost.store import lease, mailbox
from milepost.store.lease import Holder, Lease
from milepost.testing import projects
from milepost.ui.cli.main import main
from ui.command import run

Out = pytest.CaptureFixture[str]


def started(project: Path, *steps: projects.Step) -> "subprocess.Popen[bytes]":
    """`gsd auto` in the background, with its first session begun."""
    script = project.parent / "script.json"
    script.write_text(json.dumps([projects.session("*", *steps)]))
    code = "from milepost.ui.cli.main import gsd; gsd()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "auto", "--json", "--agent", f"scripted:{script}"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if b'"usage"' in line:
            return process
    raise AssertionError(process.communicate())


@pytest.mark.parametrize("command", ["stop", "pause"])
def test_nothing_is_running(command: str, project: Path, capsys: Out) -> None:
    assert main([command], "gsd") == 0
    assert capsys.readouterr().out == "Nothing is running.\n"
    assert not (project / ".gsd/parallel").exists()


def test_stop_ends_a_session_that_hangs(project: Path) -> None:
    process = started(project, projects.usage(micro_usd=1), projects.hang())
    found = run("stop", cwd=project)
    out, err = process.communicate(timeout=30)
    assert found.out == f"Stopped (pid {process.pid}). gsd auto goes on from here.\n"
    assert (found.code, process.returncode, err) == (0, 130, b"")
    assert b"Traceback" not in out
    assert lease.holder(project / ".gsd/parallel/auto.lease") is None
    assert not (project / ".gsd/auto.lock").exists()


def test_pause_waits_for_the_unit(project: Path) -> None:
    base = "execute-task/M001/S01/T01"
    usage, *rest = projects.steps(base)
    process = started(project, usage, {"sleep": 1.5}, *rest)
    found = run("pause", cwd=project)
    out, _ = process.communicate(timeout=30)
    assert found.code == 0
    assert f"Pausing after the current unit (pid {process.pid})" in found.out
    assert process.returncode == 3, out
    assert b"paused by request" in out
    assert b"done, " in out


def test_one_that_does_not_let_go(project: Path, capsys: Out) -> None:
    child = subprocess.Popen(["sleep", "60"])
    child.kill()
    child.wait()
    path = project / ".gsd/parallel/auto.lease"
    with Lease(path, "p", Holder(pid=child.pid, run="r-7")):
        assert main(["stop", "--wait", "0.1"], "gsd") == 1
        order = mailbox.claim(path.parent, "auto", run="r-7")
    assert order is not None
    assert order.signal is Order.STOP
    assert f"pid {child.pid} has not ended" in capsys.readouterr().err


def test_a_number_that_belongs_to_another_process_now_is_not_killed(project: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    own = identity.own()
    holder = Holder(pid=child.pid, run="r", host=own.host, boot_id=own.boot_id, start_ticks=1)
    try:
        with Lease(project / ".gsd/parallel/auto.lease", "p", holder):
            assert main(["stop", "--wait", "0.1"], "gsd") == 1
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_a_second_run_is_refused_and_the_first_goes_on(project: Path) -> None:
    process = started(project, projects.usage(micro_usd=1), projects.hang())
    second = run("auto", "--agent", f"scripted:{project.parent}/script.json", cwd=project)
    assert (second.code, f"(pid {process.pid}," in second.err) == (2, True)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
