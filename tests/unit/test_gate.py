"""A unit before its gate: which commands, on what tree, and what follows."""

import json
from pathlib import Path

import pytest

from milepost.formats.journal import Verified
from milepost.formats.preferences import Preferences
from milepost.git import status
from milepost.model.outcome import Inconclusive, Outcome, VerifyFailed
from milepost.model.units import Unit
from milepost.testing import projects
from milepost.unit import before
from milepost.unit.bench import Bench
from milepost.unit.gate import evidence_path, gate
from milepost.unit.put_right import tree_of
from unit.workbench import HOME, PLAN, PRODUCT, SLICE, TASK, bench_for, events, git, notes

pytestmark = pytest.mark.anyio
EVIDENCE = f"{HOME}/slices/S01/tasks/T01-VERIFY.json"
DONE = {PRODUCT: "made by M001/S01/T01\n"}


async def judged(bench: Bench, unit: Unit = TASK) -> Outcome | None:
    return await gate(unit, "a-1", status.dirty(bench.workspace.cwd), bench)


def verified(bench: Bench) -> Verified:
    [found] = events(bench, Verified)
    assert isinstance(found, Verified)
    return found


def record(bench: Bench, path: str = EVIDENCE) -> dict[str, object]:
    found = json.loads((bench.workspace.cwd / path).read_bytes())
    assert isinstance(found, dict)
    return found


def commands(*lines: str) -> Preferences:
    return Preferences()._replace(verification_commands=lines)


async def test_a_task_is_proved_by_its_own_gate(project: Path) -> None:
    bench = bench_for(project)
    projects.write(bench.workspace.cwd, DONE)
    assert await judged(bench) is None
    found = verified(bench)
    assert (found.attempt, found.verdict, found.source, found.checks) == ("a-1", "pass", "task-plan", 1)
    assert found.evidence == EVIDENCE == evidence_path(TASK, bench)
    assert record(bench)["passed"] is True
    assert "gate of execute-task M001/S01/T01: pass, 1 command" in notes(bench).text


async def test_the_evidence_names_the_tree_it_was_found_on(project: Path) -> None:
    bench = bench_for(project)
    place = bench.workspace.cwd
    projects.write(place, DONE)
    await judged(bench)
    tree = verified(bench).tree
    assert record(bench)["treeId"] == tree
    assert git(place, "show", f"{tree}:{PRODUCT}") == DONE[PRODUCT]
    assert git(place, "status", "--porcelain", "-uall").splitlines() == [f"?? {EVIDENCE}", f"?? {PRODUCT}"]


async def test_a_gate_that_fails(project: Path) -> None:
    bench = bench_for(project)
    projects.write(bench.workspace.cwd, {PRODUCT: "something else\n"})
    outcome = await judged(bench)
    assert isinstance(outcome, VerifyFailed)
    assert outcome.failed[0].endswith(": exit code 1")
    assert (project / outcome.evidence).is_file()
    assert verified(bench).verdict == "fail"
    assert await judged(bench) is not None
    assert record(bench)["retryAttempt"] == 2


async def test_one_that_cannot_be_judged_is_run_once_more(project: Path) -> None:
    bench = bench_for(project, preferences=commands("sh -c 'test -e once && exit 0; touch once; kill -KILL $$'"))
    assert await judged(bench) is None
    assert "running it once more" in notes(bench).text
    assert len(events(bench, Verified)) == 1


async def test_twice_is_for_a_person(project: Path) -> None:
    bench = bench_for(project, preferences=commands("sh -c 'echo run >> runs; kill -KILL $$'"))
    outcome = await judged(bench)
    assert isinstance(outcome, Inconclusive)
    assert "SIGKILL" in outcome.reason
    assert (project / outcome.evidence).is_file()
    assert (bench.workspace.cwd / "runs").read_text() == "run\nrun\n"
    assert verified(bench).verdict == "inconclusive"


async def test_another_unit_without_change_of_code_needs_none(project: Path) -> None:
    bench = bench_for(project, preferences=commands("false"))
    projects.write(bench.workspace.cwd, {f"{HOME}/slices/S01/S01-SUMMARY.md": "# S01\n"})
    assert await judged(bench, SLICE) is None
    assert events(bench, Verified) == []


async def test_another_unit_that_changed_code_is_proved_by_the_projects_commands(project: Path) -> None:
    bench = bench_for(project, preferences=commands("grep -q fine src/app.txt"))
    projects.write(bench.workspace.cwd, {"src/app.txt": "broken\n"})
    assert isinstance(await judged(bench, SLICE), VerifyFailed)
    found = verified(bench)
    assert (found.source, found.evidence) == ("preference", ".gsd/runtime/gates/complete-slice-M001-S01.json")
    projects.write(bench.workspace.cwd, {"src/app.txt": "fine\n"})
    assert await judged(bench, SLICE) is None


async def test_a_session_does_not_choose_its_gate(project: Path) -> None:
    bench = bench_for(project)
    before.keep(bench.workspace.root_state, "a-1", before.take(tree_of(bench), "M001"))
    plan = bench.workspace.cwd / PLAN
    plan.write_text(plan.read_text().replace("`grep -q M001/S01/T01 work/M001-S01-T01.txt`", "`true`"))
    projects.write(bench.workspace.cwd, {PRODUCT: "something else\n"})
    assert isinstance(await judged(bench), VerifyFailed)
    assert "changed its own Verify line" in notes(bench).text


async def test_a_task_without_a_gate_passes_and_says_so(project: Path) -> None:
    plan = project / PLAN
    plan.write_text(plan.read_text().replace("  - Verify: `grep -q M001/S01/T01 work/M001-S01-T01.txt`\n", ""))
    git(project, "commit", "-qam", "no gate")
    bench = bench_for(project)
    assert await judged(bench) is None
    assert (verified(bench).checks, record(bench)["discoverySource"]) == (0, "none")


async def test_lines_that_are_no_commands_are_named(project: Path) -> None:
    plan = project / PLAN
    plan.write_text(plan.read_text().replace("`grep -q M001/S01/T01 work/M001-S01-T01.txt`", "Open it and look around"))
    git(project, "commit", "-qam", "words")
    bench = bench_for(project)
    assert await judged(bench) is None
    assert "not run by the gate: 'Open it and look around'" in notes(bench).text


async def test_deleted_tests_are_flagged_in_journal_evidence_and_words(project: Path) -> None:
    projects.write(project, {"tests/test_app.py": "def test_it():\n    assert True\n"})
    git(project, "add", "-A")
    git(project, "commit", "-qm", "tests")
    bench = bench_for(project)
    projects.write(bench.workspace.cwd, DONE)
    (bench.workspace.cwd / "tests/test_app.py").unlink()
    assert await judged(bench) is None
    [flag] = verified(bench).flags
    assert "tests/test_app.py" in flag
    assert record(bench)["flags"] == [flag]
    assert f"look at this: {flag}" in notes(bench).text


@pytest.mark.parametrize("old", ["", "{", "[]", '{"retryAttempt": "x"}'])
async def test_old_evidence_that_cannot_be_read_is_replaced(old: str, project: Path) -> None:
    bench = bench_for(project)
    projects.write(bench.workspace.cwd, {**DONE, EVIDENCE: old})
    assert await judged(bench) is None
    assert record(bench)["passed"] is True


async def test_commands_do_not_see_credentials(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret-secret")
    bench = bench_for(project, preferences=commands("sh -c 'test -z \"$ANTHROPIC_API_KEY\"'"))
    assert await judged(bench) is None
