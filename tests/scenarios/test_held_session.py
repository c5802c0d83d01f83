"""Escape holds the session in flight: nothing is asked and paid until the person says something, or lets it go on."""

import os
import signal
import threading
from pathlib import Path

import pytest

from fakemodel.replies import Answer, Asked, Call, Hanging, Reply
from fakemodel.server import FakeModel
from milepost.testing import projects
from scenarios.sitting import CTRL_C, ESCAPE, Sitting, sitting
from scenarios.stage import DONE, Stage, wait_until

TASK = "execute-task/M001/S01/T01"
HELD = "HELD by a person for"


class OneCall:
    """A model that calls one tool once it may, and then answers nothing any more."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.arrived = threading.Event()

    def __call__(self, asked: Asked) -> Answer:
        if asked.turns:
            return Hanging()
        self.arrived.set()
        self.may.wait(60)
        return Reply(text="I begin.", calls=[Call("write", {"path": "half.txt", "content": "half\n"})])


def is_held(stage: Stage) -> None:
    wait_until(lambda: HELD in stage.gsd("status").out, seconds=120)


def holding(stage: Stage, person: Sitting) -> None:
    """A run whose first task is held after its first step."""
    go = stage.root.parent / "go"
    waits = projects.raw_shell("sh", "-c", f"while ! test -f '{go}'; do sleep 0.05; done")
    stage.replay(TASK, [projects.usage(micro_usd=1_000), waits, *projects.steps(TASK)])
    person.type(f"/auto --agent {stage.agent()}")
    person.sees("▸ execute-task M001/S01/T01")
    person.press(ESCAPE)
    person.sees("is to be held")
    go.touch()
    person.sees("held: nothing is asked and nothing paid")
    is_held(stage)


@pytest.mark.spec(id="PR-244")
@pytest.mark.covers("command:auto", "command:status")
def test_a_sentence_is_said_in_the_same_conversation(stage: Stage) -> None:
    stage.make()
    model = OneCall()
    with FakeModel(model) as server, sitting(stage, cpr=True, **server.env("openai")) as person:
        person.type("/auto --model openai/gpt-5.5")
        wait_until(model.arrived.is_set, seconds=120)
        person.press(ESCAPE)
        person.sees("is to be held")
        model.may.set()
        person.sees("held: nothing is asked and nothing paid")
        is_held(stage)
        assert (len(server.seen), len(stage.events("usage-reported"))) == (1, 1)
        assert (stage.worktree / "half.txt").exists()
        person.sees("HELD  [Escape: go on]")
        assert len(server.seen) == 1
        person.type("please use tabs everywhere")
        person.sees("told the session: please use tabs everywhere")
        wait_until(lambda: len(server.seen) == 2, seconds=120)
        asked = server.seen[1].asked
        assert (asked.turns, asked.texts[0]) == (1, server.seen[0].asked.texts[0])
        assert "please use tabs everywhere" in asked.texts[-1]
        assert HELD not in stage.gsd("status").out
        person.type("/stop")
        person.sees("Stopped")
        person.alone()
        person.type("/exit")
        assert person.end() == DONE
    assert stage.attempts() == 1
    assert not (stage.state / "OVERRIDES.md").exists()  # it was said to this session, and changes no plan


@pytest.mark.parametrize("way", [ESCAPE, "/auto\r", "resume\r", "go\r"], ids=["escape", "auto", "resume", "one-word"])
def test_it_is_let_go_on(way: str, stage: Stage) -> None:
    with sitting(stage.make()) as person:
        holding(stage, person)
        person.press(way)
        person.sees("auto goes on")
        person.sees("done: ")
        person.type("/exit")
        assert person.end() == DONE
    assert (stage.attempts("M001/S01/T01"), len(stage.events("held")), len(stage.events("let-go"))) == (1, 1, 1)
    assert len(stage.events("steered")) == (way == "go\r")
    stage.require_landed()


@pytest.mark.covers("command:stop")
@pytest.mark.parametrize("way", ["/stop\r", CTRL_C + CTRL_C], ids=["stop", "ctrl-c"])
def test_held_it_can_be_ended(way: str, stage: Stage) -> None:
    with sitting(stage.make()) as person:
        holding(stage, person)
        person.press(way)
        person.sees("gsd auto goes on from here")
        person.alone()
        assert HELD not in stage.gsd("status").out
        person.type("/exit")
        assert person.end() == DONE
    assert [event["result"] for event in stage.events("attempt-ended")] == ["interrupted"]


def test_a_run_that_is_killed_leaves_nothing_held(stage: Stage) -> None:
    with sitting(stage.make()) as person:
        holding(stage, person)
        [run] = person.children()
        os.kill(run, signal.SIGKILL)
        person.sees("auto was killed")
        assert HELD not in stage.gsd("status").out
    stage.auto().require(DONE)
    assert next(event["result"] for event in stage.events("attempt-ended")) == "crashed"


def test_a_terminal_that_is_lost_ends_what_it_held(stage: Stage) -> None:
    with sitting(stage.make()) as person:
        holding(stage, person)
        person.hang_up()
        wait_until(lambda: stage.events("run-ended"), seconds=120)
    assert [event["state"] for event in stage.events("run-ended")] == ["interrupted"]
    assert not stage.events("let-go")


@pytest.mark.parametrize("way", ["p", "d"])
def test_who_leaves_lets_it_go(way: str, stage: Stage, tmp_path: Path) -> None:
    with sitting(stage.make()) as person:
        holding(stage, person)
        person.type("/exit")
        person.sees("[p/d/s]")
        person.type(way)
        person.sees("gsd status shows it")
        assert person.end() == DONE
        wait_until(lambda: stage.events("run-ended"), seconds=120)
    assert [event["state"] for event in stage.events("run-ended")] == ["paused" if way == "p" else "done"]
