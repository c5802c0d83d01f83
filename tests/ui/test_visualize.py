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
        "[>] M001: Feed store  0/2 slices",
        "    [ ] S01: Core",
        "        [x] T01: Read",
        "        [ ] T02: Write",
        "    [ ] S02: Fetch (needs S01)",
        "        [ ] T01: Loop",
        "[ ] M002: Sync",
        "[-] M003: Later",
    ]


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
    assert "Tree\n\n[>] M001: Small files  0/1 slices\n" in out
    assert "Dependencies\n\nM002 ← M001\n" in out
    assert out.endswith("Timeline\n\nNothing has run yet.\n")
    for event in [began(), *attempt("a")]:
        Journal(tmp_path / "p/.gsd", "project").append(event)
    assert main(["visualize", "time"], "gsd") == 0
    assert capsys.readouterr().out.startswith("Timeline\n\n")
    assert main(["visualize", "colours"], "gsd") == 1
    assert "is none of tree, dependencies, timeline" in capsys.readouterr().err
