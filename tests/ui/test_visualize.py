"""`gsd visualize`: tree, dependencies, timeline."""

from pathlib import Path

import pytest

from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.ui.cli.main import main
from milepost.ui.views import visual
from ui.circumstances import PLAN, attempt, began, here

Out = pytest.CaptureFixture[str]


def test_the_tree() -> None:
    assert visual.tree(PLAN) == [
        "[>] M001: Feed store  0/2 slices, 1/3 tasks, not discussed",
        "    [ ] S01: Core  1/2 tasks",
        "        [x] T01: Read",
        "        [ ] T02: Write",
        "    [ ] S02: Fetch (needs S01)  0/1 tasks",
        "        [ ] T01: Loop",
        "[ ] M002: Sync  not discussed",
        "[-] M003: Later  not discussed",
    ]


@pytest.mark.spec(id="PR-224")
def test_counts_of_tasks_and_what_was_discussed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    projects.tiny(tmp_path / "p", milestones=("M001", "M002", "M003"))
    plan = tmp_path / "p/.gsd/milestones"
    (plan / "M001/M001-CONTEXT.md").write_text("# M001: Small files\n\nWhat is wanted.\n")
    (plan / "M002/M002-CONTEXT.md").unlink(missing_ok=True)
    (plan / "M002/M002-CONTEXT-DRAFT.md").write_text("# M002: Later\n\nAn idea.\n")
    (plan / "M003/M003-CONTEXT.md").unlink(missing_ok=True)
    monkeypatch.chdir(tmp_path / "p")
    assert told(capsys, "M001:") == "0/1 slices, 0/1 tasks, discussed"
    assert told(capsys, "M002:").endswith(", draft")
    assert told(capsys, "M003:").endswith(", not discussed")
    assert told(capsys, "S01:") == "0/1 tasks"
    (tmp_path / "p/.gsd/PREFERENCES.md").write_text("---\nphases:\n  require_slice_discussion: true\n---\n")
    assert told(capsys, "S01:") == "0/1 tasks, not discussed"
    (plan / "M001/slices/S01/S01-CONTEXT.md").write_text("# S01\n\nSettled.\n")
    assert told(capsys, "S01:") == "0/1 tasks, discussed"


def told(capsys: Out, name: str) -> str:
    """What `gsd visualize tree` says of the first line that begins with a name, behind its title."""
    assert main(["visualize", "tree"], "gsd") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if f"] {name}" in line)
    return line.rpartition("  ")[2]


def test_who_waits_for_whom() -> None:
    assert visual.dependencies(PLAN) == ["M001/S02 ← S01", "M002 ← M001"]


def test_when_it_ran() -> None:
    text = visual.story(here([began(), *attempt("a")]), 80)
    assert text.splitlines()[1].startswith("M001  ")
    assert "1 unit: 30 s of work in 30 s." in text


@pytest.mark.covers("command:visualize")
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    projects.tiny(tmp_path / "p", milestones=("M001", "M002"), depends={"M002": ["M001"]})
    monkeypatch.chdir(tmp_path / "p")
    assert main(["visualize"], "gsd") == 0
    out = capsys.readouterr().out
    assert "Tree\n\n[>] M001: Small files  0/1 slices, 0/1 tasks, discussed\n" in out
    assert "Dependencies\n\nM002 ← M001\n" in out
    assert out.endswith("Timeline\n\nNothing has run yet.\n")
    for event in [began(), *attempt("a")]:
        Journal(tmp_path / "p/.gsd", "project").append(event)
    assert main(["visualize", "time"], "gsd") == 0
    assert capsys.readouterr().out.startswith("Timeline\n\n")
    assert main(["visualize", "colours"], "gsd") == 1
    assert "is none of tree, dependencies, timeline" in capsys.readouterr().err
