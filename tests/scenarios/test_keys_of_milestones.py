"""A milestone that needs keys from outside does not begin its tasks without them, and says where to get them."""

import json
import subprocess

import pytest

from scenarios.stage import BLOCKED, DONE, ERROR, Stage

MANIFEST = """\
# Secrets

**Milestone:** M001
**Generated:** 2026-03-17T10:00:00Z

### STRIPE_KEY

**Service:** Stripe
**Dashboard:** https://dashboard.stripe.com/apikeys
**Format hint:** starts with sk_
**Status:** pending
**Destination:** dotenv

1. Open the dashboard
2. Create a key
"""
VALUE = "sk_x y'z"


@pytest.fixture
def needing(stage: Stage) -> Stage:
    stage.make()
    stage.path("M001-SECRETS.md").write_text(MANIFEST)
    stage.git("add", "-A", ".gsd/milestones")
    stage.git("commit", "-qm", "keys")
    return stage


def put(stage: Stage, name: str, value: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        stage.argv("secrets", "set", name), cwd=stage.root, env=stage.environment({}), input=value,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def standing(stage: Stage, **env: str) -> str:
    [row] = json.loads(stage.gsd("secrets", "M001", "--json", **env).require(DONE).out)
    return str(row["status"])


@pytest.mark.covers("command:secrets", "command:secrets set")
@pytest.mark.parametrize("command", [("auto",), ("headless", "auto")], ids=["auto", "headless"])
def test_no_task_begins_without_its_key(needing: Stage, command: tuple[str, ...]) -> None:
    ran = needing.gsd(*command, "--agent", needing.agent()).require(BLOCKED)
    for told in ("STRIPE_KEY", "Stripe", "https://dashboard.stripe.com/apikeys", "2. Create a key", "gsd secrets set"):
        assert told in ran.said
    assert needing.attempts() == 0
    assert "STRIPE_KEY" in needing.gsd("inbox").require(DONE).out
    assert standing(needing) == "pending"

    done = put(needing, "STRIPE_KEY", VALUE + "\n")
    assert done.returncode == DONE, done.stderr
    assert VALUE not in done.stdout + done.stderr
    assert standing(needing) == "existing"
    env = needing.root / ".env"
    assert env.stat().st_mode & 0o777 == 0o600
    assert needing.git("status", "--porcelain") == ""
    needing.replay("execute-task/M001/S01/T01", [{"tool": "shell", "args": {"command": ". ./.env; printf %s \"$STRIPE_KEY\" | wc -c"}},
                   *next(s["steps"] for s in needing.script if s["unit"] == "execute-task/M001/S01/T01")])  # type: ignore[misc]  # fmt: skip
    needing.auto().require(DONE)
    # The worktree has it, and no commit does.
    results = [
        json.loads(line)["message"] for line in needing.transcript("M001-S01-T01").splitlines() if "toolResult" in line
    ]
    assert str(len(VALUE)) in results[0]["content"][0]["text"]
    assert ".env" not in needing.git("ls-tree", "-r", "--name-only", "main").splitlines()


def test_a_key_of_the_environment_will_do(needing: Stage) -> None:
    assert standing(needing, STRIPE_KEY="x") == "existing"
    needing.auto(STRIPE_KEY="x").require(DONE)


@pytest.mark.covers("command:secrets skip")
@pytest.mark.parametrize("begun", [False, True], ids=["before", "in-its-worktree"])
def test_one_can_go_on_without(needing: Stage, begun: bool) -> None:
    if begun:
        needing.auto().require(BLOCKED)
    needing.gsd("secrets", "skip", "STRIPE_KEY").require(DONE)
    assert standing(needing) == "skipped"
    needing.auto().require(DONE)
    assert "**Status:** skipped" in needing.git("show", "main:.gsd/milestones/M001/M001-SECRETS.md")


def test_what_nobody_needs_is_not_taken(needing: Stage) -> None:
    assert "no milestone needs" in needing.gsd("secrets", "skip", "OTHER").require(ERROR).err
    assert put(needing, "STRIPE_KEY", "").returncode == ERROR
    assert not (needing.root / ".env").exists()


def test_a_committed_env_file_gets_no_key(needing: Stage) -> None:
    (needing.root / ".env").write_text("A=1\n")
    needing.git("add", "-f", ".env")
    needing.git("commit", "-qm", "env")
    done = put(needing, "STRIPE_KEY", VALUE)
    assert (done.returncode, "is committed" in done.stderr) == (ERROR, True)
    assert (needing.root / ".env").read_text() == "A=1\n"
