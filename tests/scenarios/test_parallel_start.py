"""`gsd parallel start`: switched off, asked about, refused, nothing to do; killed and started again."""

import json
import os
import pty
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import hang, tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, Process, fleet_stage, task
from scenarios.stage import BLOCKED, BUDGET, DONE, INTERRUPTED, Stage, picture, wait_until
from ui.command import said_at

DISABLED = "Parallel mode is not enabled. Set `parallel.enabled: true` in your preferences."
NONE_ELIGIBLE = "\n\nNo milestones are eligible for parallel execution.\n"
NESTED = "Cannot start parallel from within a parallel worker"


class Typed:
    """`gsd parallel start` as a person types it: it has a terminal, and is asked and answered there."""

    def __init__(self, stage: FleetStage, *args: str) -> None:
        self._terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            stage.argv("parallel", "start", "--agent", stage.agent(), *args), cwd=stage.root,
            env=stage.environment({"COLUMNS": "200"}), stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        stage.running.append(self.process)
        os.close(theirs)
        os.set_blocking(self._terminal, False)
        self.shown = ""

    def asked(self, question: str) -> None:
        """Wait until that was asked."""
        wait_until(lambda: question in self._read(), seconds=PATIENCE_S)

    def type(self, words: str) -> None:
        os.write(self._terminal, words.encode())

    def end(self) -> int:
        """Its exit code."""
        wait_until(lambda: (self._read(), self.process.poll() is not None)[1], seconds=PATIENCE_S)
        self._read()
        return self.process.returncode

    def _read(self) -> str:
        with suppress(BlockingIOError, OSError):
            while data := os.read(self._terminal, 65_536):
                self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return self.shown


@pytest.mark.spec(id="PR-001")
@pytest.mark.spec(id="PR-061")
@pytest.mark.spec(id="PR-170")
@pytest.mark.spec(id="PR-190")
@pytest.mark.parametrize(
    "section", ["", "parallel: {max_workers: 4, auto_merge: auto}\n", "parallel: {enabled: false}\n"]
)
def test_switched_off_it_says_how_to_switch_it_on_and_touches_nothing(section: str, stage: Stage) -> None:
    stage.make(milestones=PAIR, preferences=projects.QUICK.replace("---\n", f"---\n{section}", 1))
    before = said_at(stage.root)
    for words in (
        ["parallel", "start"],
        ["parallel"],
        ["parallel", "start", "--yes"],
        ["parallel", "start", "--dry-run"],
    ):
        ran = stage.gsd(*words).require(BLOCKED)
        assert (ran.out, ran.err.splitlines()[0]) == ("", f"gsd: {DISABLED}")
        assert ".gsd/PREFERENCES.md" in ran.err
    assert said_at(stage.root) == before


@pytest.mark.spec(id="PR-001")
@pytest.mark.spec(id="PR-170")
def test_switched_off_auto_mode_is_what_it_was(stage: Stage) -> None:
    stage.make(milestones=PAIR)
    stage.auto().require(DONE)
    assert [subject.partition(":")[0] for subject in stage.log()] == ["feat(M002)", "feat(M001)", "first"]
    # One process, one milestone after the other, its books where they always were.
    assert [e["unit"] for e in stage.events("attempt-started")][:4] == [
        "M001/S01/T01",
        "M001/S01",
        "M001",
        "M002/S01/T01",
    ]
    assert len(stage.events("run-started")) == 1
    assert (stage.state / "metrics.json").is_file()
    for name in ("orchestrator.json", "parallel/M001.status.json", "parallel/logs", "parallel/coordinator.lease"):
        assert not (stage.state / name).exists()
    assert stage.events("fleet-started") == stage.events("worker-spawned") == []


