"""What a unit's session is given, and what the project shows of it."""

import json
import os
from pathlib import Path

import pytest

from milepost.formats.journal import AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.formats.lock import Lock
from milepost.model.units import Unit, UnitKind
from milepost.process.confine import Confinement
from milepost.rules.tool_policy import ToolPolicy
from milepost.store import ledger
from milepost.testing import projects
from milepost.testing.trees import DictTree
from milepost.unit import session
from milepost.unit.put_right import tree_of
from unit.workbench import HOME, STATE, TASK, bench_for

SUMMARY_OF = {
    UnitKind.EXECUTE_TASK: ("M001/S01/T01", "milestones/M001/slices/S01/tasks/T01-SUMMARY.md"),
    UnitKind.COMPLETE_SLICE: ("M001/S01", "milestones/M001/slices/S01/S01-SUMMARY.md"),
    UnitKind.COMPLETE_MILESTONE: ("M001", "milestones/M001/M001-SUMMARY.md"),
}


def test_every_kind_has_a_policy() -> None:
    assert set(session.POLICIES) == set(UnitKind)


@pytest.mark.parametrize("kind", list(UnitKind))
def test_who_may_change_code(kind: UnitKind) -> None:
    if kind.value.startswith("discuss-"):
        assert session.POLICIES[kind] is ToolPolicy.DISCUSSION
        return
    if kind is UnitKind.TRIAGE_CAPTURES:
        assert session.POLICIES[kind] is ToolPolicy.PLANNING
        return
    plans = kind.value.startswith(("plan-", "replan-", "research-", "reassess-"))
    expected = ToolPolicy.PLANNING_DISPATCH if plans else ToolPolicy.ALL
    assert session.POLICIES[kind] is (ToolPolicy.DOCS if kind is UnitKind.REWRITE_DOCS else expected)


def test_names_of_attempts_are_readable_unique_and_in_order(project: Path) -> None:
    bench = bench_for(project, isolation="none")
    names = [session.attempt_id(TASK, bench) for _ in range(20)]
    assert names == sorted(names)
    assert len(set(names)) == 20
    assert all(name.startswith("M001-S01-T01.execute-task.") for name in names)
    fixed = bench_for(project, isolation="none", now_ms=lambda: 5)
    assert session.attempt_id(TASK, fixed) != session.attempt_id(TASK, fixed)


def test_the_spec(project: Path) -> None:
    confine = Confinement(writable=(project,))
    models = {UnitKind.EXECUTE_TASK: ("big", "small")}
    bench = bench_for(project, confine=confine, models=models)
    prompt = session.prompt(TASK, tree_of(bench), 1, bench, diagnostic="")
    spec = session.spec(TASK, prompt, "a-1", bench)
    assert (spec.unit, spec.cwd, spec.state_dir) == (TASK, project / STATE / "worktrees/M001", STATE)
    assert (spec.models, spec.policy, spec.confine) == (("big", "small"), ToolPolicy.ALL, confine)
    assert spec.output_dir == project / STATE / "runtime/outputs/a-1"
    assert spec.cache_key == str(project)
    assert (spec.system, spec.prompt) == (prompt.system, prompt.text)
    assert session.spec(Unit(UnitKind.PLAN_SLICE, "M001/S01"), prompt, "a", bench).models == ()


@pytest.mark.spec(id="PR-230")
def test_the_prompt_says_where_and_what_and_carries_instructions(project: Path) -> None:
    bench = bench_for(project, instructions=("ALWAYS SING",))
    prompt = session.prompt(TASK, tree_of(bench), 1, bench, diagnostic="IN CIRCLES")
    said = prompt.system + prompt.text
    for seen in ("ALWAYS SING", "IN CIRCLES", "T01", str(bench.workspace.cwd), "2025-11-21T21:20:00.000Z"):
        assert seen in said


@pytest.mark.parametrize("kind", list(UnitKind))
def test_whose_summary_becomes_a_commit_message(kind: UnitKind) -> None:
    files = {path: f"---\nid: x\n---\n# X: {name}\n\n**Says {name}**\n" for name, path in SUMMARY_OF.values()}
    unit = Unit(kind, SUMMARY_OF.get(kind, ("M001/S01", ""))[0])
    found = session.summary_of(unit, DictTree(files))
    assert (found.one_liner if found else None) == (f"Says {unit.id}" if kind in SUMMARY_OF else None)
    assert session.summary_of(unit, DictTree({})) is None


@pytest.mark.spec(id="PR-237")
def test_what_is_running_is_shown_and_taken_away(project: Path) -> None:
    bench = bench_for(project)
    bench.journal.append(AttemptEnded(at_ms=1, run="r", attempt="old", result=Result.COMMITTED))
    bench.journal.append(AttemptEnded(at_ms=1, run="r", attempt="bad", result=Result.CRASHED))
    session.note_unit(TASK, "a-1", Path("/t.jsonl"), bench)
    lock = ledger.read_lock(project / STATE)
    assert isinstance(lock, Lock)
    assert (lock.pid, lock.unit_type, lock.unit_id) == (os.getpid(), "execute-task", "M001/S01/T01")
    assert (lock.completed_units, lock.session_file, lock.run) == (1, "/t.jsonl", "r-1")
    assert lock.started_at == "2025-11-21T21:20:00.000Z"
    record = project / STATE / "runtime/units/execute-task-M001-S01-T01.json"
    found = json.loads(record.read_text())
    assert (found["phase"], found["attempt"], found["unitId"]) == ("dispatched", "a-1", "M001/S01/T01")
    started = AttemptStarted(
        at_ms=1, run="r", attempt="a-1", kind="execute-task", unit=TASK.id, base="", branch="", fingerprint="", number=1
    )
    bench.journal.append(started)
    bench.journal.append(UsageReported(at_ms=2, run="r", attempt="a-1", model="m", input=1, output=1, micro_usd=5))
    session.publish(TASK, bench)
    session.publish(TASK, bench)
    assert not record.exists()
    [row] = json.loads((project / STATE / "metrics.json").read_text())["units"]
    assert (row["attempt"], row["cost"]) == ("a-1", 0.000005)


def test_a_new_attempt_starts_a_new_record(project: Path) -> None:
    bench = bench_for(project)
    path = project / STATE / "runtime/units/execute-task-M001-S01-T01.json"
    projects.write(project, {str(path.relative_to(project)): '{"recoveryAttempts": 9, "phase": "timeout"}'})
    session.note_unit(TASK, "a-2", Path("/t"), bench)
    found = json.loads(path.read_text())
    assert (found["recoveryAttempts"], found["phase"], found["attempt"]) == (0, "dispatched", "a-2")
    assert not (bench.workspace.cwd / HOME / "runtime").exists()
