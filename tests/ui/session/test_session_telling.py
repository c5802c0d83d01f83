"""A child's lines, as a person reads them."""

import json

import pytest

from milepost.ui.session.telling import Put, Telling

UNIT = {"type": "unit-started", "unitType": "execute-task", "unitId": "M001/S01/T01", "number": 2}


def line(**fields: object) -> str:
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("said", "text", "last"),
    [
        (line(**UNIT), "▸ execute-task M001/S01/T01 (attempt 2)", False),
        (line(type="note", text="one\ntwo\x1b[2J"), "  one\n  two [2J", False),
        (line(type="running", milestone="M001", text="is at work"), "M001 is at work", False),
        (line(type="end", code=2, reason="no", hint="gsd why"), "blocked: no\n  sf why", True),
        (line(type="summary", exitCode=0, reason="all", hint=None), "done: all", True),
        ("paused: by request", "paused: by request", True),
        ("plain \x1b[31mwords", "plain  [31mwords", False),
        ('{"half": ', '{"half": ', False),
        ("[]", "[]", False),
        (line(type="something-new", text="x"), "", False),
        (line(type="eligibility", eligible=[]), "", False),
    ],
)
def test_lines(said: str, text: str, last: bool) -> None:
    told = Telling("sf").take(said)
    assert (told.text, told.last) == (text, last)


def test_the_moving_line_counts_what_a_unit_took() -> None:
    telling = Telling("gsd")
    assert telling.moving == ""
    telling.take(line(**UNIT))
    telling.take(line(type="usage", input=1000, output=200, cacheRead=0, cacheWrite=0, cost=0.25))
    telling.take(line(type="tool-call", name="write", target="src/a.py"))
    assert telling.moving.startswith("execute-task M001/S01/T01  ")
    assert telling.moving.endswith("1.2k tokens  $0.250  write src/a.py")
    assert "2 requests" in telling.take(line(type="session-ended", stop="end", requests=2)).text
    telling.take(line(type="usage", input=1, output=0, cacheRead=0, cacheWrite=0, cost=None))
    assert "$" not in telling.moving


def test_a_question_and_its_withdrawal() -> None:
    telling = Telling("gsd")
    asked = telling.take(line(type="question", id="3", text="Which?", options=["a", "b"]))
    assert asked.question == Put(id="3", text="Which?", options=("a", "b"))
    assert telling.take(line(type="question-withdrawn", id="3")).withdrawn == "3"