@pytest.mark.spec(id="PR-003")
@pytest.mark.spec(id="PR-004")
@pytest.mark.spec(id="PR-065")
@pytest.mark.spec(id="DV-04")
@pytest.mark.spec(id="DV-05")
def test_a_person_is_asked_between_report_and_start_and_before_each_merge(fleet: FleetStage) -> None:
    fleet.plan(("M001",), parallel={"auto_merge": "confirm"})
    typed = Typed(fleet)
    typed.asked("[Y/n] ")
    # The report has been shown, and nothing has been made yet.
    assert typed.shown.startswith("# Parallel Eligibility Report\n\n## Eligible for Parallel Execution (1)\n")
    assert typed.shown.endswith("Start M001 with at most 2 workers at once? [Y/n] ")
    assert fleet.branches() == ["main"]
    assert not (fleet.state / "parallel").exists()
    typed.type("\n")
    typed.asked("Merge M001 (Small files) into main? [y/N] ")
    assert fleet.landed() == []
    typed.type("y\n")
    assert typed.end() == DONE, typed.shown
    assert typed.shown.index("Parallel orchestration started.\nWorkers: M001\n") > typed.shown.index("[Y/n] ")
    fleet.require_done("M001")


@pytest.mark.spec(id="PR-004")
@pytest.mark.spec(id="DV-05")
def test_a_person_says_no(fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    before = said_at(fleet.root)
    typed = Typed(fleet)
    typed.asked("[Y/n] ")
    typed.type("n\n")
    assert typed.end() == DONE
    assert typed.shown.endswith("Nothing was started.\n")
    assert said_at(fleet.root) == before


@pytest.mark.spec(id="PR-065")
@pytest.mark.spec(id="DV-04")
def test_a_person_says_no_to_a_merge(fleet: FleetStage) -> None:
    fleet.plan(("M001",), parallel={"auto_merge": "confirm"})
    typed = Typed(fleet, "--yes")
    typed.asked("Merge M001 (Small files) into main? [y/N] ")
    assert "[Y/n]" not in typed.shown
    typed.type("\n")
    assert typed.end() == 3
    assert "gsd parallel merge M001" in typed.shown
    assert fleet.landed() == []


@pytest.mark.spec(id="PR-191")
def test_everything_is_complete(fleet: FleetStage) -> None:
    fleet.plan(("M001",))
    fleet.fleet().require(DONE)
    ran = fleet.fleet().require(DONE)
    assert ran.out.startswith("# Parallel Eligibility Report\n")
    assert "  Already complete.\n" in ran.out
    assert ran.out.endswith(NONE_ELIGIBLE)
    assert len(fleet.events("fleet-started")) == 1


@pytest.mark.spec(id="PR-191")
def test_everything_is_blocked_and_the_chain_is_shown(fleet: FleetStage) -> None:
    fleet.plan(("M002", "M003"), depends={"M002": ["M001"], "M003": ["M002"]})
    ran = fleet.fleet().require(BLOCKED)
    assert "  Blocked by incomplete dependencies: M001.\n" in ran.out
    assert "  Blocked by incomplete dependencies: M002.\n" in ran.out
    assert ran.out.endswith(NONE_ELIGIBLE)
    assert fleet.branches() == ["main"]


@pytest.mark.spec(id="PR-174")
def test_nor_does_its_agent_even_without_a_sandbox(fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    typed = [*fleet.argv("parallel", "start", "--yes", "--no-sandbox", "--agent", fleet.agent())]
    tries = f"{shlex.join(typed)} > tried.txt 2>&1; test $? = {BLOCKED} && echo refused >> tried.txt"
    fleet.also(task("M001"), tool("shell", command=tries))
    by_hand = {"GSD_MILESTONE_LOCK": "M001", "GSD_PARALLEL_WORKER": "1"}
    fleet.gsd("headless", "--json", "auto", "--no-sandbox", "--agent", fleet.agent(), **by_hand).require(DONE)
    told = (fleet.tree("M001") / "tried.txt").read_text()
    assert NESTED in told
    assert told.endswith("refused\n")
    assert fleet.events("fleet-started") == []
    assert {str(e["unit"])[:4] for e in fleet.events("attempt-started")} == {"M001"}


@pytest.mark.spec(id="PR-174")
@pytest.mark.spec(id="PR-318")
@pytest.mark.parametrize("variable", ["GSD_PARALLEL_WORKER", "SF_PARALLEL_WORKER"])
def test_a_worker_starts_no_workers(variable: str, fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    before = said_at(fleet.root)
    for words in (["start"], ["start", "--yes", "--detach"], ["start", "--dry-run"], []):
        ran = fleet.parallel(*words, **{variable: "1"}).require(BLOCKED)
        assert (ran.out, ran.err.splitlines()[0]) == ("", f"gsd: {NESTED}")
    assert said_at(fleet.root) == before
