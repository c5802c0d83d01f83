"""`--supervised`: a program shows a session's questions and sends the answers. Source: spec auto 7.1."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios import idea
from scenarios.stage import DONE, ERROR, Stage

DRAFT = "# M001: Feeds\n\nA feed reader that works offline.\n"
QUESTIONS = (idea.ask("Which database?", "SQLite", "PostgreSQL"), idea.ask("Whose feeds?"))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[tuple[Stage, "subprocess.Popen[str]"]]:
    """A discussion of a draft, with pipes at both ends."""
    stage = Stage(root=tmp_path / "project")
    projects.tiny(stage.root, milestones=(), preferences="---\n---\n")
    projects.write(stage.state, {"milestones/M001/M001-CONTEXT-DRAFT.md": DRAFT})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "draft")
    stage.script = [idea.talk(*QUESTIONS)]
    process = subprocess.Popen(
        stage.argv("discuss", "M001", "--supervised", "--response-timeout", "0", "--agent", stage.agent()),
        cwd=stage.root,
        env=stage.environment({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    yield stage, process
    process.kill()
    process.communicate()


def _question(process: "subprocess.Popen[str]") -> dict[str, object]:
    assert process.stdout is not None
    for line in process.stdout:
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("type") == "question":
            found: dict[str, object] = record
            return found
    raise AssertionError("it ended without a question")


def _reply(process: "subprocess.Popen[str]", line: object) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line if isinstance(line, str) else json.dumps(line)}\n")
    process.stdin.flush()


def _said(stage: Stage) -> list[tuple[object, object]]:
    return [(event["text"], event["by"]) for event in stage.events("answered")]


@pytest.mark.covers("command:discuss")
def test_questions_and_answers_are_lines_of_json(run: tuple[Stage, "subprocess.Popen[str]"]) -> None:
    stage, process = run
    first = _question(process)
    assert (first["text"], first["options"]) == ("Which database?", ["SQLite", "PostgreSQL"])
    for line in ("no json", "[]", {"id": "77", "text": "to nobody"}, {"id": first["id"], "text": "PostgreSQL"}):
        _reply(process, line)
    _reply(process, {"id": _question(process)["id"], "text": None})
    process.communicate(timeout=60)
    assert process.returncode == DONE
    assert _said(stage) == [("PostgreSQL", "supervisor"), ("", "")]


@pytest.mark.covers("command:headless discuss")
def test_an_answer_that_does_not_come_in_time_lets_the_agent_decide(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project")
    projects.tiny(stage.root, milestones=(), preferences="---\n---\n")
    projects.write(stage.state, {"milestones/M001/M001-CONTEXT-DRAFT.md": DRAFT})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "draft")
    stage.script = [idea.talk(*QUESTIONS)]
    words = ("--supervised", "--response-timeout", "50", "--agent", stage.agent(), "M001")
    process = subprocess.Popen(
        stage.argv("headless", "discuss", *words), cwd=stage.root, env=stage.environment({}), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    told = [json.loads(line) for line in process.stdout]  # Its standard input stays open, and says nothing.
    process.communicate(timeout=60)
    assert process.returncode == DONE
    kinds = [(each["type"], each["id"]) for each in told if each["type"].startswith("question")]
    assert kinds == [("question", "1"), ("question-withdrawn", "1"), ("question", "2"), ("question-withdrawn", "2")]
    assert _said(stage) == [("", ""), ("", "")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("auto", "--response-timeout", "5"), "goes with --supervised"),
        (("headless", "auto", "--supervised", "--response-timeout", "soon"), "must be a whole number"),
        (("headless", "new-milestone", "--supervised", "--context", "-"), "--context cannot be -"),
    ],
    ids=["alone", "no number", "one pipe"],
)
def test_what_does_not_go_together(words: tuple[str, ...], why: str, tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project")
    projects.tiny(stage.root)
    assert why in stage.gsd(*words).require(ERROR).err


def test_who_goes_away_lets_the_agent_decide(run: tuple[Stage, "subprocess.Popen[str]"]) -> None:
    stage, process = run
    _question(process)
    process.communicate(timeout=60)  # which closes its standard input
    assert process.returncode == DONE
    assert _said(stage) == [("", ""), ("", "")]
