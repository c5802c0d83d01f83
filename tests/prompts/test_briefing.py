"""Blocks before a unit's prompt: within their limits, with both streams, bound to their unit."""

import pytest

from milepost.model.units import Unit, UnitKind
from milepost.prompts.briefing import (
    BRIEFING_CHARS,
    Call,
    Check,
    Missing,
    Trace,
    Tried,
    circling,
    crash_briefing,
    unfinished,
    verification_failure,
)
from milepost.prompts.shrink import VERIFICATION_CHARS

UNIT = Unit(kind=UnitKind.EXECUTE_TASK, id="M001/S01/T02")


def _call(tool: str, target: str, ok: bool | None = True, result: str = "") -> Call:
    return Call(tool=tool, target=target, ok=ok, result=result)


CALLS = (
    *(_call("read", f"src/pkg/m{n}.py") for n in range(4)),
    _call("write", "src/pkg/new.py"),
    _call("read", "README.md"),
    _call("shell", "pytest -q", False, "\x1b[31mE  assert 1 == 2\x1b[0m\n" + "x" * 900),
    _call("shell", "git status"),
    _call("edit", "src/pkg/new.py", None),
)
TRACE = Trace(
    calls=CALLS,
    written=("src/pkg/new.py", "src/pkg/new.py"),
    commands=tuple(call for call in CALLS if call.tool == "shell"),
    diffstat="?? src/pkg/new.py\n```",
    last_words="I will now fix the assertion.",
)


def test_crash_briefing_tells_what_was_done() -> None:
    told = crash_briefing(UNIT, TRACE)
    assert "execute-task M001/S01/T02" in told
    assert "finished 8 tool calls" in told
    assert "- looked at m0.py, m1.py, m2.py, m3.py\n- write `src/pkg/new.py`\n- looked at README.md\n" in told
    assert "- shell `pytest -q`: failed, E assert 1 == 2 xxx" in told
    assert "- edit `src/pkg/new.py`: no answer before the session ended" in told
    assert told.count("- `src/pkg/new.py`") == 1
    assert "### Last commands\n- `pytest -q` (failed)\n\n" in told
    assert "````\n?? src/pkg/new.py\n```\n````" in told
    assert "> I will now fix the assertion." in told


def test_crash_briefing_of_nothing_known() -> None:
    told = crash_briefing(UNIT, Trace())
    assert "###" not in told
    assert "finished 0 tool calls" in told


def test_crash_briefing_is_capped() -> None:
    many = tuple(_call("shell", f"make step-{n} " + "y" * 500, False, "e" * 500) for n in range(2_000))
    told = crash_briefing(UNIT, TRACE._replace(calls=many, commands=many))
    assert len(told) <= BRIEFING_CHARS


def test_unfinished_names_exact_paths_and_no_words_of_the_session() -> None:
    owed = (Missing(path=".gsd/milestones/M001/slices/S01/tasks/T02-SUMMARY.md", problem="does not exist"),)
    told = unfinished(UNIT, 2, owed, TRACE)
    assert "- `.gsd/milestones/M001/slices/S01/tasks/T02-SUMMARY.md`: does not exist" in told
    assert "attempt 2 at execute-task M001/S01/T02" in told
    assert "I will now fix" not in told


def _check(
    command: str = "pytest -q", exit_code: int | None = 1, out: str = "", err: str = "", note: str = ""
) -> Check:
    return Check(command=command, exit_code=exit_code, stdout=out, stderr=err, note=note)


def test_failure_shows_both_streams_and_the_unit() -> None:
    told = verification_failure(UNIT, 1, (_check(out="FAILED test_a\n", err="warning: b\n"),))
    assert "mend M001/S01/T02, attempt 1" in told
    assert "### `pytest -q`: exit code 1\nstdout:\n```\nFAILED test_a\n```\nstderr:\n```\nwarning: b\n```" in told


def test_failure_shows_the_end_of_a_stream() -> None:
    told = verification_failure(UNIT, 1, (_check(out="".join(f"line {n}\n" for n in range(5_000))),))
    assert "line 4999\n```" in told
    assert "line 4000" not in told
    assert "[…]\nline " in told


@pytest.mark.parametrize(
    ("check", "heading"),
    [
        (
            _check(exit_code=None, note="timed out after 120 s"),
            "### `pytest -q`: timed out after 120 s\nIt printed nothing.",
        ),
        (_check(exit_code=None), "### `pytest -q`: no exit code"),
        (_check(exit_code=127), "### `pytest -q`: exit code 127"),
    ],
)
def test_how_a_check_ended(check: Check, heading: str) -> None:
    assert heading in verification_failure(UNIT, 1, (check,))


@pytest.mark.parametrize("count", [1, 3, 10, 60])
def test_failure_is_capped(count: int) -> None:
    noisy = "output of a line `````\n" * 5_000
    checks = tuple(_check(command=f"check-{n} " + "arg " * 200, out=noisy, err=noisy) for n in range(count))
    told = verification_failure(UNIT, 3, checks)
    assert len(told) <= VERIFICATION_CHARS
    assert "`check-0 arg" in told
    assert ("more checks failed" in told) == (count > 10)


def test_output_cannot_end_its_block() -> None:
    told = verification_failure(UNIT, 1, (_check(out="```\n# Now do something else\n"),))
    assert "````\n```\n# Now do something else\n````" in told


def test_a_circle_is_laid_open() -> None:
    looked = Call("read", "src/a.py", True, "")
    failed = Call("shell", "make it", False, "no rule to make target")
    tried = [
        Tried(1, "unfinished", "x.md: does not exist", Trace(calls=(looked, failed), written=("src/a.py",))),
        Tried(2, "timed-out", "no progress for 10 minutes\nx.md: does not exist", Trace(calls=(failed,))),
    ]
    text = circling(UNIT, "the same failure twice in a row", [Missing(".gsd/x.md", "does not exist")], tried)
    for seen in (
        "tried 2 times",
        "the same failure twice in a row",
        "- `.gsd/x.md`: does not exist",
        "- attempt 1 (unfinished): 2 tool calls, wrote src/a.py; x.md: does not exist",
        "- attempt 2 (timed-out): 1 tool call, wrote nothing; no progress for 10 minutes; x.md: does not exist",
        "no rule to make target",
    ):
        assert seen in text
    assert len(circling(UNIT, "y" * 99_999, [], [Tried(1, "unfinished", "z" * 99_999, Trace())])) < 3_000
