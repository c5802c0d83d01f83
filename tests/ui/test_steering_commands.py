"""`gsd capture`, `gsd steer`, `gsd knowledge`: what they write, and from where."""

from pathlib import Path

import pytest

from milepost.formats import captures, overrides
from milepost.testing import projects
from ui.command import run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    projects.tiny(root)
    return root


@pytest.mark.covers("command:capture")
@pytest.mark.spec(id="PR-244")
@pytest.mark.parametrize(
    "words", [["add", "a", "retry"], ['"add a retry"'], ["add a  retry"]], ids=["bare", "quoted", "one"]
)
def test_a_thought_is_kept(project: Path, words: list[str]) -> None:
    ran = run("capture", *words, cwd=project)
    assert ran.code == 0, ran
    [entry] = captures.parse((project / ".gsd/CAPTURES.md").read_text())
    assert (entry.text, entry.status) == ("add a retry", "pending")
    assert ran.out == f"{entry.id}  add a retry\n"


@pytest.mark.covers("command:capture", "command:steer")
def test_from_inside_a_worktree_it_goes_to_the_root(project: Path) -> None:
    inside = project / ".gsd/worktrees/M001/src"
    inside.mkdir(parents=True)
    assert run("capture", "from there", cwd=inside).code == 0
    assert run("steer", "and this", cwd=inside).code == 0
    assert not (project / ".gsd/worktrees/M001/.gsd").exists()
    assert captures.parse((project / ".gsd/CAPTURES.md").read_text())[0].text == "from there"
    assert overrides.active((project / ".gsd/OVERRIDES.md").read_text())[0].change == "and this"


@pytest.mark.covers("command:steer")
def test_an_order_names_where_the_work_stood(project: Path) -> None:
    ran = run("/gsd steer", "use a queue", cwd=project)
    assert ran.code == 0, ran
    assert "when it goes on, the plan is brought in line" in ran.out
    [entry] = overrides.active((project / ".gsd/OVERRIDES.md").read_text())
    assert (entry.change, entry.applied_at) == ("use a queue", "M001/S01/T01")


@pytest.mark.covers("command:knowledge")
@pytest.mark.parametrize(
    ("words", "row"),
    [
        (["rule", "no tokens in logs"], "| K001 | global | no tokens in logs | — | manual |"),
        (["pattern", "one writer", "--scope", "M001"], "| P001 | one writer | — | M001 |"),
        (["lesson", "it hung", "--scope", "M001/S02"], "| L001 | it hung | — | — | M001/S02 |"),
    ],
    ids=["rule", "pattern", "lesson"],
)
def test_knowledge_rows(project: Path, words: list[str], row: str) -> None:
    ran = run("knowledge", *words, cwd=project)
    assert ran.code == 0, ran
    assert row in (project / ".gsd/KNOWLEDGE.md").read_text().splitlines()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["capture"], "capture wants some words"),
        (["steer", "''"], "steer wants some words"),
        (["knowledge", "fact", "x"], "invalid choice"),
        (["knowledge", "rule", "x", "--scope", "../x"], "is not a milestone id"),
    ],
    ids=["capture", "steer", "kind", "scope"],
)
def test_bad_input(project: Path, words: list[str], says: str) -> None:
    ran = run(*words, cwd=project)
    assert ran.code == 1
    assert says in ran.err
    assert not list((project / ".gsd").glob("*S.md.*"))
