"""`--answers FILE`: a run without a person is told what its sessions ask, and has the keys that its tasks need."""

import json
import subprocess
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios import idea
from scenarios.stage import BLOCKED, DONE, ERROR, Ran, Stage

DRAFT = "# M001: Feeds\n\nA feed reader that works offline.\n"
QUESTIONS = (
    idea.ask("Which database?", "SQLite", "PostgreSQL"),
    idea.ask("Whose feeds?"),
    idea.ask("Which licence?", "MIT", "GPL"),
)
MANIFEST = "# Secrets\n\n### SEARCH_API_KEY\n\n**Service:** Search\n**Status:** pending\n"
KEY = "qk9-ZZtop-11xx22"
OTHER = "nobody-asked-33"
TASK = "execute-task/M001/S01/T01"


@pytest.fixture
def talk(tmp_path: Path) -> Stage:
    """A draft to be discussed by a session that asks three questions."""
    stage = Stage(root=tmp_path / "project")
    projects.tiny(stage.root, milestones=(), preferences="---\n---\n")
    projects.write(stage.state, {"milestones/M001/M001-CONTEXT-DRAFT.md": DRAFT})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "draft")
    stage.script = [idea.talk(*QUESTIONS)]
    return stage


def answers(stage: Stage, text: object, *, mode: int = 0o600) -> str:
    path = stage.root.parent / "answers.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    path.chmod(mode)
    return str(path)


def discuss(stage: Stage, *words: str) -> Ran:
    return stage.gsd("headless", "discuss", "M001", "--agent", stage.agent(), *words)


def said(stage: Stage) -> list[tuple[object, object]]:
    return [(event["text"], event["by"]) for event in stage.events("answered")]


@pytest.mark.covers("command:headless discuss")
def test_a_file_answers_and_decides_the_rest(talk: Stage) -> None:
    file = answers(talk, {"questions": {"Which database?": "PostgreSQL", "2": "Ada's", "Which colour?": "red"}})
    ran = discuss(talk, "--answers", file).require(DONE)
    assert said(talk) == [
        ("PostgreSQL", "answers file"), ("Ada's", "answers file"), ("MIT", "answers file, first option"),
    ]  # fmt: skip
    assert "Answer (answers file): PostgreSQL" in talk.path("M001-DISCUSSION.md", where=talk.worktree).read_text()
    assert "nothing asked for 'Which colour?'" in ran.out


def test_what_nobody_answers_is_decided_by_the_agent(talk: Stage) -> None:
    file = answers(talk, {"questions": {"Which database?": "MySQL"}, "defaults": {"strategy": "cancel"}})
    ran = discuss(talk, "--answers", file).require(DONE)
    assert said(talk) == [("", ""), ("", ""), ("", "")]
    assert "'MySQL' is no option of 'Which database?'; its options: 'SQLite', 'PostgreSQL'" in ran.out


def test_what_is_no_option_falls_to_the_strategy(talk: Stage) -> None:
    discuss(talk, "--answers", answers(talk, {"questions": {"Which licence?": ["GPL", "BSD"]}})).require(DONE)
    assert said(talk)[2] == ("MIT", "answers file, first option")


def test_the_file_comes_before_whoever_supervises(talk: Stage) -> None:
    file = answers(talk, {"questions": {"Which database?": "SQLite"}, "defaults": {"strategy": "first_option"}})
    words = ("discuss", "M001", "--agent", talk.agent(), "--supervised", "--response-timeout", "0", "--answers", file)
    process = subprocess.Popen(
        talk.argv("headless", *words, "--events", "note"), cwd=talk.root, env=talk.environment({}),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    asked, kinds = [], set()
    for line in process.stdout:
        found = json.loads(line)
        kinds.add(found["type"])
        if found["type"] == "question":
            asked.append(found["text"])
            reply = {"id": found["id"], "text": "mine" if len(asked) == 1 else None}
            process.stdin.write(json.dumps(reply) + "\n")
            process.stdin.flush()
    process.communicate(timeout=60)
    assert process.returncode == DONE
    assert asked == ["Whose feeds?", "Which licence?"]
    assert said(talk) == [("SQLite", "answers file"), ("mine", "supervisor"), ("", "")]
    assert kinds == {"note", "question", "summary"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"questions": {\n"a": }}', ":2: not JSON"),
        ('{\n"question": {}}', ":2: 'question' is not known here"),
        (None, ""),
    ],
    ids=["no json", "unknown", "no file"],
)
def test_a_file_that_is_wrong_begins_nothing(text: str | None, why: str, tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project")
    stage.root.mkdir()
    stage.git("init", "-q", "-b", "main")
    file = answers(stage, text) if text else str(tmp_path / "none.json")
    words = ("--context-text", "A feed reader.", "--agent", "scripted:none")
    ran = stage.gsd("headless", "new-milestone", *words, "--answers", file).require(ERROR)
    assert f"{file}{why}" in ran.err
    assert not stage.state.exists()


@pytest.fixture
def needing(stage: Stage) -> Stage:
    stage.make()
    stage.path("M001-SECRETS.md").write_text(MANIFEST)
    stage.git("add", "-A", ".gsd/milestones")
    stage.git("commit", "-qm", "keys")
    printing = 'printf "%s" "${SEARCH_API_KEY:-none}/${OTHER_API_KEY:-none}"'
    stage.replay(TASK, [projects.tool("shell", command=f"{printing}; echo {KEY} >/dev/null"), *projects.steps(TASK)])
    return stage


def everything(stage: Stage) -> str:
    """All files of the project, and all that was ever committed."""
    files = (path for path in stage.root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return "\n".join(
        [*(path.read_bytes().decode("utf-8", "replace") for path in files), stage.git("log", "--all", "-p")]
    )


@pytest.mark.covers("command:headless auto", "command:secrets")
def test_keys_of_the_file_reach_the_tasks_and_no_record(needing: Stage) -> None:
    assert "SEARCH_API_KEY" in needing.gsd("headless", "auto", "--agent", needing.agent()).require(BLOCKED).out
    file = answers(needing, {"secrets": {"SEARCH_API_KEY": KEY, "OTHER_API_KEY": OTHER}}, mode=0o644)
    words = ("--agent", needing.agent(), "--answers", file, "--json", "--verbose")
    ran = needing.gsd("headless", "auto", *words).require(DONE)
    told = needing.transcript("M001-S01-T01")
    assert "[redacted: known value]/none" in told
    assert KEY not in ran.said + everything(needing)
    assert not (needing.root / ".env").exists()
    assert f"others can read it; chmod 600 {file}" in ran.err
    assert "· shell printf" in ran.err


def test_a_file_that_only_its_owner_reads_is_not_warned_of(needing: Stage) -> None:
    file = answers(needing, {"secrets": {"SEARCH_API_KEY": KEY}})
    assert "chmod" not in needing.gsd("headless", "next", "--dry-run", "--answers", file).err
