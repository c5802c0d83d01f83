"""SIGKILL at every step of the unit transaction and of the merge; the next run finishes. Issue acceptance 4."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from conftest import run_git
from crash.doomed import run_doomed
from milepost.formats.journal import AttemptStarted, SessionEnded
from milepost.store.journal import Journal

CHUNKS = 16
BASE = ".gsd/milestones/M001"
VERIFY = "python3 -m unittest discover -s tests"


def _project(root: Path) -> None:
    """One slice, one task; and a user in the middle of something else."""
    files = {
        "README.md": "# tiny\n",
        "notes.txt": "first\n",
        "tiny/__init__.py": "",
        "tests/__init__.py": "",
        f"{BASE}/M001-CONTEXT.md": "# M001: Tiny\n",
        f"{BASE}/M001-RESEARCH.md": "# Research\n\n## Summary\n\nNothing.\n",
        f"{BASE}/M001-ROADMAP.md": "# M001: Tiny\n\n**Vision:** One.\n\n## Slices\n\n"
        "- [ ] **S01: One** `risk:low` `depends:[]`\n  > After this: one() is 1.\n",
        f"{BASE}/slices/S01/S01-PLAN.md": "# S01: One\n\n**Goal:** One.\n**Demo:** 1.\n\n## Must-Haves\n\n- one\n\n## Tasks\n\n"
        f"- [ ] **T01: Write it** `est:5m`\n  - Files: `tiny/one.py`\n  - Verify: `{VERIFY}`\n",
        f"{BASE}/slices/S01/tasks/T01-PLAN.md": "# T01: Write it\n\n## Description\n\nWrite one().\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-qm", "start")
    (root / "notes.txt").write_text("first\nsecond, not committed\n")
    (root / "staged.txt").write_text("staged\n")
    run_git(root, "add", "staged.txt")
    (root / "untracked.txt").write_text("untracked\n")


def _write(path: str, content: str) -> dict[str, object]:
    return {"tool": "write", "args": {"path": path, "content": content}}


def _script() -> list[dict[str, object]]:
    summary = "---\nid: {0}\n---\n# {0}: Write it\n\n**Wrote one()**\n\n## What Happened\n\nIt works.\n"
    uses = {"usage": {"input": 100, "output": 10, "micro_usd": 1000, "model": "scripted"}}
    test = "import unittest\nfrom tiny.one import one\n\n\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(one(), 1)\n"
    session = {
        "execute-task/M001/S01/T01": [
            _write("tiny/one.py", "def one():\n    return 1\n"),
            _write("tests/test_one.py", test),
            _write(f"{BASE}/slices/S01/tasks/T01-SUMMARY.md", summary.format("T01")),
        ],
        "complete-slice/M001/S01": [
            _write(f"{BASE}/slices/S01/S01-SUMMARY.md", summary.format("S01")),
            _write(
                f"{BASE}/slices/S01/S01-UAT.md", "# UAT\n\n## UAT Type\n\n- UAT mode: artifact-driven\n\n1. Look.\n"
            ),
        ],
        "validate-milestone/M001": [
            _write(
                f"{BASE}/M001-VALIDATION.md", "---\nverdict: pass\nremediation_round: 0\n---\n# Validation\n\nGood.\n"
            )
        ],
        "complete-milestone/M001": [_write(f"{BASE}/M001-SUMMARY.md", summary.format("M001"))],
    }
    # The same session may be played again after a kill.
    return [{"unit": unit, "steps": [uses, *steps]} for unit, steps in session.items() for _ in range(3)]


def _user_state(root: Path) -> tuple[str, ...]:
    return (
        run_git(root, "diff"),
        run_git(root, "diff", "--cached"),
        run_git(root, "status", "--porcelain"),
        (root / "untracked.txt").read_text(),
    )


def _check_books(root: Path) -> None:
    """No unit is paid twice for work that is on disk: at most one session of each ever came to its end."""
    units: dict[str, str] = {}
    ended: Counter[str] = Counter()
    for event in Journal(root / ".gsd", "project").everything():
        match event:
            case AttemptStarted():
                units[event.attempt] = f"{event.kind}/{event.unit}"
            case SessionEnded():
                ended[units[event.attempt]] += 1
            case _:
                pass
    assert ended and max(ended.values()) == 1, ended


def _check_landed(root: Path) -> None:
    subjects = run_git(root, "log", "--format=%s", "main").splitlines()
    assert subjects == ["feat(M001): Tiny", "start"]
    assert run_git(root, "worktree", "list", "--porcelain").count("worktree ") == 1
    assert run_git(root, "branch", "--format=%(refname:short)").split() == ["main"]
    assert "refs/gsd/backup/M001/" in run_git(root, "for-each-ref")
    assert not list((root / ".gsd").rglob(".*.tmp.*"))
    assert (root / "tiny/one.py").exists()
    subprocess.run(VERIFY.split(), cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_killed_at_every_step(tmp_path: Path, chunk: int) -> None:
    """Each chunk takes every 16th effect, until a run gets through without dying."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(_script()))
    argv = ["auto", "--agent", f"scripted:{script}"]
    fatal = chunk + 1
    while True:
        root = tmp_path / f"run-{fatal}"
        root.mkdir()
        _project(root)
        before = _user_state(root)
        status, said = run_doomed(root, argv, fatal, tmp_path / "log.txt")
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, said
            assert fatal > 60, "fewer effects than a run has: the hooks do not count"
            return
        status, again = run_doomed(root, argv, 0, tmp_path / "log2.txt")
        context = f"{said}\n--- then ---\n{again}"
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, context
        assert _user_state(root) == before, context
        _check_landed(root)
        _check_books(root)
        fatal += CHUNKS
