"""A person who is not looking is told what the settings say, once, and a target that fails changes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import steps, tool, usage
from scenarios.fleet_stage import FleetStage
from scenarios.receiver import Receiver
from scenarios.stage import BLOCKED, BUDGET, DONE, Stage, wait_until

TASK = "execute-task/M001/S01/T01"
KINDS = ("complete", "error", "budget", "milestone", "attention")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as made:
        yield made


@pytest.fixture
def told(stage: Stage, receiver: Receiver) -> Stage:
    stage.env["GSD_NOTIFY_URLS"] = f"phone={receiver.url}"
    return stage


def prefer(*lines: str) -> str:
    return projects.QUICK.replace("---\n", "\n".join(["---", *lines, ""]), 1)


def only(kind: str) -> str:
    """Settings with one kind on and all others off."""
    return prefer("notifications:", *(f"  on_{each}: {str(each == kind).lower()}" for each in KINDS))


def giving_up(stage: Stage) -> None:
    """Let the task's sessions end without doing anything."""
    stage.replay(TASK, *([tool("read", path="README.md")] for _ in range(9)))


@pytest.mark.covers("key:notifications.on_complete", "key:notifications.on_milestone")
def test_units_the_milestone_and_the_end(told: Stage, receiver: Receiver) -> None:
    told.make()
    told.auto().require(DONE)
    units = [f"{e['kind']} {e['unit']}" for e in told.events("attempt-started")]
    expected = {*(f"project: {unit} is done" for unit in units), "project: M001 landed", "project: auto mode: done"}
    assert sorted(receiver.titles) == sorted(expected)
    assert {each["type"] for each in receiver.got} == {"success"}
    lines = told.events("notified")
    assert len(lines) == len(expected)
    assert {(e["target"], e["ok"]) for e in lines} == {("phone", True)}
    assert "s3cretpart" not in json.dumps(told.events())


@pytest.mark.covers("key:notifications.on_complete", "key:notifications.on_milestone")
@pytest.mark.parametrize("kind", ["complete", "milestone"])
def test_only_what_is_wanted(told: Stage, receiver: Receiver, kind: str) -> None:
    told.make(preferences=only(kind))
    told.auto().require(DONE)
    assert {str(e["kind"]) for e in told.events("notified")} == {kind}
    assert ("project: M001 landed" in receiver.titles) is (kind == "milestone")
    assert ("project: auto mode: done" in receiver.titles) is (kind == "complete")


@pytest.mark.covers("key:notifications.enabled")
def test_nothing_is_sent_when_it_is_off(told: Stage, receiver: Receiver) -> None:
    told.make(preferences=prefer("notifications:", "  enabled: false"))
    told.auto().require(DONE)
    assert receiver.got == [] and told.events("notified") == []


@pytest.mark.covers("key:notifications.on_budget")
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_levels_of_the_budget(told: Stage, receiver: Receiver, on: bool) -> None:
    told.make(tasks=3, preferences=prefer("budget_ceiling: 0.1", "notifications:", f"  on_budget: {str(on).lower()}"))
    told.replay(TASK, [usage(micro_usd=99_500), *steps(TASK)[1:]])
    told.auto().require(BUDGET)
    assert bool(receiver.said("90 % of the budget is spent")) is on
    assert bool(receiver.said("auto mode: budget")) is on
    assert receiver.said("execute-task M001/S01/T01 is done")


@pytest.mark.covers("key:notifications.on_attention")
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_blocked_run_is_told_once_also_when_it_is_begun_again(told: Stage, receiver: Receiver, on: bool) -> None:
    told.make(preferences=prefer("notifications:", f"  on_attention: {str(on).lower()}"))
    giving_up(told)
    for _ in range(2):
        told.auto().require(BLOCKED)
    (ended, again) = told.events("run-ended")
    assert ended["reason"] == again["reason"]
    assert [each["title"] for each in receiver.said("blocked")] == (["project: auto mode: blocked"] if on else [])
    if on:
        assert str(ended["hint"]) in receiver.said("blocked")[0]["message"]


@pytest.mark.covers("key:notifications.on_error")
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_milestone_that_could_not_be_pushed_is_an_error(told: Stage, receiver: Receiver, on: bool) -> None:
    told.make(preferences=prefer("git:", "  auto_push: true", "notifications:", f"  on_error: {str(on).lower()}"))
    told.git("remote", "add", "origin", str(told.root.parent / "nowhere.git"))
    told.auto()
    assert bool(receiver.said("M001 was not pushed")) is on
    assert "project: M001 landed" in receiver.titles


def test_a_target_that_refuses_changes_nothing_and_is_shown(told: Stage, receiver: Receiver) -> None:
    told.make()
    receiver.status = 500
    told.auto().require(DONE)
    told.require_landed()
    failed = told.events("notified")
    assert failed and {(e["target"], e["ok"]) for e in failed} == {("phone", False)}
    assert "500" in str(failed[-1]["error"])
    assert "phone" in told.gsd("status").require(DONE).out
    assert "notify --test" in told.gsd("inbox").said
    receiver.status = 200
    told.gsd("notify", "--test").require(DONE)
    assert "phone" not in told.gsd("status").out + told.gsd("inbox").said


def test_a_target_that_hangs_holds_nobody_up(told: Stage, receiver: Receiver) -> None:
    told.make(tasks=2)
    receiver.hold.clear()
    process = told.start()
    try:
        wait_until(lambda: told.events("run-ended"), seconds=60)
        wait_until(lambda: receiver.got, seconds=60)
    finally:
        receiver.hold.set()
        process.communicate(timeout=120)
    assert process.returncode == DONE


def test_a_fleet_tells_each_thing_once(fleet: FleetStage, receiver: Receiver) -> None:
    fleet.plan()
    fleet.env["GSD_NOTIFY_URLS"] = f"phone={receiver.url}"
    fleet.gsd("parallel", "start", "--yes", "--agent", fleet.agent()).require(DONE)
    titles = receiver.titles
    assert len(titles) == len(set(titles)), titles
    for mid in ("M001", "M002"):
        assert f"project: execute-task {mid}/S01/T01 is done" in titles
        assert f"project: {mid} landed" in titles
    assert "project: the fleet: done" in titles
    assert {str(e["target"]) for e in fleet.events("notified")} == {"phone"}


def test_the_addresses_are_not_in_the_agents_environment(told: Stage, receiver: Receiver) -> None:
    told.make()
    out = told.root.parent / "env.txt"
    told.replay(TASK, [projects.raw_shell("sh", "-c", 'env > "$0"', str(out)), *steps(TASK)])
    told.auto("--no-sandbox").require(DONE)
    assert "PATH=" in Path(out).read_text() and "NOTIFY" not in out.read_text()
