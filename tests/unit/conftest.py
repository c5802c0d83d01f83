"""A small project for units."""

from pathlib import Path

import pytest

from milepost.testing import projects


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One milestone, one slice, two tasks; committed on main, run-time files ignored."""
    root = tmp_path / "project"
    projects.tiny(root, tasks=2)
    exclude = root / ".git" / "info" / "exclude"
    exclude.write_text("".join(f".gsd/{name}\n" for name in ("worktrees/", "journal/", "activity/", "runtime/", "metrics.json", "auto.lock")))  # fmt: skip
    return root
