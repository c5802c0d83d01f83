"""Questions that are sent to a channel and answered there; and what becomes of those that nobody answers."""

import json
from pathlib import Path

import pytest

from milepost.rules import limits
from milepost.testing import projects
from scenarios import idea
from scenarios.chat import CHANNEL, TOKEN, Chat
from scenarios.receiver import Receiver
from scenarios.stage import DONE, Stage

KINDS = ("slack", "discord", "telegram")
DRAFT = "# M001: Feeds\n\nA feed reader that works offline.\n"
DATABASE = idea.ask("Which database?", "SQLite", "PostgreSQL")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A project with a draft."""
    stage = Stage(root=tmp_path / "project")
    projects.tiny(stage.root, milestones=(), preferences="---\n---\n")
    projects.write(stage.state, {"milestones/M001/M001-CONTEXT-DRAFT.md": DRAFT})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "draft")
    return stage


def prefer(stage: Stage, kind: str, **more: object) -> None:
    settings = {
        "channel": kind,
        "channel_id": f"'{CHANNEL}'",
        "timeout_minutes": 30,
        "poll_interval_seconds": 2,
        **more,
    }
    lines = "".join(f"  {key}: {value}\n" for key, value in settings.items() if value is not None)
    stage.prefer(f"---\nremote_questions:\n{lines}---\n")


def discuss(
    stage: Stage, chat: Chat, *questions: projects.Step, args: tuple[str, ...] = (), scale: str = "0.02"
) -> str:
    """Headless, with nobody at a terminal. scale: of our waiting; 0.02 makes half a minute of half an hour."""
    stage.script = [idea.talk(*questions)]
    env = {**chat.env, limits.SCALE: scale}
    return stage.gsd("headless", "discuss", "M001", "--agent", stage.agent(), *args, **env).require(DONE).said


def answered(stage: Stage) -> list[tuple[object, object]]:
    return [(event["text"], event["by"]) for event in stage.events("answered")]


@pytest.mark.covers("key:remote_questions.channel", "key:remote_questions.channel_id")
@pytest.mark.parametrize("kind", KINDS)
def test_a_question_is_answered_in_the_channel(stage: Stage, kind: str) -> None:
    prefer(stage, kind)
    with Chat(kind, ["2", "both & <all>"]).listening() as chat:
        said = discuss(stage, chat, DATABASE, idea.ask("Whose feeds?"))
    assert answered(stage) == [("PostgreSQL", kind), ("both & <all>", kind)]
    written = stage.path("M001-DISCUSSION.md", where=stage.worktree).read_text()
    assert f"- Answer ({kind}): PostgreSQL" in written
    first, taken = chat.texts[:2]
    assert first.startswith("project asks:\nWhich database?\n1. SQLite\n2. PostgreSQL\n")
    assert "within 30 min" in first and taken == "Taken: PostgreSQL"
    assert all(TOKEN in token for token in chat.tokens)
    assert TOKEN not in said + json.dumps(stage.events())


@pytest.mark.covers("key:remote_questions.timeout_minutes", "key:remote_questions.poll_interval_seconds")
@pytest.mark.parametrize(("minutes", "every", "looks"), [(1, 30, 2), (1, 20, 3), (2, 30, 4)])
def test_nobody_answers(stage: Stage, minutes: int, every: int, looks: int) -> None:
    prefer(stage, "slack", timeout_minutes=minutes, poll_interval_seconds=every)
    with Chat("slack").listening() as chat:
        discuss(stage, chat, DATABASE, scale="0.001")
    assert chat.looks == looks
    assert f"within {minutes} min" in chat.texts[0]
    assert chat.texts[1] == "Nobody answered; the agent decides."
    assert answered(stage) == [("", "")]
    assert "nobody was there" in stage.path("M001-DISCUSSION.md", where=stage.worktree).read_text()
    assert "Which database?" in stage.gsd("inbox").said


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_that_is_busy_is_left_alone_for_a_while(stage: Stage, kind: str) -> None:
    prefer(stage, kind)
    with Chat(kind, ["1"]).listening() as chat:
        chat.busy = 2
        discuss(stage, chat, DATABASE)
    assert answered(stage) == [("SQLite", kind)]
    assert chat.looks == 3


@pytest.mark.parametrize("reason", ["not_in_channel", "redirect"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_that_cannot_be_used_is_nobody_and_is_shown(stage: Stage, kind: str, reason: str) -> None:
    prefer(stage, kind)
    with Chat(kind, ["1"]).listening() as chat:
        chat.broken = reason
        said = discuss(stage, chat, DATABASE)
    assert answered(stage) == [("", "")]
    (noted,) = stage.events("notified")
    assert (noted["target"], noted["ok"]) == (kind, False)
    assert ("not_in_channel" if reason == "not_in_channel" else "302") in str(noted["error"])
    assert f"{kind} was not reached" in stage.gsd("inbox").said
    assert TOKEN not in said + json.dumps(stage.events())
    assert len(chat.tokens) == 1, "the token goes nowhere else"


def test_another_chat_is_not_listened_to(stage: Stage) -> None:
    prefer(stage, "telegram", timeout_minutes=1, poll_interval_seconds=30)
    with Chat("telegram").listening() as chat:
        chat.noise = [{"bot": False, "under": "1001", "text": "1", "chat": "42"}]
        discuss(stage, chat, DATABASE, scale="0.001")
    assert answered(stage) == [("", "")]


@pytest.mark.parametrize("missing", ["token", "channel_id"])
def test_half_a_setting_is_said(stage: Stage, missing: str) -> None:
    prefer(stage, "discord", **({"channel_id": None} if missing == "channel_id" else {}))
    with Chat("discord", ["1"]).listening() as chat:
        env = {} if missing == "token" else chat.env
        stage.script = [idea.talk(DATABASE)]
        said = stage.gsd("headless", "discuss", "M001", "--agent", stage.agent(), **env).require(DONE).said
    assert ("DISCORD_BOT_TOKEN is not set" if missing == "token" else "remote_questions.channel_id is not set") in said
    assert chat.posted == [] and answered(stage) == [("", "")]


def test_nobody_is_asked_who_said_assume(stage: Stage) -> None:
    prefer(stage, "slack")
    with Chat("slack", ["1"]).listening() as chat:
        discuss(stage, chat, DATABASE, args=("--assume",))
    assert chat.posted == [] and answered(stage) in ([], [("", "")])


@pytest.mark.covers("key:notifications.on_attention")
def test_a_question_that_waits_is_also_a_notice(stage: Stage) -> None:
    prefer(stage, "slack")
    with Chat("slack", ["1"]).listening() as chat, Receiver().listening() as receiver:
        stage.env["GSD_NOTIFY_URLS"] = receiver.url
        discuss(stage, chat, DATABASE)
    (told,) = receiver.said("M001 asks")
    assert told["type"] == "warning" and "2. PostgreSQL" in told["message"]


def test_the_bots_token_may_be_kept_by_gsd_keys(stage: Stage, private_machine: Path) -> None:
    prefer(stage, "slack")
    keys = private_machine / ".gsd" / "keys"
    keys.parent.mkdir(exist_ok=True)
    keys.write_text(f"SLACK_BOT_TOKEN={TOKEN}\n")
    keys.chmod(0o600)
    stage.script = [idea.talk(DATABASE)]
    with Chat("slack", ["1"]).listening() as chat:
        env = {"SLACK_API_URL": chat.env["SLACK_API_URL"], limits.SCALE: "0.02"}
        stage.gsd("headless", "discuss", "M001", "--agent", stage.agent(), **env).require(DONE)
    assert answered(stage) == [("SQLite", "slack")]
