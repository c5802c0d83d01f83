"""`gsd parallel status` and `watch`: true while things run, after they died, and without a coordinator."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from fleet.stand import Fleet
from milepost.process import table
from milepost.testing import projects
from milepost.ui.cli.main import main
from ui.command import run, said_at

Out = pytest.CaptureFixture[str]


def test_nothing_is_active(fleet: Fleet, capsys: Out) -> None:
    assert main(["parallel", "status"], "gsd") == 0
    assert capsys.readouterr().out == "No parallel orchestration is currently active.\n"
    assert main(["parallel", "watch"], "gsd") == 0
    assert capsys.readouterr().out == "No parallel orchestration is currently active.\nNothing runs any more.\n"


@pytest.mark.covers("command:parallel status")
@pytest.mark.spec(id="PR-005")
@pytest.mark.spec(id="PR-081")
@pytest.mark.spec(id="DV-17")
@pytest.mark.spec(id="DV-30")
@pytest.mark.spec(id="DV-07")
def test_workers_with_state_units_and_cost(fleet: Fleet, capsys: Out) -> None:
    one = fleet.start(title="Auth", units=3, cost=0.42)
    fleet.start(milestone="M002", run="r2", units=1, cost=0.5)
    assert main(["parallel", "status"], "gsd") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "# Parallel Workers\n"
        "\n"
        "- **M001** (Small files) — running — 3 units — $0.42\n"
        "- **M002** (Small files) — running — 1 units — $0.50\n"
        "\n"
        "Total cost: $0.92\n"
        "\n"
        "M001 working: execute-task M001/S01/T01 for 0 s; last progress 0 s ago; "
        f"pid {one.pid}\n"
    )


@pytest.mark.spec(id="DV-21")
def test_it_works_with_parallel_mode_switched_off(fleet: Fleet, capsys: Out) -> None:
    """Only start and merge need it; looking and stopping are for safety."""
    fleet.start()
    (fleet.state / "PREFERENCES.md").write_text("---\nparallel:\n  enabled: false\n---\n")
    assert main(["parallel", "status"], "gsd") == 0
    assert "M001 working" in capsys.readouterr().out
    assert main(["parallel", "stop"], "gsd") == 0


@pytest.mark.spec(id="PR-193")
@pytest.mark.spec(id="PR-195")
@pytest.mark.spec(id="DV-13")
def test_after_a_kill_what_it_says_is_what_the_process_table_says(fleet: Fleet, capsys: Out) -> None:
    dead, alive = fleet.start(), fleet.start(milestone="M002", run="r2")
    dead.kill()
    dead.wait()
    assert main(["parallel", "status", "--json"], "gsd") == 0
    found = {w["milestoneId"]: w for w in json.loads(capsys.readouterr().out)["workers"]}
    assert (found["M001"]["state"], found["M001"]["doing"], found["M001"]["alive"]) == ("error", "crashed", False)
    assert (found["M002"]["state"], found["M002"]["alive"], found["M002"]["pid"]) == ("running", True, alive.pid)
    assert table.row(found["M002"]["pid"]) is not None
    assert (fleet.state / "parallel/M001.status.json").exists()


@pytest.mark.spec(id="PR-142")
@pytest.mark.spec(id="PR-197")
def test_the_ceiling_is_shown_with_what_is_left(fleet: Fleet, capsys: Out) -> None:
    (fleet.state / "PREFERENCES.md").write_text("---\nparallel:\n  budget_ceiling: 10\n---\n")
    fleet.start()
    assert main(["parallel", "status"], "gsd") == 0
    assert "Budget: $0.00 spent, $0.00 reserved, $10.00 left of $10.00" in capsys.readouterr().out


def test_looking_writes_nothing(fleet: Fleet) -> None:
    before = said_at(fleet.root)
    assert main(["parallel", "status"], "gsd") == 0
    assert main(["inbox"], "gsd") == 0
    assert said_at(fleet.root) == before


def test_watching_without_a_terminal_prints_a_block_at_each_change(fleet: Fleet) -> None:
    process = fleet.start(unit="")
    watching = watch(fleet)
    assert watching.stdout is not None
    first = read_to(watching, "takes them up")
    assert "M001 working" in first
    main(["parallel", "pause", "M001"], "gsd")
    assert "M001 paused" in read_to(watching, "gsd parallel resume M001")
    main(["parallel", "stop"], "gsd")
    rest = watching.communicate(timeout=60)[0].decode()
    assert rest.endswith("Nothing runs any more: M001 stopped.\n")
    assert watching.returncode == 0
    assert process.wait(30) == 0


def test_a_fleet_that_died_is_not_called_complete(fleet: Fleet) -> None:
    process = fleet.start()
    watching = watch(fleet)
    read_to(watching, "M001 working")
    process.kill()
    process.wait()
    assert watching.communicate(timeout=60)[0].decode().endswith("Nothing runs any more: M001 crashed.\n")


def test_watching_as_json_is_a_line_for_each_change(fleet: Fleet) -> None:
    process = fleet.start()
    watching = watch(fleet, "--json")
    assert watching.stdout is not None
    first = json.loads(watching.stdout.readline())
    process.kill()
    process.wait()
    rest = [json.loads(line) for line in watching.communicate(timeout=60)[0].splitlines()]
    assert (first["active"], rest[-1]["active"]) == (True, False)
    assert len(rest) == 1


@pytest.mark.covers("command:parallel watch")
def test_on_a_terminal_it_draws_over_itself_and_an_interrupt_leaves(fleet: Fleet) -> None:
    fleet.start()
    master, slave = pty.openpty()
    watching = subprocess.Popen(
        argv("watch", "--interval", "0.1"), cwd=fleet.root, stdout=slave, stdin=slave, stderr=slave
    )
    os.close(slave)
    seen = b""
    while seen.count(b"# Parallel Workers") < 3:
        seen += os.read(master, 4096)
    assert seen.startswith(b"\x1b[2J\x1b[H# Parallel Workers\x1b[K")
    watching.send_signal(signal.SIGINT)
    # A terminal that nobody reads is full before long, and whoever writes to it waits.
    reading = threading.Thread(target=_read_all, args=(master,), daemon=True)
    reading.start()
    assert watching.wait(60) == 0
    reading.join(30)
    os.close(master)


def _read_all(master: int) -> None:
    with suppress(OSError):
        while os.read(master, 4096):
            pass


def test_a_bad_interval(fleet: Fleet, capsys: Out) -> None:
    for text in ("0", "soon", "-1", "nan"):
        assert main(["parallel", "watch", "--interval", text], "gsd") == 1
    assert "must be a number of seconds" in capsys.readouterr().err


@pytest.mark.spec(id="PR-210")
def test_a_project_of_the_other_dialect(tmp_path: Path) -> None:
    projects.tiny(tmp_path / "p", state_dir=".sf")
    made = Fleet(tmp_path / "p")
    made.state = tmp_path / "p/.sf"
    try:
        made.start()
        found = run("/parallel", "status", cwd=tmp_path / "p", program="sf")
        assert "- **M001** (Small files) — running" in found.out
        assert "sf parallel start takes them up" in found.out
    finally:
        made.end()


@pytest.mark.spec(id="PR-245")
@pytest.mark.spec(id="DV-17")
def test_gsd_status_shows_the_workers_too(fleet: Fleet, capsys: Out) -> None:
    fleet.start()
    assert main(["status"], "gsd") == 0
    out = capsys.readouterr().out
    assert "Running    parallel workers: M001\n" in out
    assert "\nParallel   M001 working: execute-task M001/S01/T01 for 0 s" in out
    assert main(["status", "--json"], "gsd") == 0
    assert json.loads(capsys.readouterr().out)["parallel"]["workers"][0]["milestoneId"] == "M001"


def test_gsd_status_without_a_fleet_is_as_it_was(fleet: Fleet, capsys: Out) -> None:
    assert main(["status"], "gsd") == 0
    assert "Parallel" not in capsys.readouterr().out
    assert main(["status", "--json"], "gsd") == 0
    assert json.loads(capsys.readouterr().out)["parallel"] is None


def argv(*args: str) -> list[str]:
    return [sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()", "parallel", *args]


def watch(fleet: Fleet, *args: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv("status", "--watch", "--interval", "0.1", *args), cwd=fleet.root, stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def read_to(process: "subprocess.Popen[bytes]", words: str) -> str:
    """All lines up to the first that holds `words`."""
    assert process.stdout is not None
    found = []
    for line in process.stdout:
        found.append(line.decode())
        if words in found[-1]:
            return "".join(found)
    raise AssertionError("".join(found))
