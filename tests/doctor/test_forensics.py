"""What is out of the ordinary, and what kind of trouble it is."""

from collections.abc import Sequence

import pytest

from milepost.doctor import forensics, forensics_trace
from milepost.doctor.forensics import Anomaly, Material, Trouble
from milepost.doctor.trace import Entry, What
from milepost.formats.journal import AnyEvent, Corrected, Result, SessionEnded, Verified
from milepost.rules import attempts, runs
from ui.circumstances import NOW, attempt, began, ended

MIN = 60_000


def found(events: Sequence[AnyEvent], trace: Sequence[Entry] = (), **more: object) -> list[Anomaly]:
    facts: dict[str, object] = {"alive": {"r1"}, **more}
    material = Material(
        events=events, attempts=attempts.fold(events), runs=runs.fold(events), trace=lambda _: tuple(trace), **facts
    )  # type: ignore[arg-type]  # fmt: skip
    return list(forensics.examine(material))


def codes(events: Sequence[AnyEvent], trace: Sequence[Entry] = (), **more: object) -> list[str]:
    return [one.code for one in found(events, trace, **more)]


def call(number: int, tool: str, target: str, answer: str, *, ok: bool = False) -> list[Entry]:
    return [Entry(What.CALL, target, tool, True, str(number)), Entry(What.RESULT, answer, tool, ok, str(number))]


def failing(times: int, result: Result = Result.UNFINISHED, reason: str = "no summary") -> list[AnyEvent]:
    made: list[AnyEvent] = [began(at_ms=NOW - 90 * MIN)]
    for number in range(1, times + 1):
        made += attempt(f"a{number}", result=result, reason=reason, at_ms=NOW - 80 * MIN + number * MIN, number=number)
    return made


def test_a_run_in_which_nothing_happened_has_none() -> None:
    assert codes([began(), *attempt("a"), *attempt("b", "M001/S01/T02", at_ms=NOW - 100_000), ended("done")]) == []


@pytest.mark.spec(id="PR-240")
def test_a_stuck_loop() -> None:
    loop = next(one for one in found(failing(3)) if one.code == "stuck-loop")
    assert loop.trouble is Trouble.LOOP
    assert loop.says == "tried 3 times in a row without a commit, 3 times for the same reason: no summary"
    assert (loop.unit, loop.attempts) == ("execute-task/M001/S01/T01", ("a1", "a2", "a3"))
    assert "stuck-loop" not in codes(failing(2))
    assert "same-failure" in codes(failing(2))


@pytest.mark.parametrize(
    ("events", "code", "trouble"),
    [
        (failing(1, Result.TIMED_OUT), "timeout", Trouble.MODEL),
        (failing(1, Result.UNFINISHED), "missing-artifact", Trouble.MODEL),
        (failing(1, Result.PROVIDER_ERROR), "provider-error", Trouble.MODEL),
        (failing(1, Result.CRASHED), "crash", Trouble.MACHINE),
        (failing(1, Result.OVER_BUDGET), "over-budget", Trouble.MONEY),
        (failing(2, Result.VERIFY_FAILED), "gate-fails", Trouble.GATE),
        ([began(), *attempt("a"), Corrected(at_ms=NOW, run="r1", attempt="a", what="x")], "correction", Trouble.TOOL),
        (
            [began(), *attempt("a"), Verified(at_ms=NOW, run="r1", attempt="a", verdict="inconclusive", source="s", checks=0)],
            "gate-broken", Trouble.GATE,
        ),
        ([began(), ended("error", "disk full")], "run-error", Trouble.MACHINE),
        ([began(), ended("done"), began("r2")], "crash", Trouble.MACHINE),
    ],
    ids=["timeout", "missing", "provider", "crash", "budget", "gate", "corrected", "broken-gate", "error", "run"],
)  # fmt: skip
@pytest.mark.spec(id="PR-240")
def test_what_kind_of_trouble_it_is(events: list[AnyEvent], code: str, trouble: Trouble) -> None:
    assert (code, trouble) in [(one.code, one.trouble) for one in found(events)]


def test_a_context_that_is_too_long_is_no_fault_of_the_model() -> None:
    events = failing(1, Result.PROVIDER_ERROR)
    over = SessionEnded(
        at_ms=NOW,
        run="r1",
        attempt="a1",
        stop="error",
        requests=1,
        tool_calls=2,
        error_kind="context-overflow",
        error="x",
    )
    assert [one.trouble for one in found([*events, over]) if one.code == "provider-error"] == [Trouble.CONTEXT]


@pytest.mark.parametrize(("price", "spike"), [(2_000, False), (3_000, False), (3_001, True)])
def test_a_cost_spike_is_measured_against_the_project_s_own_median(price: int, spike: bool) -> None:
    usual = [e for n in range(3) for e in attempt(f"u{n}", f"M001/S01/T1{n}", prices=(1_000,))]
    events = [began(), *usual, *attempt("dear", "M001/S02/T01", prices=(price,), at_ms=NOW - 1_000)]
    assert ("cost-spike" in codes(events)) is spike
    # Two others are no measure.
    assert "cost-spike" not in codes([began(), *usual[:8], *attempt("dear", prices=(90_000,), at_ms=NOW)])


@pytest.mark.spec(id="PR-240")
def test_broken_tool_calls_and_missing_context_are_told_apart() -> None:
    missing = call(1, "read", "docs/api.md", "No such file") + call(2, "read", "docs/spec.md", "does not exist")
    refused = [entry for n in (3, 4, 5) for entry in call(n, "shell", "sudo rm", "refused: not allowed here")]
    seen = found([began(), *attempt("a")], [*missing, *refused])
    assert [(one.code, one.trouble) for one in seen] == [
        ("broken-tool-call", Trouble.TOOL), ("missing-context", Trouble.CONTEXT),
    ]  # fmt: skip
    assert seen[0].says == "3 calls of shell failed or were refused; the last: refused: not allowed here"
    assert seen[1].says.endswith("not there: docs/api.md, docs/spec.md")
    assert codes([began(), *attempt("a")], [*missing[:2], *refused[:4]]) == []


def test_a_clock_that_was_set_back_and_a_machine_that_slept() -> None:
    back = [began(at_ms=NOW), *attempt("a", at_ms=NOW - 30_000)]
    assert codes(back) == ["clock-jump"]
    asleep = [began(at_ms=NOW - 200 * MIN), *attempt("a", at_ms=NOW - 190 * MIN, took_ms=120 * MIN)]
    assert codes(asleep) == ["silence"]


def test_only_what_is_recent() -> None:
    assert codes(failing(3), since_ms=NOW) == []


def test_a_session_in_short() -> None:
    told = forensics_trace.of(
        [
            *call(1, "shell", "pytest -q", "exit 1"), *call(2, "write", "a.py", "ok", ok=True),
            *call(3, "shell", "pytest -q", "ok", ok=True), Entry(What.TEXT, "Done."), Entry(What.CALL, "b.py", "read", True, "9"),
        ]
    )  # fmt: skip
    assert told.calls == (("shell", 2), ("write", 1), ("read", 1))
    assert told.commands == (("pytest -q", False), ("pytest -q", True))
    assert (told.written, told.errors, told.pending, told.words) == (
        ("a.py",), ("shell: exit 1",), ("read b.py",), "Done.",
    )  # fmt: skip
