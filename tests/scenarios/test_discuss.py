"""Discussions of drafts and slices, with a person at the terminal and without. Source: spec auto 4.1, 7, 10.1."""

import json
import os
import pty
import subprocess
import threading
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios import idea
from scenarios.stage import BLOCKED, DONE, Stage

DRAFT = "# M001: Feeds\n\nA feed reader that works offline.\n"
SLICES = "---\nphases:\n  skip_research: true\n  skip_slice_research: true\n  require_slice_discussion: true\n---\n"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A project without a milestone."""
    stage = Stage(root=tmp_path / "project")
    projects.tiny(stage.root, milestones=(), preferences="---\n---\n")
    return stage


def _draft(stage: Stage) -> None:
    projects.write(stage.state, {"milestones/M001/M001-CONTEXT-DRAFT.md": DRAFT})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "draft")


def _typed(stage: Stage, args: list[str], lines: str) -> tuple[int, str]:
    """A command with a terminal, in which somebody types ahead."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        stage.argv(*args), cwd=stage.root, env=stage.environment({"TERM": "dumb"}), stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        try:
            while chunk := os.read(ours, 4096):
                shown.extend(chunk)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    os.write(ours, lines.encode())
    code = process.wait(timeout=120)
    reader.join(timeout=30)
    os.close(ours)
    return code, shown.decode(errors="replace")


@pytest.mark.covers("command:discuss", "unit:discuss-milestone")
def test_a_draft_halts_the_run_until_it_is_discussed(stage: Stage) -> None:
    _draft(stage)
    halted = stage.auto().require(BLOCKED)
    assert "gsd discuss M001" in halted.out
    stage.script = [idea.talk()]
    stage.gsd("discuss", "--agent", stage.agent()).require(DONE)
    assert "SQLite: nobody said" in stage.path("M001-CONTEXT.md", where=stage.worktree).read_text()
    stage.script += idea.build()
    stage.auto().require(DONE)
    stage.require_landed(before=len(stage.log()) - 1)
    again = stage.gsd("discuss", "M001", "--agent", stage.agent()).require(BLOCKED)
    assert "planned already" in again.err


@pytest.mark.covers("command:discuss")
def test_a_person_at_the_terminal_is_asked_and_answers(stage: Stage) -> None:
    _draft(stage)
    questions = (idea.ask("Which database?", "SQLite", "PostgreSQL"), idea.ask("Whose feeds?"), idea.ask("A third?"))
    stage.script = [idea.talk(*questions)]
    code, shown = _typed(stage, ["discuss", "M001", "--agent", stage.agent()], "2\nmy own\n\n")
    assert code == DONE, shown
    assert "? Which database?" in shown
    assert "2. PostgreSQL" in shown
    said = [(event["text"], event["by"]) for event in stage.events("answered")]
    assert said == [("PostgreSQL", "terminal"), ("my own", "terminal"), ("", "")]
    written = stage.path("M001-DISCUSSION.md", where=stage.worktree).read_text()
    assert "- Answer (terminal): PostgreSQL" in written


@pytest.mark.covers("command:headless discuss")
def test_headless_a_draft_is_discussed_with_what_was_assumed(stage: Stage) -> None:
    _draft(stage)
    stage.script = [idea.talk(idea.ask("Which database?", "SQLite", "PostgreSQL"))]
    ran = stage.gsd("headless", "discuss", "M001", "--agent", stage.agent()).require(DONE)
    assert json.loads(ran.out.splitlines()[-1])["type"] == "summary"
    assert "SQLite: nobody said" in stage.path("M001-CONTEXT.md", where=stage.worktree).read_text()
    assert stage.events("asked")
    assert [event["by"] for event in stage.events("answered")] in ([], [""])


@pytest.mark.covers("command:new-project", "command:new-milestone")
def test_a_new_project_asks_for_the_paragraph(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "new", script=[idea.talk()])
    stage.root.mkdir()
    code, shown = _typed(stage, ["new-project", "--agent", stage.agent()], "A feed reader.\nIt works offline.\n\n")
    assert code == DONE, shown
    assert "What do you want?" in shown
    assert "Milestone M001 ready." in shown
    assert stage.path("M001-CONTEXT-DRAFT.md").read_text().endswith("A feed reader.\nIt works offline.\n")
    assert stage.gsd("new-project", "More.").code == BLOCKED


@pytest.mark.spec(id="auto 10.1")
@pytest.mark.covers(
    "promise:slice-discussion", "key:phases.require_slice_discussion", "unit:discuss-slice", "command:discuss"
)
def test_a_slice_waits_until_it_was_discussed(stage: Stage) -> None:
    context = {
        "milestones/M001/M001-CONTEXT.md": "# M001: Feeds\n\nx\n",
        "milestones/M001/M001-ROADMAP.md": idea.ROADMAP,
    }
    projects.write(stage.state, context)
    stage.prefer(SLICES)
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "plan")
    stage.script = idea.build()
    halted = stage.auto().require(BLOCKED)
    assert "gsd discuss M001/S01" in halted.out
    assert stage.attempts() == 0
    home = f"{idea.BASE}/slices/S01"
    slice_context = "# S01: Feed storage — Context\n\n## Decisions\n\n- SQLite\n\n## Assumptions\n\n- DECIDED ALONE\n"
    stage.script.insert(
        0, projects.session("discuss-slice/M001/S01", idea.write(f"{home}/S01-CONTEXT.md", slice_context))
    )
    stage.gsd("discuss", "M001/S01", "--assume", "--agent", stage.agent()).require(DONE)
    stage.auto().require(DONE)
    assert [event["kind"] for event in stage.events("attempt-started")][:2] == ["discuss-slice", "plan-slice"]
    assert "DECIDED ALONE" in next(text for text in stage.prompts("M001-S01") if text.startswith("# Plan slice"))
    assert (stage.root / "feeds.txt").exists()


@pytest.mark.parametrize("what", ["M007", "M001/S09", "nothing/at/all"])
def test_what_is_not_there_is_not_discussed(stage: Stage, what: str) -> None:
    _draft(stage)
    assert stage.gsd("discuss", what).code != DONE
    assert stage.attempts() == 0


def test_a_discussion_before_another_milestone_lands_is_brought_up_to_date(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    projects.write(stage.state, {"milestones/M002/M002-CONTEXT-DRAFT.md": DRAFT.replace("M001", "M002")})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "draft")
    stage.script.append(idea.talk(mid="M002"))
    stage.gsd("discuss", "M002", "--agent", stage.agent()).require(DONE)
    assert stage.auto("--max-units", "4").code != DONE  # M002 has no plan in the script
    assert (stage.state / "worktrees" / "M002" / projects.product("M001", "S01", "T01")).is_file()
