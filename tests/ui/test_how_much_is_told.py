"""`--verbose` and `--events`: how much of a run is told while it goes on."""

import io
import json
import re
from pathlib import Path

import pytest

import milepost.ui.cli as cli
from milepost.agents.session import ToolCall
from milepost.testing import projects
from milepost.ui import progress
from milepost.ui.cli import telling
from ui.command import run


def agent(project: Path) -> str:
    script = project.parent / "script.json"
    script.write_text(json.dumps(projects.sessions()))
    return f"scripted:{script}"


@pytest.mark.covers("command:headless", "command:headless auto")
def test_only_the_events_that_are_named(project: Path) -> None:
    found = run("headless", "--events", "tool-call, session-ended", "auto", "--agent", agent(project), cwd=project)
    assert found.code == 0, found.err
    kinds = [json.loads(line)["type"] for line in found.out.splitlines()]
    assert set(kinds) == {"tool-call", "session-ended", "summary"}
    assert kinds[-1] == "summary"


@pytest.mark.parametrize("words", ["tool-call,tool_call", "", ","], ids=["unknown", "empty", "comma"])
def test_events_that_do_not_exist_begin_nothing(words: str, project: Path) -> None:
    before = sorted(project.rglob("*"))
    found = run("headless", "auto", f"--events={words}", "--agent", agent(project), cwd=project)
    assert found.code == 1
    assert ", ".join(telling.EVENTS) in found.err
    assert "'tool_call'" in found.err or not words.startswith("tool")
    assert sorted(project.rglob("*")) == before


def test_every_line_that_is_printed_has_a_type_that_can_be_named() -> None:
    sources = [Path(progress.__file__), *(Path(cli.__path__[0], f"{name}.py") for name in ("supervised", "restarting"))]
    text = "\n".join(path.read_text() for path in sources)
    found = re.findall(r"""(?:\btype=|"type": )"([a-z-]+)"(?: if \w+ else "([a-z-]+)")?""", text)
    assert {kind for pair in found for kind in pair if kind} == set(telling.EVENTS)


@pytest.mark.covers("command:headless auto")
def test_tool_calls_are_named_on_standard_error(project: Path) -> None:
    found = run("headless", "auto", "--verbose", "--agent", agent(project), cwd=project)
    assert found.code == 0, found.err
    named = [line for line in found.err.splitlines() if line.startswith("  · ")]
    assert "  · write work/M001-S01-T01.txt" in named
    assert not any(line.startswith("  · ") for line in found.out.splitlines())
    assert json.loads(found.out.splitlines()[-1])["status"] == "done"


def test_a_tool_call_is_one_line_without_secrets() -> None:
    out, err = io.StringIO(), io.StringIO()
    watcher = telling.Told(inner=progress.JsonLines(out), known=("hush-hush",), tools=err)
    watcher.session_event(
        ToolCall(id="1", name="shell", args={"command": "curl -u hush-hush \x1b[2J\nrm " + "x" * 500})
    )
    watcher.session_event(ToolCall(id="2", name="ask", args={"question": "Why?"}))
    watcher.note("said hush-hush")
    lines = err.getvalue().splitlines()
    assert lines[0].startswith("  · shell curl -u [redacted: known value]  [2J rm xxx")
    assert len(lines[0]) < 220
    assert lines[1:] == ["  · ask"]
    assert "hush-hush" not in out.getvalue()
