"""From one paragraph to a milestone, in places where there is nothing yet. Source: spec auto 7, 7.1; PR-222."""

import json
from pathlib import Path

import pytest

from milepost.rules import limits
from milepost.testing import projects
from scenarios import idea
from scenarios.stage import BLOCKED, DONE, ERROR, Stage


@pytest.fixture
def empty(tmp_path: Path) -> Stage:
    """A directory with nothing in it."""
    root = tmp_path / "project"
    root.mkdir()
    return Stage(root=root, script=[idea.talk()])


def _new(stage: Stage, *args: str, **env: str) -> tuple[int, dict[str, object]]:
    ran = stage.gsd("headless", "new-milestone", "--agent", stage.agent(), *args, **env)
    summary = json.loads(ran.out.splitlines()[-1])
    assert summary["exitCode"] == ran.code, ran.said
    return ran.code, summary


@pytest.mark.spec(id="PR-222")
@pytest.mark.covers("command:headless new-milestone", "command:new-milestone", "unit:discuss-milestone")
def test_a_paragraph_in_an_empty_directory_becomes_merged_code(empty: Stage) -> None:
    empty.script += idea.build()
    code, summary = _new(empty, "--context-text", idea.IDEA, "--auto")
    assert code == DONE, summary
    assert (empty.root / "feeds.txt").read_text() == "feed\n"
    assert empty.log()[0].startswith("feat(M001): Feed reader")
    assert "It works offline." in empty.prompts("M001")[0]
    assert "It works offline." in empty.path("M001-CONTEXT-DRAFT.md").read_text()
    assert "SQLite: nobody said" in empty.path("M001-CONTEXT.md").read_text()
    assert empty.attempts() == 8


@pytest.mark.spec(id="PR-222")
@pytest.mark.covers("command:headless new-milestone")
def test_without_auto_it_ends_when_the_milestone_is_ready(empty: Stage) -> None:
    (empty.root.parent / "idea.md").write_text(f"# Feeds at home\n\n{idea.IDEA}\n")
    code, summary = _new(empty, "--context", "../idea.md")
    assert (code, summary["reason"], summary["units"]) == (DONE, "Milestone M001 ready.", 1)
    assert empty.path("M001-CONTEXT-DRAFT.md").read_text().startswith("# M001: Feeds at home\n\nA command line")
    assert [event["kind"] for event in empty.events("attempt-started")] == ["discuss-milestone"]
    assert not (empty.state / "runtime" / "headless-context.md").exists()


def test_a_question_that_nobody_answers_is_written_down(empty: Stage) -> None:
    empty.script = [idea.talk(idea.ask("Which database?", "SQLite", "PostgreSQL"))]
    assert _new(empty, "--context-text", idea.IDEA)[0] == DONE
    (asked,), (answered,) = empty.events("asked"), empty.events("answered")
    assert (asked["text"], asked["options"]) == ("Which database?", ["SQLite", "PostgreSQL"])
    assert (answered["question"], answered["by"]) == (asked["question"], "")
    assert "Nobody is here to answer" in empty.transcript("M001")
    said = empty.path("M001-DISCUSSION.md", where=empty.worktree).read_text()
    assert "## M001: Which database?" in said
    assert "nobody was there" in said


def test_a_context_without_assumptions_goes_back_to_the_agent(empty: Stage) -> None:
    path = f"{idea.BASE}/M001-CONTEXT.md"
    bare = {"unit": "discuss-milestone/M001", "steps": [idea.write(path, "# M001: Feeds\n\nFeeds.\n")]}
    empty.script = [bare, idea.talk()]
    assert _new(empty, "--context-text", idea.IDEA)[0] == DONE
    assert "## Assumptions" in empty.prompts("M001")[1]
    assert empty.attempts("M001") == 2


def test_a_discussion_that_used_up_its_attempts_is_not_sent_to_auto_mode(empty: Stage) -> None:
    empty.script = [{"unit": "*", "steps": [{"text": "no"}]}]
    code, summary = _new(empty, "--context-text", idea.IDEA)
    assert code == BLOCKED
    assert str(summary["hint"]).endswith("then gsd discuss M001 --retry")
    empty.script = [idea.talk()]
    empty.gsd("discuss", "M001", "--retry", "--assume", "--agent", empty.agent()).require(DONE)


def test_a_large_idea_becomes_several_milestones(empty: Stage) -> None:
    later = "# After M001\n\n## Reader UI\n\nA list.\n\n## Sync\n\n**Depends on:** Reader UI\n\nAll devices.\n"
    empty.script = [idea.talk(more=(idea.write(f"{idea.BASE}/M001-LATER.md", later),)), *idea.build()]
    code, summary = _new(empty, "--context-text", idea.IDEA, "--auto")
    assert (code, summary["hint"]) == (BLOCKED, "gsd discuss M002")
    assert (
        empty.path("M002-CONTEXT-DRAFT.md", "M002")
        .read_text()
        .startswith("---\ndepends_on: [M001]\n---\n# M002: Reader")
    )
    assert "depends_on: [M002]" in empty.path("M003-CONTEXT-DRAFT.md", "M003").read_text()
    assert "docs: queue M002, M003" in empty.log()
    assert len(empty.events("milestone-added")) == 3
    assert empty.gsd("queue").out.count("Reader UI") == 1


