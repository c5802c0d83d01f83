"""`gsd logs`: readable lines of journal and transcripts, all of it or of one thing, and as it grows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.formats.journal import AnyEvent, Corrected, LandingStep, Result, RunStarted
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.ui.cli.main import main
from milepost.ui.views import happenings
from ui.circumstances import NOW, attempt, began, ended
from ui.command import said_at

Out = pytest.CaptureFixture[str]
TRANSCRIPT = [
    {"type": "session", "version": 1, "id": "a"},
    {"type": "message", "message": {"role": "user", "content": [{"type": "text", "text": "Do it.\nPlease."}]}},
    {"type": "message", "message": {"role": "assistant", "content": [
        {"type": "text", "text": "I look."},
        {"type": "toolCall", "id": "1", "name": "shell", "arguments": {"command": "pytest -q"}},
        {"type": "toolCall", "id": "2", "name": "read", "arguments": {"path": "a.py"}},
    ]}},
    {"type": "message", "message": {"role": "toolResult", "toolCallId": "1", "toolName": "shell", "isError": True,
                                    "content": [{"type": "text", "text": "exit 1\x1b[2J"}]}},
    {"type": "message", "message": {"role": "toolResult", "toolCallId": "2", "toolName": "read", "isError": False,
                                    "content": [{"type": "text", "text": "x = 1"}]}},
    {"type": "end", "stopReason": "end"},
]  # fmt: skip
EVENTS: list[AnyEvent] = [
    began(),
    *attempt("a", result=Result.VERIFY_FAILED, reason="pytest: exit 1", transcript="activity/001.jsonl"),
    Corrected(at_ms=NOW - 460_000, run="r1", attempt="a", what="a commit of its own"),
    *attempt("b", "M002/S01", kind="plan-slice", at_ms=NOW - 400_000, run="r2"),
    ended("paused", "the gate"),
]


@pytest.fixture
def logged(project: Path) -> Path:
    for event in EVENTS:
        Journal(project / ".gsd", "project").append(event)
    text = "\n".join(json.dumps(line) for line in TRANSCRIPT) + "\n{torn"
    projects.write(project, {".gsd/activity/001.jsonl": text})
    return project


def lines(capsys: Out, *args: str) -> list[str]:
    assert main(["logs", *args], "gsd") == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.covers("command:logs")
def test_the_journal_line_by_line(logged: Path, capsys: Out) -> None:
    found = lines(capsys)
    assert len(found) == len(EVENTS)
    assert found[0].endswith("  run r1 began: auto, pid 4711, version 1")
    assert "  execute-task M001/S01/T01: attempt 1 began: builtin" in found[1]
    assert found[-1].endswith("  run r1 ended: paused: the gate")
    assert lines(capsys, "-n", "2") == found[-2:]


@pytest.mark.parametrize(
    ("about", "shown"),
    [("M001/S01/T01", 5), ("execute-task/M001/S01/T01", 5), ("T01", 5), ("M002", 4), ("r2", 4), ("a", 5), ("S01", 4)],
)
def test_of_one_thing(logged: Path, capsys: Out, about: str, shown: int) -> None:
    assert len(lines(capsys, about)) == shown


def test_what_went_wrong(logged: Path, capsys: Out) -> None:
    assert [line.partition("  ")[2] for line in lines(capsys, "--errors")] == [
        "  $  shell pytest -q",
        "  =  FAILED shell: exit 1 [2J",
        "execute-task M001/S01/T01: verify-failed: pytest: exit 1",
        "execute-task M001/S01/T01: put right: a commit of its own",
        "run r1 ended: paused: the gate",
    ]


@pytest.mark.covers("command:logs")
def test_nothing_that_went_wrong_is_said(project: Path, capsys: Out) -> None:
    assert lines(capsys) == ["Nothing yet."]
    for event in [began(), *attempt("a")]:
        Journal(project / ".gsd", "project").append(event)
    assert lines(capsys, "--errors") == ["No errors."]
    assert lines(capsys, "--errors", "--json") == []


STEPS = {
    ("pin", "at=begin label=tip commit=" + "c" * 40): "landing: branch tip cccccccccc is to be kept",
    ("pin", f"at=done label=tip commit={'c' * 40} ref=refs/gsd/backup/M001/1-tip"): (
        "landing: branch tip cccccccccc kept as refs/gsd/backup/M001/1-tip"
    ),
    ("commit", "at=done branch=milestone/M001 commit="): "landing: nothing was left to commit",
    ("push", "at=done commit=abc remote=origin error=no route to host"): (
        "landing: NOT pushed to origin: no route to host"
    ),
    ("check", "at=done commit=abc passed=False"): "landing: abc was checked, and failed",
    ("remove-worktree", "at=done path=/a place/M001"): "landing: the worktree is removed",
    ("some-day", "at=done x=y"): "landing, some-day: at=done x=y",
}


@pytest.mark.parametrize("step", STEPS, ids=[str(number) for number in range(len(STEPS))])
def test_a_step_of_a_landing_is_a_sentence(step: tuple[str, str]) -> None:
    event = LandingStep(at_ms=NOW, run="r1", milestone="M001", step=step[0], detail=step[1])
    assert happenings.sentence(event) == STEPS[step]
    taken = LandingStep(
        at_ms=NOW, run="r1", milestone="M001", step="publish", detail="at=done commit=abc", slice="undo"
    )
    assert happenings.sentence(taken) == "undo: abc published"


def test_a_transcript(logged: Path, capsys: Out) -> None:
    found = lines(capsys, "T01", "--transcript")
    assert found[0].startswith("-- execute-task M001/S01/T01, attempt 1, ")
    assert found[1:] == [
        ">> Do it.",
        "   Please.",
        "   I look.",
        "$  shell pytest -q",
        "$  read a.py",
        "=  FAILED shell: exit 1 [2J",
        "=  x = 1",
        "-- end",
    ]


def test_for_programs(logged: Path, capsys: Out) -> None:
    found = [json.loads(line) for line in lines(capsys, "--json", "-n", "1")]
    assert found[0]["event"] == "run-ended"


def test_a_worker_s_own_words(logged: Path, capsys: Out) -> None:
    worker = RunStarted(at_ms=NOW, run="w1", pid=1, version="1", command="auto", milestone="M001")
    Journal(logged / ".gsd", "M001").append(worker)
    projects.write(logged, {".gsd/parallel/logs/M001.w1.err": "it broke\n", ".gsd/parallel/logs/M001.w1.out": "{}\n"})
    assert lines(capsys, "M001", "--worker") == ["it broke", "{}"]
    assert main(["logs", "M007", "--worker"], "gsd") == 1


def test_what_nobody_knows(logged: Path, capsys: Out) -> None:
    assert main(["logs", "M009"], "gsd") == 1
    assert "M009: nothing in the journal is about it" in capsys.readouterr().err
    assert main(["logs", "-n", "0"], "gsd") == 1


def test_nothing_is_written(logged: Path, capsys: Out) -> None:
    before = said_at(logged)
    lines(capsys, "--errors")
    assert said_at(logged) == before


def test_it_is_followed_while_it_grows(logged: Path) -> None:
    following = subprocess.Popen(
        [sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()", "logs", "-f", "-n", "1", "--interval", "0.1"],
        cwd=logged, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    try:
        assert following.stdout.readline().endswith("run r1 ended: paused: the gate\n")
        # Another writer's line, older than what was shown last.
        Journal(logged / ".gsd", "M001").append(began("r9", NOW - 300_000))
        assert "run r9 began" in following.stdout.readline()
        Journal(logged / ".gsd", "project").append(ended("done", "all", "r9", NOW))
        assert "run r9 ended: done: all" in following.stdout.readline()
    finally:
        following.kill()
        following.communicate()
