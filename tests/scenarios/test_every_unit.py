"""A milestone from its context alone: every kind of unit once, in a real run.

Research, plan, blocker and replan, user acceptance test, an order of the user, a validation that wants more and gets
it, and the merge. Source: spec auto 4.1, 5.18.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import run_git
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result
from milepost.store.journal import Journal

BASE = ".gsd/milestones/M001"


def _write(path: str, content: str) -> dict[str, object]:
    return {"tool": "write", "args": {"path": path, "content": content}}


def _plan(sid: str, *tasks: str) -> list[dict[str, object]]:
    home = f"{BASE}/slices/{sid}"
    lines = "".join(f"- [ ] **{tid}: Do {tid}** `est:5m`\n  - Verify: `test -f {sid}-{tid}.txt`\n" for tid in tasks)
    text = f"# {sid}: Slice\n\n**Goal:** g\n**Demo:** d\n\n## Must-Haves\n\n- m\n\n## Tasks\n\n{lines}"
    return [_write(f"{home}/{sid}-PLAN.md", text)] + [
        _write(
            f"{home}/tasks/{tid}-PLAN.md",
            f"# {tid}: Do {tid}\n\n## Description\n\nWrite a file.\n\n## Steps\n\n1. Do\n",
        )
        for tid in tasks
    ]


def _task(sid: str, tid: str, *, blocker: bool = False) -> list[dict[str, object]]:
    summary = f"---\nid: {tid}\nblocker_discovered: {str(blocker).lower()}\n---\n# {tid}: Do {tid}\n\n**Did {tid}**\n\n## What Happened\n\nx\n"
    return [_write(f"{sid}-{tid}.txt", "x\n"), _write(f"{BASE}/slices/{sid}/tasks/{tid}-SUMMARY.md", summary)]


def _complete(sid: str) -> list[dict[str, object]]:
    home = f"{BASE}/slices/{sid}/{sid}"
    return [
        _write(f"{home}-SUMMARY.md", f"---\nid: {sid}\n---\n# {sid}: Slice\n\n**Done**\n\n## What Happened\n\nx\n"),
        _write(f"{home}-UAT.md", "# UAT\n\n## UAT Type\n\n- UAT mode: artifact-driven\n\n1. Look.\n"),
    ]


def _roadmap(*slices: tuple[str, str, bool]) -> str:
    lines = "".join(
        f"- [{'x' if done else ' '}] **{sid}: Slice {sid}** `risk:low` `depends:[{deps}]`\n  > After this: it works.\n"
        for sid, deps, done in slices
    )
    return f"# M001: From nothing\n\n**Vision:** v\n\n## Success Criteria\n\n- it works\n\n## Slices\n\n{lines}"


def _verdict(word: str, number: int) -> str:
    return f"---\nverdict: {word}\nremediation_round: {number}\n---\n# Validation\n\nRead all of it.\n"


def _uat(sid: str) -> list[dict[str, object]]:
    text = f"---\nsliceId: {sid}\nuatType: artifact-driven\nverdict: PASS\n---\n# UAT result\n\nLooked.\n"
    return [_write(f"{BASE}/slices/{sid}/{sid}-UAT-RESULT.md", text)]


def _assess(sid: str) -> list[dict[str, object]]:
    return [_write(f"{BASE}/slices/{sid}/{sid}-ASSESSMENT.md", f"# {sid} Assessment\n\nThe roadmap stands.\n")]


def _sessions() -> list[dict[str, object]]:
    replanned = _plan("S01", "T01", "T02")[0]["args"]["content"].replace("- [ ] **T01", "- [x] **T01")  # type: ignore[index]
    steps: list[tuple[str, list[dict[str, object]]]] = [
        ("rewrite-docs/M001", [_write(".gsd/OVERRIDES.md", "# GSD Overrides\n\n## Override: 2026-03-17T10:00:00.000Z\n\n**Change:** x\n**Scope:** resolved\n**Applied-at:** M001\n\n---\n")]),
        ("research-milestone/M001", [_write(f"{BASE}/M001-RESEARCH.md", "# Research\n\n## Summary\n\nEasy.\n")]),
        ("plan-milestone/M001", [_write(f"{BASE}/M001-ROADMAP.md", _roadmap(("S01", "", False), ("S02", "S01", False), ("S09", "", False)))]),
        ("plan-slice/M001/S01", _plan("S01", "T01", "T02")),
        ("execute-task/M001/S01/T01", _task("S01", "T01", blocker=True)),
        ("replan-slice/M001/S01", [
            _write(f"{BASE}/slices/S01/S01-REPLAN.md", "# Replan\n\nT01 found a blocker; T02 goes round it.\n"),
            _write(f"{BASE}/slices/S01/S01-PLAN.md", str(replanned)),
            _write(f"{BASE}/slices/S01/tasks/T02-PLAN.md", "# T02: Do T02\n\n## Description\n\nGo round it.\n\n## Steps\n\n1. Do\n"),
        ]),
        ("execute-task/M001/S01/T02", _task("S01", "T02")),
        ("complete-slice/M001/S01", _complete("S01")),
        ("run-uat/M001/S01", _uat("S01")),
        ("reassess-roadmap/M001/S01", [
            *_assess("S01"), _write(f"{BASE}/M001-ROADMAP.md", _roadmap(("S01", "", True), ("S02", "S01", False))),
        ]),
        ("plan-slice/M001/S02", _plan("S02", "T01")),
        ("execute-task/M001/S02/T01", _task("S02", "T01")),
        ("complete-slice/M001/S02", _complete("S02")),
        ("run-uat/M001/S02", _uat("S02")),
        ("validate-milestone/M001", [
            _write(f"{BASE}/M001-ROADMAP.md", _roadmap(("S01", "", True), ("S02", "S01", True), ("S03", "", False))),
            _write(f"{BASE}/M001-VALIDATION.md", _verdict("needs-remediation", 1)),
        ]),
        ("plan-slice/M001/S03", _plan("S03", "T01")),
        ("execute-task/M001/S03/T01", _task("S03", "T01")),
        ("complete-slice/M001/S03", _complete("S03")),
        ("reassess-roadmap/M001/S02", _assess("S02")),
        ("run-uat/M001/S03", _uat("S03")),
        ("validate-milestone/M001", [_write(f"{BASE}/M001-VALIDATION.md", _verdict("pass", 2))]),
        ("complete-milestone/M001", [_write(f"{BASE}/M001-SUMMARY.md", "---\nid: M001\n---\n# M001: From nothing\n\n**Made**\n\n## What Happened\n\nx\n")]),
    ]  # fmt: skip
    return [{"unit": unit, "steps": play} for unit, play in steps]


@pytest.mark.covers(
    "unit:rewrite-docs",
    "unit:research-milestone",
    "unit:plan-milestone",
    "unit:plan-slice",
    "unit:execute-task",
    "unit:replan-slice",
    "unit:complete-slice",
    "unit:run-uat",
    "unit:reassess-roadmap",
    "unit:validate-milestone",
    "unit:complete-milestone",
)
@pytest.mark.spec(id="PR-230")
@pytest.mark.spec(id="PR-231")
@pytest.mark.spec(id="PR-232")
@pytest.mark.spec(id="PR-243")
def test_from_a_context_to_a_merged_milestone(repo: Path, tmp_path: Path) -> None:
    home = repo / BASE
    home.mkdir(parents=True)
    (home / "M001-CONTEXT.md").write_text("# M001: From nothing\n\nMake files.\n")
    (repo / ".gsd/OVERRIDES.md").write_text(
        "# GSD Overrides\n\n## Override: 2026-03-17T10:00:00.000Z\n\n**Change:** x\n**Scope:** active\n"
        "**Applied-at:** M001\n\n---\n"
    )
    (repo / ".gsd/PREFERENCES.md").write_text("---\nuat_dispatch: true\n---\n")
    script = tmp_path / "script.json"
    script.write_text(json.dumps(_sessions()))
    done = subprocess.run(
        [sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()", "auto", "--agent", f"scripted:{script}"],
        cwd=repo, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    events = Journal(repo / ".gsd", "project").everything()
    started = [f"{e.kind}/{e.unit}" for e in events if isinstance(e, AttemptStarted)]
    results = {e.result for e in events if isinstance(e, AttemptEnded)}
    assert results == {Result.COMMITTED}, done.stdout
    assert sorted(started) == sorted(str(s["unit"]) for s in _sessions()), "\n".join(started)
    order = [
        "research-milestone/M001", "plan-milestone/M001", "plan-slice/M001/S01", "execute-task/M001/S01/T01",
        "execute-task/M001/S01/T02", "complete-slice/M001/S01", "reassess-roadmap/M001/S01", "plan-slice/M001/S02",
        "execute-task/M001/S02/T01", "complete-slice/M001/S02", "validate-milestone/M001", "complete-milestone/M001",
    ]  # fmt: skip
    assert [unit for unit in dict.fromkeys(started) if unit in order] == order
    assert run_git(repo, "show", f"main:{BASE}/M001-ROADMAP.md").count("- [x]") == 3
    for owed in ("S01-SUMMARY.md", "S01-UAT.md", "S01-ASSESSMENT.md", "tasks/T02-SUMMARY.md", "tasks/T02-VERIFY.json"):
        assert run_git(repo, "show", f"main:{BASE}/slices/S01/{owed}")
    assert run_git(repo, "log", "--format=%s").splitlines()[0] == "feat(M001): From nothing"
    assert run_git(repo, "status", "--porcelain") == ""
    assert (repo / "S03-T01.txt").exists()
