"""What a coordinator says: a question that others talk across, a wait, a start with nothing to start."""

import io
import os
import re
import threading
import time
from collections.abc import Iterator

import pytest

from fleet.stand import wait_until
from milepost.errors import ExitCode
from milepost.rules.schedule import Finish
from milepost.rules.standings import Stage, Standing
from milepost.ui.fleet_audience import Audience

Out = pytest.CaptureFixture[str]
QUESTION = "Merge M001 (One) into main?"


def made() -> Audience:
    return Audience(json_lines=False, can_ask=True, program="gsd")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Audience]:
    """One that has just put a question; nobody answers until the test is over."""
    ours, theirs = os.pipe()
    stdin = io.TextIOWrapper(io.FileIO(ours), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stdin)
    audience = made()
    asking = threading.Thread(target=audience.ask, args=(QUESTION, lambda: True), daemon=True)
    asking.start()
    wait_until(lambda: bool(audience._question))
    yield audience
    os.close(theirs)
    asking.join()
    stdin.close()


def test_a_line_leaves_the_question_standing(asked: Audience, capsys: Out) -> None:
    asked.note("M002 crashed")
    out = capsys.readouterr().out
    assert re.fullmatch(rf"\n\d\d:\d\d:\d\d  M002 crashed\n{re.escape(QUESTION)} \[y/N\] ", out)


def test_the_end_begins_on_a_line_of_its_own(asked: Audience, capsys: Out) -> None:
    asked.finish(Finish(code=ExitCode.INTERRUPTED, reason="stopped by request", hint="gsd parallel start"))
    out = capsys.readouterr().out
    assert re.fullmatch(r"\n\d\d:\d\d:\d\d  interrupted: stopped by request\n  gsd parallel start\n", out)


def test_a_start_again_says_when(capsys: Out) -> None:
    soon = time.time_ns() // 1_000_000 + 10_000
    made()._changed(Standing(id="M001", title="One", stage=Stage.BACKOFF, cause="exit code 1", at_ms=soon), None)
    assert re.search(r"M001 is started again in (9|10) s: exit code 1\n$", capsys.readouterr().out)


def test_a_question_that_does_not_stand_any_more_is_withdrawn(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    ours, theirs = os.pipe()
    with io.TextIOWrapper(io.FileIO(ours), encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        answers = iter((True, False))
        assert made().ask(QUESTION, lambda: next(answers)) is None
        os.close(theirs)
    assert capsys.readouterr().out.startswith(f"{QUESTION} [y/N] \n")


def test_a_start_with_nothing_new(capsys: Out) -> None:
    made().begin((), ())
    assert capsys.readouterr().out == "\nParallel orchestration started.\nWorkers: none new\n"
