"""Sessions to test with: a directory that is a repository, a state directory, an environment."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.agents.session import SessionSpec, ToolPolicy
from milepost.model.units import Unit, UnitKind

MakeSpec = Callable[..., SessionSpec]


@pytest.fixture
def anyio_backend() -> str:
    """What the product runs on."""
    return "asyncio"


@pytest.fixture
def make_spec(repo: Path, tmp_path: Path) -> MakeSpec:
    """A spec on a fresh repository; any field can be given."""
    (repo / ".gsd/milestones/M001").mkdir(parents=True)
    (repo / ".gsd/milestones/M002").mkdir()

    def make(**fields: object) -> SessionSpec:
        given: dict[str, object] = {
            "unit": Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01"),
            "cwd": repo,
            "system": "You write software.",
            "prompt": "Do the task.",
            "models": ("local/test-model",),
            "policy": ToolPolicy.ALL,
            "state_dir": ".gsd",
            "env": {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
            "output_dir": tmp_path / "outputs",
        }
        return SessionSpec(**{**given, **fields})  # type: ignore[arg-type]

    return make
