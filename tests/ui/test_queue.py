"""`gsd queue`, as a person types it after a start that found nothing to do."""

import json
from pathlib import Path

import pytest

from milepost.testing import projects
from ui.command import run, said_at


@pytest.mark.spec(id="PR-191")
@pytest.mark.spec(id="PR-212")
@pytest.mark.parametrize("words", [("queue",), ("/queue",), ("/gsd queue",)])
def test_status_and_dependency_chains(words: tuple[str, ...], tmp_path: Path) -> None:
    projects.tiny(tmp_path / "p", milestones=("M001", "M002", "M003"), depends={"M002": ["M001"], "M003": ["M002"]})
    before = said_at(tmp_path / "p")
    ran = run(*words, cwd=tmp_path / "p")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "# Queue\n\n1. M001 — Small files — active\n2. M002 — Small files — pending — waits for M001\n"
        "3. M003 — Small files — pending — waits for M002 → M001\n"
    )
    assert said_at(tmp_path / "p") == before


def test_for_programs(project: Path) -> None:
    ran = run("queue", "--json", cwd=project)
    assert json.loads(ran.out) == [{"id": "M001", "title": "Small files", "status": "active", "waitsFor": []}]
