"""A small project for the loop and what belongs to it."""

from pathlib import Path

import pytest

from milepost.testing import projects


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One milestone, one slice, one task, committed on main."""
    root = tmp_path / "project"
    projects.tiny(root)
    ignore_runtime(root)
    return root


def ignore_runtime(root: Path) -> None:
    names = ("worktrees/", "journal/", "activity/", "runtime/", "parallel/", "metrics.json", "auto.lock", "STATE.md")
    (root / ".git/info/exclude").write_text("".join(f".gsd/{name}\n" for name in names))
