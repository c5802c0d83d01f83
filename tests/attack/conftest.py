from pathlib import Path

import pytest

from scenarios.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An empty stage: `stage.make()` makes the project."""
    return Stage(root=tmp_path / "project")
