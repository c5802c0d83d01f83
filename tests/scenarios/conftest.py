from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.fleet_stage import FleetStage, fleet_stage
from scenarios.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An empty stage: `stage.make()` makes the project."""
    return Stage(root=tmp_path / "project")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FleetStage]:
    """An empty stage for a fleet: `fleet.plan()` makes the project."""
    with fleet_stage(tmp_path / "project") as found:
        yield found
