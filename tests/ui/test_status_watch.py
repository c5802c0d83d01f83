"""`gsd status` on a terminal, again and again, and of one milestone."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from milepost.formats.journal import RunStarted
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.testing import projects
from milepost.ui.cli.main import main

Out = pytest.CaptureFixture[str]
GSD = [sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()", "status"]


@contextmanager
def held(project: Path) -> Iterator[None]:
    """An auto mode that is at work."""
    begun = RunStarted(at_ms=1, run="r", pid=os.getpid(), version="0", command="auto")
    Journal(project / ".gsd", "project").append(begun)
    with Lease(project / ".gsd/parallel/auto.lease", "p", Holder(pid=os.getpid(), run="r")):
        yield


def on_a_terminal(project: Path, *args: str, **env: str) -> bytes:
    """What it writes there, whole."""
    master, slave = pty.openpty()
    found: list[bytes] = []
    running = subprocess.Popen(
        [*GSD, *args], cwd=project, stdout=slave, stdin=slave, env={**os.environ, "TERM": "xterm", **env}
    )
    os.close(slave)
    reading = threading.Thread(target=_read, args=(master, found), daemon=True)
    reading.start()
    assert running.wait(60) == 0
    reading.join(30)
    os.close(master)
    return b"".join(found)


def _read(master: int, found: list[bytes]) -> None:
    with suppress(OSError):
        while data := os.read(master, 4096):
            found.append(data)


def test_a_terminal_gets_colour_unless_it_does_not_want_it(project: Path) -> None:
    assert b"\x1b[1mMilestone\x1b[0m  M001" in on_a_terminal(project)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_a_terminal(project, **env)
        assert b"\x1b" not in plain
        assert b"Milestone  M001" in plain


def test_it_is_as_wide_as_the_terminal(project: Path) -> None:
    (project / ".gsd/milestones/M001/M001-ROADMAP.md").write_text(
        f"# M001: {'Long words ' * 12}\n\n## Slices\n\n- [ ] **S01: A**\n"
    )
    lines = on_a_terminal(project, COLUMNS="60", NO_COLOR="1").decode().splitlines()
    assert max(map(len, lines)) <= 60
    assert len(lines) > 9


@pytest.mark.covers("command:status")
def test_watching_a_project_that_does_nothing_ends(project: Path, capsys: Out) -> None:
    assert main(["status", "--watch"], "gsd") == 0
    assert "Running    nothing" in capsys.readouterr().out
    assert main(["status", "--watch", "--interval", "0"], "gsd") == 1


def test_watching_goes_on_while_something_runs(project: Path) -> None:
    with held(project):
        watching = subprocess.Popen(
            [*GSD, "--watch", "--json", "--interval", "0.1"],
            cwd=project,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
    rest = [json.loads(line) for line in watching.communicate(timeout=60)[0].splitlines()]
    assert watching.returncode == 0
    assert (first["run"]["command"], first["run"]["id"]) == ("auto", "r")
    assert rest[-1]["run"] is None


def test_an_interrupt_leaves(project: Path) -> None:
    with held(project):
        watching = subprocess.Popen(
            [*GSD, "--watch", "--interval", "0.1"], cwd=project, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        assert watching.stdout is not None
        watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=60)
    assert watching.returncode == 0


def test_one_milestone(project: Path, capsys: Out) -> None:
    assert main(["status", "M001"], "gsd") == 0
    assert capsys.readouterr().out.startswith("M001 (Small files) is active, in phase executing.\n")
    assert main(["status", "M001", "--json"], "gsd") == 0
    assert json.loads(capsys.readouterr().out)["slices"][0]["tasks"] == [{"id": "T01", "done": False}]
    assert main(["status", "M009"], "gsd") == 1
    assert capsys.readouterr().err == "gsd: there is no milestone M009\n  gsd queue lists them.\n"


def test_captures_that_wait_are_counted(project: Path, capsys: Out) -> None:
    captures = "# Captures\n\n### CAP-1a2b3c4d\n**Text:** x\n**Captured:** 2026-01-01T00:00:00Z\n**Status:** pending\n"
    projects.write(project, {".gsd/CAPTURES.md": captures})
    main(["status", "--json"], "gsd")
    assert json.loads(capsys.readouterr().out)["captures"] == 1
