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


def test_a_draft_is_no_milestone_that_will_begin_by_itself(project: Path) -> None:
    assert "gsd discuss M002" in run("queue", "add", "--draft", "Search", cwd=project).out
    assert run("queue", cwd=project).out.endswith("2. M002 — Search — draft\n")
    assert [row["draft"] for row in json.loads(run("queue", "--json", cwd=project).out)] == [False, True]
    (project / ".gsd/milestones/M002/M002-CONTEXT.md").write_text("# M002: Search\n\nSettled.\n")
    assert run("queue", cwd=project).out.endswith("2. M002 — Search — pending\n")


def test_no_milestone_is_named_twice(project: Path) -> None:
    ran = run("queue", "order", "M001", "M001", cwd=project)
    assert (ran.code, ran.out) == (2, "")
    assert "M001 is named more than once" in ran.err
    assert not (project / ".gsd/QUEUE-ORDER.json").exists()


def test_for_programs(project: Path) -> None:
    ran = run("queue", "--json", cwd=project)
    assert json.loads(ran.out) == [
        {"id": "M001", "title": "Small files", "status": "active", "draft": False, "waitsFor": []}
    ]
