"""PROJECT.md says which milestones are done: ticked by the commit that lands one. Source: spec auto 2.2."""

from pathlib import Path

from scenarios.stage import DONE, Stage

LIST = "# Project\n\n## Milestone Sequence\n\n- [ ] M001: Small — one\n- [ ] M002: Small\n"


def _stage(tmp_path: Path) -> Stage:
    stage = Stage(root=tmp_path / "project").make(milestones=("M001", "M002"))
    (stage.state / "PROJECT.md").write_text(LIST)
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "project")
    return stage


def test_a_milestone_is_ticked_by_the_commit_that_lands_it(tmp_path: Path) -> None:
    stage = _stage(tmp_path)
    stage.auto("--max-units", "4")
    assert stage.log()[0].startswith("feat(M001): ")
    ticked = LIST.replace("[ ] M001", "[x] M001")
    assert stage.git("show", "main:.gsd/PROJECT.md") == ticked
    assert (stage.state / "PROJECT.md").read_text() == ticked
    stage.auto().require(DONE)
    assert stage.git("show", "main:.gsd/PROJECT.md") == ticked.replace("[ ] M002", "[x] M002")
    assert not stage.git("status", "--porcelain", "--untracked-files=no")


def test_a_list_that_somebody_edits_is_left_alone(tmp_path: Path) -> None:
    stage = _stage(tmp_path)
    stage.auto("--max-units", "1").require(DONE)
    (stage.state / "PROJECT.md").write_text(LIST + "- [ ] M003: Mine\n")
    stage.auto().require(DONE)
    assert "- [ ] M003: Mine\n" in (stage.state / "PROJECT.md").read_text()
    landing = stage.git("log", "--format=%H", "--grep=^feat(M001)", "main").strip()
    assert stage.git("show", f"{landing}:.gsd/PROJECT.md") == LIST
