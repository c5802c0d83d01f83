"""What waits for a person in a project without a fleet, from built situations."""

import pytest

from milepost.formats.captures import Capture
from milepost.formats.evidence import Check, Evidence, Verdict
from milepost.formats.journal import Answered, AnyEvent, Asked, FleetStarted, Landed, LandingEnded, Result
from milepost.model.state import Phase
from milepost.rules.dispatch import Decision, Halt, Level
from milepost.ui.views import inbox_project
from milepost.ui.views.inbox import Row
from milepost.ui.views.situation import Situation
from ui.circumstances import DUE, NOW, STATE, attempt, began, ended, here

FAILED = attempt("a", "M001/S01/T02", Result.VERIFY_FAILED, reason="pytest: exit 1")
UNFINISHED = attempt("a", "M001/S01/T02", Result.UNFINISHED, reason="x: was not written")


def seen(where: Situation) -> list[tuple[str, str, str, str]]:
    return [(str(r.kind), r.milestone, r.reason, r.next) for r in inbox_project.rows(where)]


def only(where: Situation) -> Row:
    (row,) = inbox_project.rows(where)
    return row


@pytest.mark.parametrize(
    ("events", "row"),
    [
        ([began(), ended("done")], None),
        ([began(), ended("budget", "no money", hint="Raise it.")], ("budget", "M001", "no money", "Raise it.")),
        (
            [began(), *FAILED, ended("paused", "the gate failed 3 times", hint="gsd auto --retry T")],
            ("gate", "M001", "the gate failed 3 times", "gsd auto --retry T"),
        ),
        ([began(), *UNFINISHED, ended("blocked", "tried 3 times")], ("capped", "M001", "tried 3 times", "gsd auto")),
        ([began(), ended("paused", "429", passing=True)], ("limit", "M001", "429", "gsd auto")),
        ([began(), ended("paused", "a person looks")], ("paused", "M001", "a person looks", "gsd auto")),
        ([began(), ended("interrupted", "SIGTERM")], ("stopped", "M001", "SIGTERM", "gsd auto")),
        ([began(), ended("error", "disk full")], ("failed", "M001", "disk full", "gsd auto")),
        (
            [began(), *attempt("a", "M001/S01/T02", None)],
            (
                "failed", "M001", "the run died without a last word (pid 4711), in execute-task M001/S01/T02",
                "gsd auto settles what it left, and goes on.",
            ),
        ),
    ],
    ids=["done", "budget", "gate", "capped", "limit", "paused", "stopped", "error", "died"],
)  # fmt: skip
@pytest.mark.covers("command:inbox")
def test_how_the_latest_run_ended(events: list[AnyEvent], row: tuple[str, ...] | None) -> None:
    assert seen(here(events)) == ([row] if row else [])


def test_nothing_waits_while_something_runs_or_has_begun_since() -> None:
    blocked = [began(), ended("blocked", "a key")]
    assert seen(here([*blocked, began("r2", NOW - 5)], runner="r2")) == []
    fleet = FleetStarted(at_ms=NOW - 5, run="f", session="s", pid=1, max_workers=2)
    assert [kind for kind, *_ in seen(here([*blocked, fleet]))] == []
    complete = STATE._replace(phase=Phase.COMPLETE)
    assert seen(here(blocked, state=complete, decision=Halt("All.", Level.INFO, "r"))) == []


def test_a_failed_gate_shows_what_failed() -> None:
    checks = tuple(
        Check(command=c, exit_code=code, duration_ms=1, verdict=v)
        for c, code, v in (("ruff", 0, Verdict.PASS), ("pytest", 1, Verdict.FAIL))
    )
    record = Evidence(task_id="T", unit_id="u", timestamp=1, passed=False, discovery_source="x", checks=checks)
    where = here([began(), *FAILED, ended("paused", "gate")], evidence=lambda _: record)
    assert only(where).details == ("pytest: exit 1",)


@pytest.mark.parametrize(
    ("decision", "kind"),
    [
        (Halt("M001 has a draft", Level.WARNING, "draft-waits-for-discussion", "gsd discuss M001"), "draft"),
        (Halt("judge it", Level.WARNING, "test-waits-for-verdict", "gsd verdict M001/S01 pass"), "verdict"),
        (Halt("M002 waits for M009", Level.ERROR, "blocked-stops", "gsd doctor"), "blocked"),
    ],
    ids=["draft", "verdict", "blocked"],
)
def test_what_the_plan_waits_for_is_said_once_and_before_any_run(decision: Decision, kind: str) -> None:
    assert isinstance(decision, Halt)
    row = (kind, "M001", decision.reason, decision.hint)
    assert seen(here(decision=decision)) == [row]
    assert seen(here([began(), ended("blocked", decision.reason)], decision=decision)) == [row]
    assert only(here([began(), ended("blocked", decision.reason)], decision=decision)).since_ms == NOW - 60_000


def test_questions_and_what_was_assumed() -> None:
    asked = [
        *attempt("a", "M001", None, kind="discuss-milestone"),
        Asked(
            at_ms=NOW - 9,
            run="r1",
            attempt="a",
            question="q1",
            unit="discuss-milestone/M001",
            text="Which db?",
            options=("pg",),
        ),
    ]
    begun = [began(), *asked]
    waiting = only(here(begun, runner="r1"))
    assert (waiting.kind, waiting.details, waiting.since_ms) == ("question", ("pg",), NOW - 9)
    assert waiting.reason == "discuss-milestone/M001 asks: Which db?"
    left = [*begun, Answered(at_ms=NOW - 8, run="r1", attempt="a", question="q1")]
    assert [kind for kind, *_ in seen(here(left, runner="r1"))] == ["assumed"]
    assert (
        seen(here([*begun, Answered(at_ms=NOW, run="r1", attempt="a", question="q1", by="terminal")], runner="r1"))
        == []
    )


def test_drafts_of_milestones_to_come() -> None:
    assert seen(here(drafts=("M001", "M002"))) == [
        ("draft", "M002", "its context is a draft that was not discussed", "gsd discuss M002")
    ]


def test_captures_that_nobody_sorts() -> None:
    four = tuple(Capture(f"CAP-{n}", f"thought {n}", "t", "pending") for n in range(4))
    row = only(here(captures=four))
    assert row.reason == "4 captures wait to be sorted"
    assert row.details == ("CAP-0: thought 0", "CAP-1: thought 1", "CAP-2: thought 2", "and 1 more")
    assert seen(here([began()], runner="r1", captures=four)) == []


def test_a_landing_that_the_remote_did_not_take_is_said_once() -> None:
    landed = Landed(
        at_ms=NOW - 9, run="r1", milestone="M001", target="main", commit="c", tip="t", push_error="rejected"
    )
    run = ended("blocked", "M001 is on main, but origin does not have it: rejected")
    assert [kind for kind, *_ in seen(here([began(), landed, run]))] == ["unpushed"]


def test_the_most_pressing_comes_first() -> None:
    conflict = LandingEnded(at_ms=1, run="m", milestone="M002", outcome="conflict", target="main", files=("a",))
    where = here(
        [began(), conflict, *FAILED, ended("paused", "gate")], decision=DUE, drafts=("M002",),
        captures=(Capture("CAP-1", "x", "t", "pending"),),
    )  # fmt: skip
    assert [kind for kind, *_ in seen(where)] == ["gate", "draft", "capture"]
