"""`gsd parallel start`: switched off, asked about, refused, nothing to do; killed and started again."""

import json
import os
import pty
import shlex
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from milepost.fleet.coordinator import TICK_S
from milepost.testing import projects
from milepost.testing.projects import hang, tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, settings, task
from scenarios.stage import BLOCKED, BUDGET, DONE, INTERRUPTED, Stage, wait_until
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


@pytest.mark.covers("key:parallel.enabled")
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


@pytest.mark.covers("command:parallel start", "key:parallel.auto_merge")
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


@pytest.mark.spec(id="PR-320")
@pytest.mark.spec(id="PR-319")
@pytest.mark.spec(id="DV-19")
@pytest.mark.spec(id="FM-17")
@pytest.mark.spec(id="FM-18")
@pytest.mark.spec(id="FM-19")
def test_started_again_it_adopts_who_lives_says_who_died_and_starts_the_rest(fleet: FleetStage) -> None:
    fleet.plan(("M001", "M002", "M003"))
    gates = {mid: fleet.hold(task(mid)) for mid in PAIR}
    first = fleet.begin()
    for gate in gates.values():
        gate.wait()
    pids = {mid: int(str(fleet.status(mid)["pid"])) for mid in PAIR}
    for pid in (first.pid, pids["M002"]):
        os.kill(pid, signal.SIGKILL)
    first.wait()
    left = json.loads(fleet.status_file("M002").read_text())
    assert (left["state"], left["pid"]) == ("running", pids["M002"])

    gates["M002"].open()
    again = fleet.begin()
    wait_until(lambda: len(fleet.events("fleet-started")) == 2, seconds=PATIENCE_S)
    # M001 lives on, and is nobody's second time; M003 gets the place that M002 left, at once.
    wait_until(lambda: fleet.spawned("M003") == 1 and fleet.spawned("M002") == 2, seconds=PATIENCE_S)
    gates["M001"].open()
    ran = fleet.end(again).require(DONE)
    assert f"M001 is being worked on already (pid {pids['M001']}): adopted\n" in ran.out
    assert "M002 crashed: its process is gone\n" in ran.out
    assert fleet.events("fleet-started")[1]["adopted"] == ["M001"]
    assert [e["milestone"] for e in fleet.events("worker-lost")] == ["M002"]
    assert fleet.spawned("M001") == 1
    assert fleet.status("M001")["pid"] == pids["M001"]
    assert fleet.status("M002")["pid"] != pids["M002"]
    fleet.require_done("M001", "M002", "M003")


@pytest.mark.spec(id="PR-327")
@pytest.mark.spec(id="PR-328")
@pytest.mark.spec(id="PR-192")
@pytest.mark.spec(id="FM-71")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_the_coordinator_is_told_to_end_all_workers_end_with_it(number: int, fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    for mid in PAIR:
        fleet.replay(task(mid), [tool("write", path=f"half-{mid}.txt", content="half\n"), hang()])
    process = fleet.begin()
    wait_until(lambda: all((fleet.tree(mid) / f"half-{mid}.txt").exists() for mid in PAIR), seconds=PATIENCE_S)
    process.send_signal(number)
    ran = fleet.end(process).require(INTERRUPTED)
    assert ran.out.splitlines()[-2].endswith("interrupted: stopped by request")
    assert fleet.pids() == []
    assert [fleet.holder(mid) for mid in PAIR] == [None, None]
    # What they had stays where it was, on branches of its own.
    for mid in PAIR:
        assert (fleet.tree(mid) / f"half-{mid}.txt").read_text() == "half\n"
        assert f"milestone/{mid}" in fleet.branches()
        assert fleet.status(mid)["state"] == "stopped"
    assert json.loads((fleet.state / "orchestrator.json").read_text())["active"] is False
    # Nothing of it is in the way of the next one.
    for mid in PAIR:
        fleet.replay(task(mid), projects.steps(task(mid)))
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="PR-322")
@pytest.mark.spec(id="PR-063")
@pytest.mark.spec(id="PR-197")
@pytest.mark.spec(id="DV-02")
def test_over_the_ceiling_nothing_is_started_and_raising_it_goes_on(fleet: FleetStage) -> None:
    fleet.plan(PAIR, parallel={"budget_ceiling": 0.002})
    fleet.fleet().require(BUDGET)
    spent, spawned = fleet.attempts(), len(fleet.events("worker-spawned"))
    assert spent < 6

    ran = fleet.fleet().require(BUDGET)
    skipping = "Budget ceiling ($0.002) reached — skipping"
    assert f"\nWorkers: \nErrors: M001: {skipping}; M002: {skipping}\n" in ran.out
    assert "Starting nothing new." in ran.out
    assert "Raise parallel.budget_ceiling, then gsd parallel start." in ran.out
    assert (fleet.attempts(), len(fleet.events("worker-spawned"))) == (spent, spawned)

    fleet.prefer(settings({"budget_ceiling": 1}))
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.attempts() == 6


@pytest.mark.spec(id="FM-54")
def test_a_coordinator_with_nothing_to_do_sleeps(fleet: FleetStage) -> None:
    fleet.plan(("M001",))
    gate = fleet.hold(task("M001"))
    process = fleet.begin()
    gate.wait()
    woken, used = _woken(process.pid), _used_s(process.pid)
    wait_until(lambda: _woken(process.pid) - woken >= 20, seconds=PATIENCE_S)
    # Its processor time and that of what it started, over how often it got up at all: no busy loop, no storm of git.
    each = (_used_s(process.pid) - used) / (_woken(process.pid) - woken)
    assert TICK_S >= 0.5
    assert each < 0.02, f"{each * 1000:.1f} ms of a processor at each look"
    gate.open()
    fleet.end(process).require(DONE)


def _woken(pid: int) -> int:
    """How often the process gave the processor away to wait for something."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("voluntary_ctxt_switches:")[2].split()[0])


def _used_s(pid: int) -> float:
    """Processor time of the process and of its children that ended, in seconds."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:15]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.covers("command:parallel start")
def test_with_json_every_line_is_json_the_report_too(fleet: FleetStage) -> None:
    fleet.plan(PAIR, depends={"M002": ["M001"]})
    ran = fleet.parallel("start", "--dry-run", "--json").require(DONE)
    (report,) = [json.loads(line) for line in ran.out.splitlines()]
    assert report["type"] == "eligibility"
    assert [entry["milestoneId"] for entry in report["eligible"]] == ["M001"]
    assert [(entry["milestoneId"], "M001" in entry["reason"]) for entry in report["ineligible"]] == [("M002", True)]

    ran = fleet.fleet("--json").require(DONE)
    assert all(isinstance(json.loads(line), dict) for line in ran.out.splitlines())
