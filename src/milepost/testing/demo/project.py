"""The demo's project: a small Python package with tests, and a plan of one milestone, two slices, four tasks.

Real files for a real repository. The code that the plan asks for is not here: the agent writes it.
"""

import subprocess
from pathlib import Path

VERIFY = "python3 -m unittest discover -s tests"

_ROADMAP = """\
# M001: Word counts

**Vision:** `wordtally` counts words in text, and says which are the most frequent.

## Success Criteria

- `python3 -m wordtally FILE` prints the most frequent words of a file
- All behaviour is covered by unit tests

## Slices

- [ ] **S01: Counting** `risk:medium` `depends:[]`
  > After this: `wordtally.count(text)` returns the words with their counts.
- [ ] **S02: Reporting** `risk:low` `depends:[S01]`
  > After this: `python3 -m wordtally FILE --top 3` prints a table.

## Boundary Map

### S01 → S02

Produces:
- `wordtally.count(text) -> dict[str, int]`

Consumes:
- nothing
"""

_CONTEXT = """\
# M001: Word counts — Context

## Project Description

A library and command that counts words.

## Why This Milestone

It is the first useful thing the package does.

## Scope

In: counting, reporting, a command line. Out: stemming, other encodings than UTF-8.

## Technical Constraints

Standard library only; tests with unittest.
"""


def _plan(slice_id: str, title: str, goal: str, demo: str, tasks: tuple[tuple[str, str, str, str], ...]) -> str:
    lines = [f"# {slice_id}: {title}", "", f"**Goal:** {goal}", f"**Demo:** {demo}", "", "## Must-Haves", ""]
    lines += [f"- {does}" for _, _, does, _ in tasks]
    lines += ["", "## Verification", "", f"- `{VERIFY}`", "", "## Tasks", ""]
    for task_id, name, does, files in tasks:
        lines += [f"- [ ] **{task_id}: {name}** `est:20m`", f"  - Why: {goal}", f"  - Files: {files}"]
        lines += [f"  - Do: {does}", f"  - Verify: `{VERIFY}`", "  - Done when: the tests pass"]
    lines += ["", "## Files Likely Touched", ""] + [f"- {files}" for _, _, _, files in tasks]
    return "\n".join(lines) + "\n"


def _task(slice_id: str, task: tuple[str, str, str, str]) -> str:
    task_id, name, does, files = task
    return (
        f"# {task_id}: {name}\n\n**Slice:** {slice_id}\n**Milestone:** M001\n\n## Description\n\n{does}\n\n"
        f"## Steps\n\n1. Write the code\n2. Write its tests\n3. Run them\n\n## Must-Haves\n\n- [ ] {does}\n\n"
        f"## Verification\n\n- `{VERIFY}`\n\n## Inputs\n\n- `wordtally/__init__.py`\n\n## Expected Output\n\n- {files}\n"
    )


_S01 = (
    ("T01", "Split text into words", "`words(text)` yields lower-case words; apostrophes inside a word stay",
     "`wordtally/words.py`, `tests/test_words.py`"),
    ("T02", "Count words", "`count(text)` returns a dict from word to number of times",
     "`wordtally/counting.py`, `wordtally/__init__.py`, `tests/test_counting.py`"),
)  # fmt: skip
_S02 = (
    ("T01", "Format a table", "`table(counts, top)` gives aligned lines, most frequent first, ties by alphabet",
     "`wordtally/report.py`, `tests/test_report.py`"),
    ("T02", "Command line", "`python3 -m wordtally FILE [--top N]` prints the table",
     "`wordtally/__main__.py`, `tests/test_main.py`"),
)  # fmt: skip


def files() -> dict[str, str]:
    """The project's files by path."""
    base = ".gsd/milestones/M001"
    found = {
        "README.md": "# wordtally\n\nCounts words.\n",
        ".gitignore": "__pycache__/\n*.pyc\n",
        "wordtally/__init__.py": '"""Counts words."""\n',
        "tests/__init__.py": "",
        "tests/test_package.py": "import unittest\n\nimport wordtally\n\n\nclass TestPackage(unittest.TestCase):\n"
        '    def test_has_a_docstring(self) -> None:\n        self.assertIn("words", wordtally.__doc__)\n',
        ".gsd/PROJECT.md": "# Project\n\n## What This Is\n\nA package that counts words.\n\n## Milestone Sequence\n\n"
        "- [ ] M001: Word counts — count and report\n",
        ".gsd/DECISIONS.md": "# Decisions Register\n\n<!-- Append-only. -->\n\n"
        "| # | When | Scope | Decision | Choice | Rationale | Revisable? |\n"
        "|---|------|-------|----------|--------|-----------|------------|\n"
        "| D001 | M001 | testing | Test runner | unittest | no dependency | Yes |\n",
        f"{base}/M001-CONTEXT.md": _CONTEXT,
        f"{base}/M001-ROADMAP.md": _ROADMAP,
        f"{base}/M001-RESEARCH.md": "# M001 — Research\n\n## Summary\n\n`re.finditer` splits words well enough.\n",
        f"{base}/slices/S01/S01-PLAN.md": _plan(
            "S01", "Counting", "Text becomes counts.", "`count` returns a dict.", _S01
        ),
        f"{base}/slices/S02/S02-PLAN.md": _plan(
            "S02", "Reporting", "Counts become a table.", "The command prints.", _S02
        ),
    }
    for slice_id, tasks in (("S01", _S01), ("S02", _S02)):
        for task in tasks:
            found[f"{base}/slices/{slice_id}/tasks/{task[0]}-PLAN.md"] = _task(slice_id, task)
    return found


def make(root: Path) -> None:
    """Write the project to `root` and commit it on `main`, with an identity of its own."""
    for name, text in files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _git(root, "init", "-q", "-b", "main")
    _git(root, "config", "user.name", "Milepost Demo")
    _git(root, "config", "user.email", "demo@milepost.invalid")
    _git(root, "config", "commit.gpgSign", "false")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "A package to begin with, and a plan")


def _git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(root), *args], check=True, stdout=subprocess.DEVNULL)
