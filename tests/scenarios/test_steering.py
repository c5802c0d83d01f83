"""Steering while it runs: an order reaches the session at work, and the plan after it."""

import pytest

from milepost.testing import projects
from scenarios.stage import DONE, INTERRUPTED, Stage, finish, wait_until

TASK = "execute-task/M001/S01/T01"
REWRITE = "rewrite-docs/M001/S01"


def resolving() -> list[projects.Step]:
    """What an honest agent does with one order."""
    edit = projects.tool("edit", path=".gsd/OVERRIDES.md", old="**Scope:** active", new="**Scope:** resolved")
    return [projects.usage(micro_usd=1_000), edit, projects.say("Done.")]


@pytest.mark.covers("command:steer", "unit:rewrite-docs")
@pytest.mark.spec(id="PR-244")
def test_an_order_is_said_to_the_session_and_worked_into_the_plan(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [projects.usage(micro_usd=1_000), projects.hang()])
    run = stage.start()
    wait_until(lambda: stage.attempts("M001/S01/T01") == 1)
    wait_until(lambda: stage.prompts("M001-S01-T01"))
    said = stage.gsd("steer", "write in capitals").require(DONE)
    assert "the session that runs is told now" in said.out
    wait_until(lambda: stage.events("steered"), seconds=60)
    [event] = stage.events("steered")
    assert (event["why"], event["text"]) == ("person", "write in capitals")
    stage.gsd("stop").require(DONE)
    finish(run)
    assert run.returncode == INTERRUPTED

    stage.script = [*projects.sessions(), projects.session(REWRITE, *resolving())]
    stage.auto().require(DONE)
    order = [str(e["kind"]) for e in stage.events("attempt-started")]
    assert order == ["execute-task", "rewrite-docs", "execute-task", "complete-slice", "complete-milestone"]
    assert "1. write in capitals" in stage.prompts("M001-S01")[0]
    assert stage.git("show", "main:.gsd/OVERRIDES.md").count("**Scope:** resolved") == 1
    stage.require_landed()


@pytest.mark.covers("command:steer")
def test_what_the_prompt_holds_already_is_not_said_again(stage: Stage) -> None:
    stage.make()
    assert stage.gsd("steer", "write in capitals").code == DONE
    stage.script.append(projects.session(REWRITE, projects.usage(micro_usd=1), {"sleep": 1.0}, *resolving()))
    stage.auto().require(DONE)
    assert stage.events("steered") == []
    assert stage.attempts("M001/S01") == 2  # the order, and the slice's end


@pytest.mark.covers("command:knowledge")
def test_a_row_of_knowledge_joins_those_of_the_agent(stage: Stage) -> None:
    """Both write KNOWLEDGE.md, one in the root and one in the worktree; the merge keeps the rows of both."""
    stage.make()
    (stage.state / "KNOWLEDGE.md").write_text(
        "# Project Knowledge\n\n## Rules\n\n| # | Scope | Rule | Why | Added |\n|---|---|---|---|---|\n"
    )
    stage.git("add", "-f", ".gsd/KNOWLEDGE.md")
    stage.git("commit", "-qm", "knowledge")
    rows = "# Project Knowledge\n\n## Rules\n\n| # | Scope | Rule | Why | Added |\n|---|---|---|---|---|\n| K001 | M001 | of the agent | — | unit |\n"
    write = projects.tool("write", path=".gsd/KNOWLEDGE.md", content=rows)
    stage.replay(TASK, [*projects.steps(TASK), {"sleep": 1.5}, write])
    run = stage.start()
    wait_until(lambda: stage.attempts("M001/S01/T01") == 1)
    stage.gsd("knowledge", "rule", "of the person").require(DONE)
    finish(run).require(DONE)
    text = stage.git("show", "main:.gsd/KNOWLEDGE.md")
    assert "of the agent" in text
    assert "of the person" in text
    assert stage.git("status", "--porcelain") == ""
