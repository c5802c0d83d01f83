"""`gsd status`: reads, never writes."""

import json
import os
from pathlib import Path

import pytest

from milepost.formats.journal import (
    AttemptEnded,
    AttemptStarted,
    Landed,
    Result,
    RunEnded,
    RunStarted,
    Undone,
    UsageReported,
)
from milepost.formats.lock import Lock
from milepost.store import ledger
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.testing import projects
from milepost.ui.cli.main import main
from ui.command import said_at

Out = pytest.CaptureFixture[str]


@pytest.fixture
def worked(project: Path) -> Path:
    journal = Journal(project / ".gsd", "M001")
    for event in (
        AttemptStarted(
            at_ms=1,
            run="r",
            attempt="a",
            kind="plan-slice",
            unit="M001/S01",
            base="",
            branch="",
            fingerprint="",
            number=1,
        ),
        UsageReported(at_ms=2, run="r", attempt="a", model="m", input=10, output=1, micro_usd=1_500_000),
        UsageReported(at_ms=3, run="r", attempt="a", model="m", input=10, output=1),
        AttemptEnded(at_ms=4, run="r", attempt="a", result=Result.COMMITTED, commit="abc"),
        RunEnded(at_ms=5, run="r", state="paused", reason="a gate", hint="gsd auto"),
    ):
        journal.append(event)
    return project


def test_text(worked: Path, capsys: Out) -> None:
    assert main(["status"], "gsd") == 0
    out = capsys.readouterr().out
    for seen in (
        "M001: Small files",
        "T01: Write T01",
        "executing",
        "$1.50",
        "unknown price",
        "paused: a gate — gsd auto",
    ):
        assert seen in out
    assert "Running    nothing" in out


def test_json_holds_what_query_says_and_the_money(worked: Path, capsys: Out) -> None:
    (worked / ".gsd/PREFERENCES.md").write_text("---\nbudget_ceiling: 5\n---\n")
    projects.write(worked, {".gsd/metrics.json": '{"version": 1, "projectStartedAt": 1, "units": [{"cost": 0.25}]}'})
    main(["headless", "query"], "gsd")
    query = json.loads(capsys.readouterr().out)
    main(["status", "--json"], "gsd")
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == query["state"]
    assert found["next"] == query["next"]
    assert (found["spent"], found["ceiling"], found["unpricedRequests"]) == (1.75, 5, 1)
    assert found["units"] == [{"kind": "plan-slice", "attempts": 1, "committed": 1, "tokens": 22, "cost": None}]
    assert found["lastRun"] == {"state": "paused", "reason": "a gate", "hint": "gsd auto"}


def test_what_is_running(project: Path, capsys: Out) -> None:
    state = project / ".gsd"
    lock = Lock(pid=1, started_at="s", unit_type="plan-slice", unit_id="M001/S01", unit_started_at="12:00")
    ledger.write_lock(state, lock)
    main(["status"], "gsd")
    assert "Running    nothing" in capsys.readouterr().out
    with Lease(state / "parallel/auto.lease", "p", Holder(pid=os.getpid(), run="r")):
        main(["status"], "gsd")
        assert f"Running    pid {os.getpid()}: plan-slice M001/S01, since 12:00" in capsys.readouterr().out
        ledger.unlock(state)
        main(["status"], "gsd")
        assert f"Running    pid {os.getpid()}\n" in capsys.readouterr().out


def test_a_run_that_died_is_the_last_run(worked: Path, capsys: Out) -> None:
    journal = Journal(worked / ".gsd", "project")
    journal.append(RunStarted(at_ms=9_000, run="r9", pid=4711, version="0", command="auto"))
    assert main(["status"], "gsd") == 0
    assert "Last run   crashed: pid 4711 is gone without a last word — gsd auto settles" in capsys.readouterr().out
    assert main(["status", "--json"], "gsd") == 0
    assert json.loads(capsys.readouterr().out)["lastRun"]["state"] == "crashed"


def test_what_was_taken_back_out_is_not_landed(worked: Path, capsys: Out) -> None:
    journal = Journal(worked / ".gsd", "M001")
    journal.append(Landed(at_ms=9_000, run="r9", milestone="M001", target="main", commit="feedfacecafe", tip="t"))
    main(["status"], "gsd")
    assert "Landed     M001 on main as feedfaceca" in capsys.readouterr().out
    journal.append(Undone(at_ms=9_001, run="u", milestone="M001", target="main", commit="c", landed="feedfacecafe"))
    for command in ("status", "why"):
        main([command], "gsd")
        assert "feedfaceca" not in capsys.readouterr().out


def test_a_hook_is_named_in_one_line(worked: Path, capsys: Out) -> None:
    journal = Journal(worked / ".gsd", "M001")
    journal.append(
        AttemptStarted(
            at_ms=9_000,
            run="r9",
            attempt="h",
            kind="hook/a\nb\x1b[31m",
            unit="M001/S01/T01",
            base="",
            branch="",
            fingerprint="",
            number=1,
        )
    )
    main(["status"], "gsd")
    out = capsys.readouterr().out
    assert "hook/a b [31m" in out
    assert "\x1b" not in out


def test_nothing_is_written(worked: Path) -> None:
    before = said_at(worked)
    assert main(["status"], "gsd") == 0
    assert said_at(worked) == before


def test_a_ledger_that_cannot_be_read_is_said(project: Path, capsys: Out) -> None:
    projects.write(project, {".gsd/metrics.json": "{"})
    assert main(["status"], "gsd") == 1
    assert "metrics.json" in capsys.readouterr().err
