"""How a run shows itself while it goes on."""

import io
import json
from pathlib import Path

import pytest

from milepost.agents.session import Ended, ErrorKind, SessionError, Stop, Text, ToolCall, ToolResult, Usage
from milepost.errors import ExitCode
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.model.units import Unit, UnitKind
from milepost.ui import progress
from milepost.ui.progress import JsonLines, Live, Plain
from milepost.worker.shift import Ending
from worker.shifts import shift_for

UNIT = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    """A reader that went away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("json_lines", "stream", "kind"),
    [(True, Terminal, JsonLines), (False, Terminal, Live), (False, io.StringIO, Plain)],
)
def test_which_watcher(json_lines: bool, stream: type[io.StringIO], kind: type) -> None:
    watcher = progress.watcher(json_lines=json_lines, stream=stream())
    watcher.close()
    assert type(watcher) is kind


def test_plain_lines() -> None:
    out = io.StringIO()
    watcher = Plain(out)
    watcher.unit_started(UNIT, "a", 1)
    watcher.session_event(Usage(model="m", input=900, output=100, cache_read=500, micro_usd=2_000))
    watcher.session_event(Usage(model="m", input=1, output=0, micro_usd=3_000))
    watcher.session_event(Text(text="not shown"))
    watcher.session_event(Ended(stop=Stop.END, requests=2))
    watcher.note("gate: pass")
    watcher.unit_started(UNIT, "b", 2)
    assert out.getvalue().splitlines() == [
        "▸ execute-task M001/S01/T01",
        "  session ended (end): 2 requests, 0:00  1.5k tokens  $0.0050",
        "  gate: pass",
        "▸ execute-task M001/S01/T01 (attempt 2)",
    ]


def test_a_price_nobody_knows_makes_the_sum_unknown() -> None:
    out = io.StringIO()
    watcher = Plain(out)
    watcher.unit_started(UNIT, "a", 1)
    for micro_usd in (5, None, 7):
        watcher.session_event(Usage(model="m", input=1, output=1, micro_usd=micro_usd))
    watcher.session_event(Ended(stop=Stop.END))
    assert "unknown" in out.getvalue()


@pytest.mark.parametrize("kind", [Plain, JsonLines, Live])
def test_a_reader_that_goes_away_does_not_stop_the_work(kind: type[Plain]) -> None:
    watcher = kind(Closed())
    watcher.unit_started(UNIT, "a", 1)
    watcher.note("x")
    watcher.session_event(Ended(stop=Stop.END))
    watcher.close()


def test_words_of_an_agent_do_not_command_the_terminal() -> None:
    for stream in (io.StringIO(), Terminal()):
        watcher = progress.watcher(json_lines=False, stream=stream)
        watcher.note("wrote \x1b]0;owned\x07 a\nb caf\udce9")
        watcher.close()
        [line] = [line for line in stream.getvalue().replace("\r\x1b[K", "").splitlines() if line]
        assert "\x1b" not in line
        assert "\x07" not in line
        assert "owned" in line


def test_the_live_line_is_one_line() -> None:
    out = Terminal()
    watcher = Live(out)
    watcher.unit_started(UNIT, "a", 1)
    watcher.session_event(ToolCall(id="c", name="shell", args={"command": "make\n\x1b[2Jtest"}))
    watcher._redraw_once()
    watcher.close()
    drawn = next(part for part in out.getvalue().split("\r\x1b[K") if "shell" in part)
    assert "\n" not in drawn
    assert "\x1b[2J" not in drawn
    assert "make" in drawn
    assert out.getvalue().endswith("\r\x1b[K")


def test_json_lines() -> None:
    out = io.StringIO()
    watcher = JsonLines(out)
    watcher.unit_started(UNIT, "a", 2)
    watcher.session_event(ToolCall(id="c", name="write", args={"path": "a.py", "content": "secret"}))
    watcher.session_event(ToolResult(id="c", name="write", ok=False, text="no", refused=True))
    watcher.session_event(Usage(model="m", input=1, output=2, cache_read=3, cache_write=4, micro_usd=None))
    watcher.session_event(Text(text="left to the transcript"))
    watcher.session_event(
        Ended(stop=Stop.ERROR, error=SessionError(kind=ErrorKind.RATE_LIMIT, text="slow\udcff"), requests=1)
    )
    watcher.note("a\nb")
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(isinstance(row.pop("at"), int) for row in rows)
    assert rows == [
        {"type": "unit-started", "unitType": "execute-task", "unitId": "M001/S01/T01", "attempt": "a", "number": 2},
        {"type": "tool-call", "name": "write", "target": "a.py"},
        {"type": "tool-result", "name": "write", "ok": False, "refused": True},
        {"type": "usage", "model": "m", "input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4, "cost": None},
        {"type": "session-ended", "stop": "error", "requests": 1, "errorKind": str(ErrorKind.RATE_LIMIT), "error": "slow\udcff"},
        {"type": "note", "text": "a\nb"},
    ]  # fmt: skip


@pytest.mark.parametrize("headless", [True, False])
def test_the_last_words(headless: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shift = shift_for(tmp_path)
    for run, name, price in (("r-1", "a", 2_000), ("r-1", "b", None), ("r-0", "old", 9_000_000)):
        started = AttemptStarted(
            at_ms=1, run=run, attempt=name, kind="execute-task", unit="M001/S01/T01", base="", branch="", fingerprint="",
            number=1,
        )  # fmt: skip
        shift.journal("M001").append(started)
        usage = UsageReported(at_ms=2, run=run, attempt=name, model="m", input=10, output=1, micro_usd=price)
        shift.journal("M001").append(usage)
    for name, result in (("a", Result.COMMITTED), ("b", Result.VERIFY_FAILED), ("old", Result.COMMITTED)):
        shift.journal("M001").append(AttemptEnded(at_ms=3, run="r-1", attempt=name, result=result))
    # What was asked beside the work costs, and is no unit.
    shift.journal("M001").append(UsageReported(at_ms=4, run="r-1", attempt="memory.a", model="m", input=5, output=0))
    ending = Ending(ExitCode.PAUSED, "the gate failed", "Mend it, then gsd auto.")
    progress.summary(ending, shift, seconds=12.4, headless=headless, program="sf")
    out = capsys.readouterr().out
    if headless:
        assert json.loads(out) == {
            "type": "summary", "status": "paused", "exitCode": 3, "reason": "the gate failed",
            "hint": "Mend it, then sf auto.", "units": 2, "settled": 1, "sessions": 2, "tokens": 27, "cost": 0.002, "unpricedRequests": 2,
            "durationMs": 12400, "restarts": 0,
        }  # fmt: skip
    else:
        assert out.splitlines() == [
            "paused: the gate failed",
            "  Mend it, then sf auto.",
            "  2 units done (1 settled from an earlier run) in 2 sessions, 27 tokens, $0.0020 and 2 requests of unknown price, 12 s",
        ]
