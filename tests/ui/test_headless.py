"""`gsd headless`: commands and flags in any order, and the last line."""

import io
import json
import sys
from pathlib import Path

import pytest

from conftest import run_git
from milepost.testing import projects
from milepost.ui.cli import headless
from milepost.ui.cli.headless import BadUse
from ui.command import run


@pytest.mark.parametrize(
    ("words", "command", "rest"),
    [
        ([], "auto", []),
        (["query"], "query", []),
        (["--json", "next"], "next", ["--json"]),
        (["--timeout", "5", "next", "--json"], "next", ["--timeout", "5", "--json"]),
        (["--timeout=5"], "auto", ["--timeout=5"]),
        (["--agent", "replay:x", "--model", "auto", "next"], "next", ["--agent", "replay:x", "--model", "auto"]),
        (["--pace", "0.5", "auto"], "auto", ["--pace", "0.5"]),
        (["doctor", "--fix"], "doctor", ["--fix"]),
        (["--json", "history"], "history", ["--json"]),
        (["--response-timeout", "5", "auto"], "auto", ["--response-timeout", "5"]),
    ],
)
def test_the_command_among_the_flags(words: list[str], command: str, rest: list[str]) -> None:
    taken = list(words)
    assert headless._take_command(taken) == command
    assert taken == rest


def test_a_word_that_is_no_command() -> None:
    with pytest.raises(BadUse, match="'explode' is not a command") as raised:
        headless.run(["--json", "explode"], "gsd")
    assert "query" in raised.value.hint


def test_help_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert headless.run(["query", "--help"], "sf") == 0
    assert capsys.readouterr().out.startswith("usage: sf headless")


@pytest.mark.covers("command:headless")
def test_a_run_ends_with_a_summary(project: Path) -> None:
    script = project.parent / "script.json"
    script.write_text(json.dumps(projects.sessions()))
    found = run("headless", "--json", "--agent", f"scripted:{script}", cwd=project)
    assert found.code == 0, found.err
    lines = [json.loads(line) for line in found.out.splitlines()]
    assert {line["type"] for line in lines} >= {
        "unit-started",
        "tool-call",
        "usage",
        "session-ended",
        "note",
        "summary",
    }
    last = lines[-1]
    assert (last["type"], last["status"], last["exitCode"], last["units"]) == ("summary", "done", 0, 3)
    assert (last["cost"], last["unpricedRequests"]) == (0.003, 0)


def test_the_time_limit_is_an_error(project: Path) -> None:
    script = project.parent / "script.json"
    script.write_text(json.dumps([projects.session("*", projects.hang())]))
    found = run("headless", "--timeout", "300", "--agent", f"scripted:{script}", cwd=project)
    assert found.code == 1
    last = json.loads(found.out.splitlines()[-1])
    assert last["reason"] == "the time limit of 300 ms passed"


@pytest.mark.covers("command:headless status", "command:headless doctor")
def test_status_and_doctor_are_reached(project: Path) -> None:
    assert json.loads(run("headless", "--json", "status", cwd=project).out)["running"] == ""
    assert isinstance(json.loads(run("headless", "doctor", "--json", cwd=project).out), list)


@pytest.mark.covers("command:headless")
def test_other_commands_are_as_they_are_and_ask_nobody(project: Path) -> None:
    assert run("headless", "queue", cwd=project).out == run("queue", cwd=project).out
    found = run("headless", "--json", "queue", cwd=project)
    assert json.loads(found.out)[0]["id"] == "M001"
    assert "add --yes" in run("headless", "discard", "M001", cwd=project).err
    assert run("headless", "headless", cwd=project).code == 1


@pytest.mark.parametrize("words", [["discard", "M001"], ["cleanup"]], ids=["discard", "cleanup"])
def test_at_a_terminal_nobody_is_asked_either(words: list[str], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

        def readline(self, size: int | None = -1, /) -> str:
            raise AssertionError("somebody was asked")

    run_git(project, "branch", "gsd/M000/S01")
    monkeypatch.setattr(sys, "stdin", Keyboard())
    assert headless.run(words, "gsd") == 2
    assert "gsd/M000/S01" in run_git(project, "branch")


@pytest.mark.parametrize(
    ("words", "long"),
    [([], True), (["query"], False), (["history"], False), (["--json", "dispatch", "uat"], True), (["next"], True)],
)
def test_what_goes_on_for_as_long_as_an_agent_works(words: list[str], long: bool) -> None:
    assert headless.asks_an_agent(words) is long
