"""A run of `gsd auto` makes its fresh worktree ready as a worker does: by its lock files, before anything is paid."""

import os
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios import idea
from scenarios.stage import BLOCKED, DONE, Stage

GATE = "test -f node_modules/made"
NPM = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\nmkdir -p node_modules && touch node_modules/made\n'


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A directory with an `npm` that notes how it was called."""
    projects.write(tmp_path, {"bin/npm": NPM})
    (tmp_path / "bin/npm").chmod(0o755)
    return tmp_path / "bin"


def made(tmp_path: Path, tools: Path, front: str = "", **shape: object) -> Stage:
    """A project with a lock file; its gates need what npm installs."""
    stage = Stage(root=tmp_path / "project", env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"})
    stage.make(preferences=projects.QUICK.replace("---\n", f"---\n{front}", 1), verify=GATE, **shape)
    projects.write(stage.root, {"package.json": "{}", "package-lock.json": "{}", ".gitignore": "node_modules/\n"})
    stage.git("add", "-A")
    stage.git("commit", "-qm", "lock")
    return stage


def calls(tools: Path) -> list[str]:
    path = tools / "calls"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.covers("command:auto")
def test_a_fresh_worktree_gets_its_dependencies_once(tmp_path: Path, tools: Path) -> None:
    stage = made(tmp_path, tools, tasks=2)
    stage.auto("--max-units", "1", "--no-sandbox").require(DONE)
    assert [call.split()[0] for call in calls(tools)] == ["ci"]
    stage.gsd("next", "--agent", stage.agent(), "--no-sandbox").require(DONE)
    assert len(calls(tools)) == 1
    assert [event["ok"] for event in stage.events("set-up")] == [True]
    assert not (stage.root / "node_modules").exists()


@pytest.mark.covers("key:parallel.setup_commands")
def test_the_settings_name_other_commands_or_none(tmp_path: Path, tools: Path) -> None:
    stage = made(tmp_path, tools, 'parallel: {setup_commands: ["mkdir -p node_modules", "touch node_modules/made"]}\n')
    stage.auto("--max-units", "1").require(DONE)
    assert calls(tools) == []
    other = made(tmp_path / "other", tools, "parallel: {setup_commands: []}\n")
    other.auto("--max-units", "1")
    assert calls(tools) == [] and not other.events("set-up")


@pytest.mark.covers("key:parallel.setup_commands")
def test_a_set_up_that_fails_is_said_and_costs_nothing(tmp_path: Path, tools: Path) -> None:
    stage = made(tmp_path, tools, 'parallel: {setup_commands: ["false"]}\n')
    ran = stage.auto().require(BLOCKED)
    assert "setting up M001 failed" in ran.said and "parallel.setup_commands" in ran.said
    assert stage.attempts() == 0


@pytest.mark.covers("key:git.isolation")
@pytest.mark.parametrize("isolation", ["branch", "none"])
def test_the_checkout_of_the_user_is_never_set_up(tmp_path: Path, tools: Path, isolation: str) -> None:
    stage = made(tmp_path, tools, f"git: {{isolation: {isolation}}}\n")
    projects.write(stage.root, {"node_modules/made": ""})
    stage.auto("--max-units", "1").require(DONE)
    assert calls(tools) == []


@pytest.mark.covers("command:headless new-milestone")
def test_a_discussion_does_not_wait_for_it_and_the_work_after_it_does(tmp_path: Path, tools: Path) -> None:
    """In one run: npm fails for as long as nobody has talked."""
    stage = Stage(root=tmp_path / "project", env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"})
    projects.tiny(stage.root, milestones=())
    projects.write(stage.root, {"package.json": "{}", "package-lock.json": "{}", ".gitignore": "node_modules/\n"})
    stage.git("add", "-A")
    stage.git("commit", "-qm", "lock")
    talked = projects.raw_shell("touch", str(tools / "talked"))
    stage.script = [idea.talk(more=(talked,)), *idea.build()]
    (tools / "npm").write_text(NPM.replace("echo", 'test -e "$(dirname "$0")/talked" || exit 1\necho', 1))
    words = ("headless", "new-milestone", "--auto", "--agent", stage.agent(), "--no-sandbox", "--context-text", "Read.")
    ran = stage.gsd(*words, "--until", "plan")
    assert ran.code == DONE, ran.said
    assert len(calls(tools)) == 1
