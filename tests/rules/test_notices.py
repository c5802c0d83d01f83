"""Which event of a journal is told, as what, and when it is told again."""

import pytest

from milepost.formats.journal import (
    AnyEvent,
    Asked,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetWaiting,
    FleetEnded,
    Landed,
    LandingEnded,
    Notified,
    Result,
    RunEnded,
    RunStarted,
    WaitBegan,
    WorkerLost,
)
from milepost.formats.preferences import Notifications
from milepost.rules import notices

ALL = Notifications()


def began(kind: str = "execute-task", unit: str = "M001/S01/T01", branch: str = "milestone/M001") -> AttemptStarted:
    return AttemptStarted(at_ms=1, run="r", attempt="a", kind=kind, unit=unit, base="", branch=branch, fingerprint="", number=1)  # fmt: skip


def over(result: Result = Result.COMMITTED) -> AttemptEnded:
    return AttemptEnded(at_ms=2, run="r", attempt="a", result=result, commit="c0ffee")


def end(state: str, reason: str = "why", run: str = "r") -> RunEnded:
    return RunEnded(at_ms=3, run=run, state=state, reason=reason, hint="gsd auto")


def landing(outcome: str) -> LandingEnded:
    return LandingEnded(at_ms=1, run="m", milestone="M001", outcome=outcome, target="main", files=("a.py",))


def landed(push_error: str = "") -> Landed:
    return Landed(at_ms=1, run="r", milestone="M001", target="main", commit="c1", tip="t", push_error=push_error)


def told(*events: AnyEvent, asks: bool = True, wanted: Notifications = ALL) -> list[tuple[str, str]]:
    return [(str(n.kind), n.title) for n in notices.due(events, lambda _: True, wanted, asks=asks)]


def noted(*events: AnyEvent, ok: bool = True) -> list[Notified]:
    """The lines after which these events are told."""
    due = notices.due(events, lambda _: True, ALL, asks=True)
    return [Notified(at_ms=9, run="r", kind=n.kind, key=n.key, target="phone", ok=ok, error="") for n in due]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([began(), over()], [("complete", "execute-task M001/S01/T01 is done")]),
        ([began(), over(Result.VERIFY_FAILED)], []),
        ([began(), over(Result.CRASHED)], [("error", "execute-task M001/S01/T01 was cut off")]),
        ([began("complete-milestone", "M001"), over()], [("complete", "complete-milestone M001 is done")]),
        ([began("complete-milestone", "M001", "main"), over()], [("milestone", "M001 is complete")]),
        ([end("done")], [("complete", "auto mode: done")]),
        ([RunStarted(at_ms=0, run="r", pid=1, version="1", command="next"), end("done")], []),
        ([end("error")], [("error", "auto mode: error")]),
        ([end("budget")], [("budget", "auto mode: budget")]),
        ([end("paused")], [("attention", "auto mode: paused")]),
        ([end("blocked")], [("attention", "auto mode: blocked")]),
        ([end("interrupted")], []),
        ([FleetEnded(at_ms=1, run="c", session="f", state="blocked", reason="x")], [("attention", "the fleet: blocked")]),
        ([landed()], [("milestone", "M001 landed")]),
        ([landed("no such remote")], [("error", "M001 was not pushed"), ("milestone", "M001 landed")]),
        ([landing("conflict")], [("attention", "merge of M001: conflict")]),
        ([landing("landed"), landing("nothing")], []),
        ([WorkerLost(at_ms=1, run="c", milestone="M001", worker_run="w", reason="died")], [("error", "the worker of M001 was lost")]),
        ([BudgetAlerted(at_ms=1, run="r", percent=75, ceiling_micro_usd=1)], [("budget", "75 % of the budget is spent")]),
        ([BudgetWaiting(at_ms=1, run="r", unit="u", until_ms=5, reason="x")], [("budget", "waiting for a budget window")]),
        ([WaitBegan(at_ms=1, run="r", unit="u", kind="rate-limit", text="x", resume_at_ms=5, number=n) for n in (1, 2)], [("attention", "waiting for the provider")]),
    ],
    ids=lambda value: None,
)  # fmt: skip
def test_what_is_told(events: list[AnyEvent], expected: list[tuple[str, str]]) -> None:
    assert told(*events) == expected
    assert told(*events, *noted(*events)) == [], "once"
    assert told(*events, *noted(*events, ok=False)) == [], "what could not be sent is not tried for ever"


def test_a_quick_task_is_told_as_such() -> None:
    run = RunStarted(at_ms=0, run="r", pid=1, version="", command="quick")
    unit = began(kind="quick", unit="quick-1-fix-it", branch="gsd/quick/1-fix-it")
    assert told(run, unit, over(), end("done")) == [("complete", "quick-1-fix-it is done")]
    assert told(run, unit, end("blocked")) == [("attention", "quick task: blocked")]


def test_a_question_is_told_where_somebody_is_asked() -> None:
    asked = Asked(at_ms=1, run="r", attempt="a", question="q", unit="M001", text="Which?", options=("x", "y"))
    assert told(asked, asks=False) == []
    (notice,) = notices.due([asked], lambda _: True, ALL, asks=True)
    assert (notice.title, notice.body) == ("M001 asks", "Which?\n1. x\n2. y")


def test_the_same_ending_is_told_again_only_after_something_got_further() -> None:
    first, again = end("blocked"), end("blocked", run="r2")
    said = noted(first)
    assert told(first, *said, again) == []
    assert told(first, *said, end("blocked", "another reason")) == [("attention", "auto mode: blocked")]
    moved = [began(), over()]
    assert told(first, *said, *moved, *noted(*moved), again) == [("attention", "auto mode: blocked")]


def test_only_what_is_the_callers() -> None:
    both = [end("error", run="r1"), end("error", "x", run="r2")]
    (notice,) = notices.due(both, lambda event: event.run == "r2", ALL, asks=True)
    assert notice.body.startswith("x")


@pytest.mark.parametrize("kind", ["complete", "error", "budget", "milestone", "attention"])
def test_each_kind_has_its_setting(kind: str) -> None:
    assert not notices.allowed(notices.Kind(kind), ALL._replace(**{f"on_{kind}": False}))  # type: ignore[arg-type]
    assert notices.allowed(notices.Kind(kind), ALL)
    assert not notices.allowed(notices.Kind(kind), ALL._replace(enabled=False))


def test_the_latest_word_of_each_target_counts() -> None:
    lines = [
        Notified(at_ms=1, run="r", kind="complete", key=str(n), target=target, ok=ok, error="")
        for n, (target, ok) in enumerate([("a", False), ("b", True), ("a", True), ("b", False)])
    ]
    assert [line.target for line in notices.failing(lines)] == ["b"]


def test_a_long_text_fits_the_services() -> None:
    (notice,) = notices.due([end("error", "x" * 5000)], lambda _: True, ALL, asks=True)
    assert len(notice.body) <= 1500
