"""A small real project that the doctor finds nothing wrong with, to damage in one way at a time."""

import os
import time
from pathlib import Path

from conftest import run_git
from milepost.doctor.finding import Finding
from milepost.doctor.run import Report, examine, mend
from milepost.doctor.site import Place
from milepost.git.proof import BRANCH, MILESTONE, TIP
from milepost.rules import gitignore

ROADMAP = """\
# M001: Feed store

**Vision:** Feeds are kept.

## Slices

- [x] **S01: Storage** `risk:low` `depends:[]`
- [ ] **S02: Fetch loop** `risk:low` `depends:[S01]`
"""
PLAN1 = "# S01: Storage\n\n## Tasks\n\n- [x] **T01: Schema** `est:30m`\n"
PLAN2 = "# S02: Fetch loop\n**Goal:** Feeds come by themselves.\n## Tasks\n\n- [ ] **T01: Fetcher** `est:30m`\n"
M1 = ".gsd/milestones/M001"
S1, S2 = f"{M1}/slices/S01", f"{M1}/slices/S02"
SOUND = {
    f"{M1}/M001-CONTEXT.md": "# M001: Feed store\n",
    f"{M1}/M001-ROADMAP.md": ROADMAP,
    f"{S1}/S01-PLAN.md": PLAN1,
    f"{S1}/S01-SUMMARY.md": "# S01: Storage\n\n**Kept**\n",
    f"{S1}/S01-UAT.md": "# S01: UAT\n",
    f"{S1}/tasks/T01-PLAN.md": "# T01\n",
    f"{S1}/tasks/T01-SUMMARY.md": "# T01: Schema\n\n**Made**\n",
    f"{S2}/S02-PLAN.md": PLAN2,
    f"{S2}/tasks/T01-PLAN.md": "# T01: Fetcher\n\nWrite `fetch.py`.\n\n## Verification\n\n- It fetches\n",
    ".gsd/STATE.md": "**Active Milestone:** M001: A\n**Active Slice:** S02: Fetch loop\n**Phase:** executing\n",
    ".gitignore": gitignore.ensure("", commit_docs=True, manage=True),
}
COMPLETE = {
    f"{M1}/M001-ROADMAP.md": ROADMAP.replace("[ ]", "[x]"),
    f"{M1}/M001-VALIDATION.md": "---\nverdict: pass\n---\n",
    f"{M1}/M001-SUMMARY.md": "# M001: Feed store\n\n**Done**\n",
    f"{S2}/S02-PLAN.md": PLAN2.replace("[ ]", "[x]"),
    f"{S2}/S02-SUMMARY.md": "# S02\n\n**Done**\n",
    f"{S2}/S02-UAT.md": "# S02: UAT\n",
    f"{S2}/tasks/T01-SUMMARY.md": "# T01\n\n**Done**\n",
}
MACHINE = ("no_sandbox", "disk_space_low")
"""What depends on where the tests run."""


def write(root: Path, files: dict[str, str | bytes | None]) -> None:
    """Write files below `root`; None removes one, a name ending in `/` makes a directory."""
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(where: Path, message: str = "work") -> str:
    run_git(where, "add", "-A")
    run_git(where, "commit", "-qm", message, "--allow-empty")
    return head(where)


def head(where: Path, name: str = "HEAD") -> str:
    return run_git(where, "rev-parse", name).strip()


def place(root: Path, *, cwd: Path | None = None, now_s: float | None = None) -> Place:
    home = os.path.join(os.environ["HOME"], ".gsd")
    return Place(root=root, state_dir=".gsd", home=home, cwd=cwd or root, now_s=now_s or time.time())


def look(root: Path, *, now_s: float | None = None) -> list[Finding]:
    return [f for f in examine(place(root, now_s=now_s)).findings if f.code not in MACHINE]


def codes(root: Path) -> list[str]:
    return [found.code for found in look(root)]


def of(root: Path, code: str) -> Finding:
    """The one finding of that code."""
    same = [found for found in look(root) if found.code == code]
    assert len(same) == 1, look(root)
    return same[0]


def fixed(root: Path, *, cwd: Path | None = None) -> Report:
    return mend(place(root, cwd=cwd))


def told(report: Report, code: str) -> str:
    """What was done about the one finding of that code, or `REFUSED: why`."""
    same = [one for one in report.mended if one.finding.code == code]
    assert len(same) == 1, report.mended
    return same[0].done or f"REFUSED: {same[0].refused}"


def milestone_worktree(root: Path, mid: str = "M001") -> Path:
    where = root / ".gsd" / "worktrees" / mid
    run_git(root, "worktree", "add", "-q", "-b", f"milestone/{mid}", str(where))
    return where


def land(root: Path, mid: str = "M001") -> str:
    """Squash the milestone's branch onto main, as auto mode does."""
    tip = head(root, f"milestone/{mid}")
    run_git(root, "merge", "--squash", "-q", f"milestone/{mid}")
    message = f"feat({mid}): Feed store\n\n{MILESTONE}: {mid}\n{BRANCH}: milestone/{mid}\n{TIP}: {tip}\n"
    run_git(root, "commit", "-qm", message)
    (root / ".git" / "SQUASH_MSG").unlink(missing_ok=True)
    return head(root)
