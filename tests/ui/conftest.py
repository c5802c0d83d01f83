"""A small project to type commands in."""

from pathlib import Path

import pytest

from fleet import stand
from milepost.testing import projects

fleet = pytest.fixture(stand.project, name="fleet")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One milestone, one slice, one task; the current directory."""
    root = tmp_path / "project"
    projects.tiny(root)
    monkeypatch.chdir(root)
    return root