@pytest.mark.covers("key:unique_milestone_ids")
def test_ids_are_unique_when_that_is_wanted(empty: Stage) -> None:
    assert _new(empty, "--context-text", idea.IDEA)[0] == DONE
    empty.prefer("---\nunique_milestone_ids: true\n---\n")
    empty.script = [{"unit": "*", "steps": [{"text": "no"}]}]
    _new(empty, "--context-text", "Another thing.")
    (name,) = [path.name for path in (empty.state / "milestones").glob("M002*")]
    assert len(name) == len("M002-abc123")
    assert name in empty.gsd("queue").out


def test_files_that_no_worktree_would_have_are_not_passed_over(empty: Stage) -> None:
    (empty.root / "app.py").write_text("A = 1\n")
    code, summary = _new(empty, "--context-text", idea.IDEA)
    assert code == BLOCKED
    assert "app.py" in str(summary["reason"])
    assert not empty.state.exists()


@pytest.mark.parametrize("args", [(), ("--context-text", " "), ("--context-text", "x", "--context", "-")])
def test_nothing_said_is_an_error(empty: Stage, args: tuple[str, ...]) -> None:
    assert _new(empty, *args)[0] == ERROR
    assert not empty.state.exists()


def test_a_milestone_of_which_only_the_title_is_said_is_kept(empty: Stage) -> None:
    later = "# After M001\n\n## Reader UI\n\n## Sync\n\n**Depends on:** Reader UI\n\n## \n\nNo title.\n"
    empty.script = [idea.talk(more=(idea.write(f"{idea.BASE}/M001-LATER.md", later),)), *idea.build()]
    assert _new(empty, "--context-text", idea.IDEA)[0] == DONE
    drafts = [empty.path(f"{mid}-CONTEXT-DRAFT.md", mid).read_text() for mid in ("M002", "M003")]
    assert drafts == [
        "---\ndepends_on: [M001]\n---\n# M002: Reader UI\n\nReader UI\n",
        "---\ndepends_on: [M002]\n---\n# M003: Sync\n\nSync\n",
    ]
    assert len(empty.events("milestone-added")) == 3


ODD = {
    "binary": (b"\x7fELF\x02\x01\x01\0\0\0", "is no text: it has the control character"),
    "latin-1": ("Ein Leser für Nachrichten".encode("latin-1"), "is no UTF-8 text (byte 12)"),
    "utf-16": ("A reader.".encode("utf-16"), "is no UTF-8 text (byte 1)"),
    "large": (b"A feed reader. " * 350_000, "is larger than 200 kB"),
}


@pytest.mark.covers("command:headless new-milestone", "command:new-project", "command:queue add")
@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("words", ["headless new-milestone", "new-project", "queue add"])
def test_what_no_session_could_read_is_refused_before_anything_is_paid(empty: Stage, what: str, words: str) -> None:
    data, problem = ODD[what]
    (empty.root.parent / "idea.md").write_bytes(data)
    agent = () if "queue" in words else ("--agent", empty.agent())
    ran = empty.gsd(*words.split(), "--context", "../idea.md", *agent).require(ERROR)
    assert problem in ran.said
    assert not empty.state.exists()


@pytest.mark.covers("command:headless new-milestone")
def test_a_mark_of_byte_order_is_no_part_of_the_idea(empty: Stage) -> None:
    (empty.root.parent / "idea.md").write_text(idea.IDEA, "utf-8-sig")
    empty.script = [{"unit": "*", "steps": [{"text": "no"}]}]
    _new(empty, "--context", "../idea.md")
    assert "\ufeff" not in empty.path("M001-CONTEXT-DRAFT.md").read_text()


def test_without_a_model_nothing_is_written(empty: Stage) -> None:
    ran = empty.gsd("headless", "new-milestone", "--context-text", idea.IDEA)
    assert ran.code == ERROR
    assert "no model" in ran.said
    assert not list((empty.state / "milestones").glob("M*"))


def _torn(stage: Stage) -> None:
    """Let the session that plans the milestone leave a file behind which nobody can read."""
    stage.script[:] = [s for s in stage.script if s["unit"] != "plan-milestone/M001"]
    tear = 'printf "# M001\\0\\n" > .gsd/milestones/M001/M001-ROADMAP.md'
    stage.script.append(projects.session("plan-milestone/M001", projects.raw_shell("sh", "-c", tear), projects.say("Done.")))  # fmt: skip # noqa: E501


@pytest.mark.covers("command:headless new-milestone", "promise:restart-backoff")
def test_what_dies_after_the_discussion_is_begun_again_as_an_auto_mode(empty: Stage) -> None:
    empty.script += idea.build()
    _torn(empty)
    ran = empty.gsd("headless", "new-milestone", "--events", "restart", "--agent", empty.agent(), "--context-text", idea.IDEA, "--auto", "--max-restarts", "2", **{limits.SCALE: "0.001"})  # fmt: skip # noqa: E501
    found = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    assert [line["number"] for line in found if line["type"] == "restart"] == [1, 2], ran.said
    assert [line["type"] for line in found] == ["restart", "restart", "summary"], "it keeps its options"
    assert (found[-1]["exitCode"], found[-1]["restarts"]) == (ERROR, 2)
    assert [e["command"] for e in empty.events("run-started")] == ["new-milestone", "auto", "auto"]
    assert [p.name for p in (empty.state / "milestones").iterdir()] == ["M001"], "the idea was added once"
    assert empty.attempts("M001") > 0
    assert not (empty.state / "runtime" / "headless-context.md").exists()
