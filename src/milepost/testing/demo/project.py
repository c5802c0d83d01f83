"""The demo's project: a small Python package with tests, and the plan of what is to be built (`plans.py`).

Real files for a real repository. With `ALONE` it is a project for `gsd auto`; with all milestones one for
`gsd parallel`, two workers at once.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from milepost.testing.demo.plans import ALL, ALONE, VERIFY, Milestone, Slice, Task, chosen
from milepost.testing.demo.written import NO_COMMAND, NO_EXPORT

__all__ = ["ALL", "ALONE", "SO_FAR", "VERIFY", "files", "make"]

SO_FAR = "- A package with one test.\n"
"""The line of PROJECT.md below which each milestone says what it brought."""
_PREFERENCES = """\
---
parallel:
  enabled: true
  max_workers: 2
  auto_merge: auto
---
"""
_README = f"""\
# wordtally

Counts words.

## Command

{NO_COMMAND}

## Export

{NO_EXPORT}
"""


def files(milestones: tuple[str, ...] = ALONE) -> dict[str, str]:
    """The project's files by path."""
    found = {
        "README.md": _README,
        ".gitignore": "__pycache__/\n*.pyc\n",
        "wordtally/__init__.py": '"""Counts words."""\n',
        "tests/__init__.py": "",
        "tests/test_package.py": "import unittest\n\nimport wordtally\n\n\nclass TestPackage(unittest.TestCase):\n"
        '    def test_has_a_docstring(self) -> None:\n        self.assertIn("words", wordtally.__doc__)\n',
        ".gsd/PROJECT.md": f"# Project\n\n## What This Is\n\nA package that counts words.\n\n## Current State\n\n{SO_FAR}",
        ".gsd/DECISIONS.md": "# Decisions Register\n\n<!-- Append-only. -->\n\n"
        "| # | When | Scope | Decision | Choice | Rationale | Revisable? |\n"
        "|---|------|-------|----------|--------|-----------|------------|\n"
        "| D001 | M001 | testing | Test runner | unittest | no dependency | Yes |\n",
    }
    if len(milestones) > 1:
        found[".gsd/PREFERENCES.md"] = _PREFERENCES
    for milestone in chosen(milestones):
        found.update(_milestone(milestone))
    return found


def make(root: Path, milestones: tuple[str, ...] = ALONE) -> None:
    """Write the project to `root` and commit it on `main`, with an identity of its own."""
    for name, text in files(milestones).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _git(root, "init", "-q", "-b", "main")
    _git(root, "config", "user.name", "Milepost Demo")
    _git(root, "config", "user.email", "demo@milepost.invalid")
    _git(root, "config", "commit.gpgSign", "false")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "A package to begin with, and a plan")


def _milestone(milestone: Milestone) -> Iterator[tuple[str, str]]:
    base = f".gsd/milestones/{milestone.id}"
    yield f"{base}/{milestone.id}-CONTEXT.md", _context(milestone)
    yield f"{base}/{milestone.id}-ROADMAP.md", _roadmap(milestone)
    yield f"{base}/{milestone.id}-RESEARCH.md", f"# {milestone.id} — Research\n\n## Summary\n\n{milestone.research}\n"
    for part in milestone.slices:
        yield f"{base}/slices/{part.id}/{part.id}-PLAN.md", _plan(part)
        for task in part.tasks:
            yield f"{base}/slices/{part.id}/tasks/{task.id}-PLAN.md", _task(milestone, part, task)


def _context(milestone: Milestone) -> str:
    needs = f"---\ndepends_on: [{', '.join(milestone.depends_on)}]\n---\n" if milestone.depends_on else ""
    return (
        f"{needs}# {milestone.id}: {milestone.title} — Context\n\n## Project Description\n\n{milestone.description}\n\n"
        f"## Why This Milestone\n\n{milestone.why}\n\n## Scope\n\n{milestone.scope}\n\n"
        "## Technical Constraints\n\nStandard library only; tests with unittest.\n"
    )


def _roadmap(milestone: Milestone) -> str:
    lines = [
        f"# {milestone.id}: {milestone.title}",
        "",
        f"**Vision:** {milestone.vision}",
        "",
        "## Success Criteria",
        "",
    ]
    lines += [*(f"- {criterion}" for criterion in milestone.criteria), "", "## Slices", ""]
    for part in milestone.slices:
        lines.append(f"- [ ] **{part.id}: {part.title}** `risk:{part.risk}` `depends:[{part.depends}]`")
        lines.append(f"  > After this: {part.tells}")
    if len(milestone.slices) > 1:
        lines += ["", "## Boundary Map", "", "### S01 → S02", "", "Produces:"]
        lines += ["- `wordtally.count(text) -> dict[str, int]`", "", "Consumes:", "- nothing"]
    return "\n".join(lines) + "\n"


def _plan(part: Slice) -> str:
    lines = [f"# {part.id}: {part.title}", "", f"**Goal:** {part.goal}", f"**Demo:** {part.demo}", ""]
    lines += ["## Must-Haves", "", *(f"- {task.does}" for task in part.tasks)]
    lines += ["", "## Verification", "", f"- `{VERIFY}`", "", "## Tasks", ""]
    for task in part.tasks:
        lines += [
            f"- [ ] **{task.id}: {task.title}** `est:20m`",
            f"  - Why: {part.goal}",
            f"  - Files: {_ticked(task)}",
        ]
        lines += [f"  - Do: {task.does}", f"  - Verify: `{VERIFY}`", "  - Done when: the tests pass"]
    lines += ["", "## Files Likely Touched", ""] + [f"- {_ticked(task)}" for task in part.tasks]
    return "\n".join(lines) + "\n"


def _task(milestone: Milestone, part: Slice, task: Task) -> str:
    return (
        f"# {task.id}: {task.title}\n\n**Slice:** {part.id}\n**Milestone:** {milestone.id}\n\n"
        f"## Description\n\n{task.does}\n\n## Steps\n\n1. Write the code\n2. Write its tests\n3. Run them\n\n"
        f"## Must-Haves\n\n- [ ] {task.does}\n\n## Verification\n\n- `{VERIFY}`\n\n"
        f"## Inputs\n\n- `wordtally/__init__.py`\n\n## Expected Output\n\n- {_ticked(task)}\n"
    )


def _ticked(task: Task) -> str:
    return ", ".join(f"`{path}`" for path in task.files)


def _git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(root), *args], check=True, stdout=subprocess.DEVNULL)
