"""What earlier attempts have to say to the next one."""

from pathlib import Path

import pytest

from milepost.agents.session import Text, ToolCall, ToolResult
from milepost.formats.journal import AttemptEnded, AttemptStarted, CapReset, Result, Verified
from milepost.model.units import Unit, UnitKind
from milepost.testing import projects
from milepost.unit import briefing
from milepost.unit.bench import Bench
from milepost.unit.briefing import Past
from milepost.unit.transcript import Transcript
from unit.workbench import HOME, START_MS, TASK, bench_for, git

EVIDENCE = f"{HOME}/slices/S01/tasks/T01-VERIFY.json"


@pytest.fixture
def bench(project: Path) -> Bench:
    return bench_for(project, isolation="none")


def attempt(bench: Bench, name: str, result: Result | None, reason: str = "", unit: Unit = TASK) -> None:
    with Transcript(bench.workspace.root_state, unit) as transcript:
        transcript.begin(attempt=name, unit=unit, cwd=bench.workspace.cwd, at_ms=START_MS, prompt="Do it.")
        transcript.add(Text(text=f"{name} begins."))
        transcript.add(ToolCall(id="1", name="write", args={"path": f"src/{name}.py", "content": "x"}))
        transcript.add(ToolResult(id="1", name="write", ok=True, text="written"))
        transcript.add(ToolCall(id="2", name="shell", args={"command": f"make {name}"}))
        transcript.add(ToolResult(id="2", name="shell", ok=False, text="no such target"))
        transcript.add(Text(text=f"{name} was here."))
    started = AttemptStarted(
        at_ms=bench.now_ms(), run="r", attempt=name, kind=unit.kind, unit=unit.id, base="", branch="", fingerprint="",
        number=1, transcript=f"activity/{transcript.path.name}",
    )  # fmt: skip
    bench.journal.append(started)
    if result:
        bench.journal.append(AttemptEnded(at_ms=bench.now_ms(), run="r", attempt=name, result=result, reason=reason))


def test_a_first_attempt_has_no_past(bench: Bench) -> None:
    attempt(bench, "other", Result.CRASHED, unit=Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02"))
    attempt(bench, "kind", Result.CRASHED, unit=Unit(UnitKind.PLAN_SLICE, "M001/S01"))
    assert briefing.of(TASK, bench) == Past()


@pytest.mark.spec(id="PR-237")
@pytest.mark.parametrize(
    "result",
    [None, Result.CRASHED, Result.INTERRUPTED, Result.PROVIDER_ERROR, Result.TIMED_OUT, Result.OVER_BUDGET],
)
def test_after_a_session_that_was_cut_off(result: Result | None, bench: Bench) -> None:
    (bench.workspace.cwd / "half.txt").write_text("half\n")
    attempt(bench, "one", result)
    past = briefing.of(TASK, bench)
    assert (past.gate_failure, past.diagnostic) == ("", "")
    for seen in ("src/one.py", "make one", "no such target", "one was here.", "half.txt"):
        assert seen in past.crash


def test_after_one_that_left_something_owing(bench: Bench) -> None:
    attempt(bench, "one", Result.UNFINISHED, "milestones/M001/x-SUMMARY.md: was not written\nthe agent called no tool")
    past = briefing.of(TASK, bench)
    assert (past.gate_failure, past.crash) == ("", "")
    for seen in (".gsd/milestones/M001/x-SUMMARY.md", "was not written", "the agent called no tool", "src/one.py"):
        assert seen in past.diagnostic


CHECKS = '[{"command": "make test", "exitCode": 2, "durationMs": 1, "verdict": "fail", "stdout": "said out", "stderr": "said err"}, {"command": "make lint", "exitCode": 0, "durationMs": 1, "verdict": "pass", "stdout": "clean"}]'
GOOD = f'{{"schemaVersion": 1, "taskId": "T01", "unitId": "M001/S01/T01", "timestamp": 1, "passed": false, "discoverySource": "task-plan", "checks": {CHECKS}}}'


def failed(bench: Bench, name: str) -> None:
    attempt(bench, name, None)
    bench.journal.append(
        Verified(
            at_ms=bench.now_ms(), run="r", attempt=name, verdict="fail", source="task-plan", checks=2, evidence=EVIDENCE
        )
    )
    ended = AttemptEnded(
        at_ms=bench.now_ms(), run="r", attempt=name, result=Result.VERIFY_FAILED, reason="make test: exit code 2"
    )
    bench.journal.append(ended)


def test_after_a_failed_gate_both_streams_are_shown(bench: Bench) -> None:
    projects.write(bench.workspace.cwd, {EVIDENCE: GOOD})
    failed(bench, "one")
    failed(bench, "two")
    past = briefing.of(TASK, bench)
    assert (past.crash, past.diagnostic) == ("", "")
    for seen in ("make test", "said out", "said err", "2"):
        assert seen in past.gate_failure
    assert "make lint" not in past.gate_failure


@pytest.mark.parametrize("evidence", [None, "", "{", "[" * 100_000, GOOD.replace('"fail"', '"pass"')])
def test_without_evidence_the_journal_says_what_failed(evidence: str | None, bench: Bench) -> None:
    if evidence is not None:
        projects.write(bench.workspace.cwd, {EVIDENCE: evidence})
    failed(bench, "one")
    assert "make test: exit code 2" in briefing.of(TASK, bench).gate_failure


def test_the_latest_attempt_speaks(bench: Bench) -> None:
    attempt(bench, "one", Result.CRASHED)
    attempt(bench, "two", Result.UNFINISHED, "x.md: was not written")
    past = briefing.of(TASK, bench)
    assert past.crash == ""
    assert "two was here." in past.diagnostic or "src/two.py" in past.diagnostic
    bench.journal.append(CapReset(at_ms=bench.now_ms(), run="r", unit="*"))
    attempt(bench, "three", Result.COMMITTED)
    assert briefing.of(TASK, bench) == Past()


@pytest.mark.parametrize("damage", ["missing", "torn", "garbage", "directory"])
def test_a_transcript_may_end_anywhere(damage: str, bench: Bench) -> None:
    attempt(bench, "one", Result.CRASHED)
    [path] = (bench.workspace.root_state / "activity").iterdir()
    data = path.read_bytes()
    path.unlink()
    if damage == "torn":
        path.write_bytes(data[: data.index(b"no such target")] + b"\xff\n" + b"[" * 20_000)
    elif damage == "garbage":
        path.write_bytes(b'\x00\xff\n[]\n{"message": 3}\n{"message": {"content": 4}}\n{"message":{"content":[5]}}\n')
    elif damage == "directory":
        path.mkdir()
    crash = briefing.of(TASK, bench).crash
    assert crash
    assert ("make one" in crash) is (damage == "torn")


def test_the_state_of_the_worktree_is_shown(project: Path) -> None:
    bench = bench_for(project)
    (bench.workspace.cwd / "README.md").write_text("changed\n")
    attempt(bench, "one", Result.CRASHED)
    assert "README.md" in briefing.of(TASK, bench).crash
    assert git(bench.workspace.cwd, "status", "--short") == " M README.md\n"
