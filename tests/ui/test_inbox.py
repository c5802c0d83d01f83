"""`gsd inbox`: what waits, with what to type; reads, never writes."""

import json

import pytest

from fleet.stand import Fleet
from milepost.formats.journal import LandingEnded, RunEnded, RunStarted
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.ui.cli.main import main

Out = pytest.CaptureFixture[str]


def test_nothing(fleet: Fleet, capsys: Out) -> None:
    assert main(["inbox"], "gsd") == 0
    assert capsys.readouterr().out == "Nothing waits for you.\n"
    assert main(["inbox", "--json"], "gsd") == 0
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.spec(id="PR-196")
def test_a_conflict_and_a_worker_that_waits(fleet: Fleet, capsys: Out) -> None:
    journal = Journal(fleet.state, "M002")
    journal.append(RunStarted(at_ms=1, run="r2", pid=1, version="0", command="auto", milestone="M002", fleet=""))
    journal.append(RunEnded(at_ms=2, run="r2", state="done", reason="complete", milestone="M002"))
    journal.append(
        LandingEnded(
            at_ms=3, run="m", milestone="M002", outcome="conflict", target="main", reason="conflicts with main",
            files=("src/app.txt",), details=("src/app.txt:2",),
        )
    )  # fmt: skip
    projects.write(fleet.root, {".gsd/worktrees/M002/.git": "gitdir: elsewhere\n"})
    summary = "---\nid: M002\n---\n# M002: Done\n\n**Done**\n"
    projects.write(fleet.root, {".gsd/worktrees/M002/.gsd/milestones/M002/M002-SUMMARY.md": summary})
    fleet.start(unit="")
    main(["parallel", "pause", "M001"], "gsd")
    capsys.readouterr()
    assert main(["inbox"], "gsd") == 0
    out = capsys.readouterr().out
    assert out.startswith("Waiting for you (2):\n\n- M002 conflict: conflicts with main: src/app.txt (")
    assert "    src/app.txt:2\n    → Resolve it in .gsd/worktrees/M002, then gsd parallel merge M002\n" in out
    assert "- M001 paused: ordered by " in out
    assert main(["inbox", "--json"], "gsd") == 0
    assert [(row["kind"], row["milestoneId"]) for row in json.loads(capsys.readouterr().out)] == [
        ("conflict", "M002"), ("paused", "M001"),
    ]  # fmt: skip


def test_a_plan_that_cannot_be_read_is_what_waits(fleet: Fleet, capsys: Out) -> None:
    (fleet.state / "milestones/M001/M001-ROADMAP.md").write_bytes(b"\0")
    assert main(["inbox", "--json"], "gsd") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["kind"] == "blocked"
    assert "M001-ROADMAP.md" in row["reason"]
