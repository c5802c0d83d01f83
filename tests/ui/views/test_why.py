"""What made it so, from built journals."""

import pytest

from milepost.errors import MilepostError
from milepost.formats.evidence import Check, Evidence, Verdict
from milepost.formats.journal import (
    AnyEvent,
    CapReset,
    Corrected,
    Landed,
    LandingEnded,
    Result,
    Undone,
    UnitSkipped,
    UnitsUndone,
    Verified,
)
from milepost.model.state import Phase
from milepost.rules.dispatch import Halt, Level
from milepost.ui.views import story, why
from milepost.ui.views.situation import Situation
from milepost.ui.views.story import Story
from ui.circumstances import NOW, STATE, attempt, began, ended, here

LANDED = Landed(at_ms=NOW - 1, run="r1", milestone="M001", target="main", commit="feedfacecafe", tip="t")
FAILED = [
    began(),
    *attempt("a", number=1, result=Result.VERIFY_FAILED, reason="pytest -q: exit 1", prices=(2_000, 3_000)),
    CapReset(at_ms=NOW - 450_000, run="r1", unit="execute-task/M001/S01/T01"),
    *attempt("b", number=2, at_ms=NOW - 400_000, tier="heavy", routed="escalated after a failure", model="big"),
]


def told(words: str, where: Situation) -> Story:
    return why.explain(words.split(), where, ())


def facts(found: Story) -> list[tuple[str, str]]:
    return [fact for section in found.sections for fact in section.facts]


@pytest.mark.parametrize(
    "words", ["M001/S01/T01", "execute-task/M001/S01/T01", "execute-task M001/S01/T01", "T01", "b"]
)
def test_a_unit_is_found_by_what_people_call_it(words: str) -> None:
    assert told(words, here(FAILED)).document["unit"] == "execute-task/M001/S01/T01"


def test_each_attempt_says_who_why_and_what_came_of_it() -> None:
    gate = Verified(
        at_ms=NOW - 480_000, run="r1", attempt="a", verdict="fail", source="task-plan", checks=1, evidence="E.json"
    )
    put = Corrected(
        at_ms=NOW - 479_000, run="r1", attempt="a", what="a commit of its own", paths=("src/x.py",), backup="refs/b"
    )
    checks = (Check(command="pytest -q", exit_code=1, duration_ms=812, verdict=Verdict.FAIL),)
    record = Evidence(
        task_id="T01", unit_id="u", timestamp=1, passed=False, discovery_source="task-plan", checks=checks
    )
    where = here(
        [*FAILED, gate, put, LANDED], evidence=lambda tried: record if tried.id == "a" else None, runner="r1"
    )  # fmt: skip
    found = told("M001/S01/T01", where)
    assert found.says.startswith("execute-task M001/S01/T01 is done after 2 attempts (1 min, $0.0060, 3.0k tokens")
    said = facts(found)
    for one in (
        ("because", "it was due, for the first time"),
        ("because", "the attempt before ended as verify-failed: pytest -q: exit 1"),
        ("corrected", "a commit of its own: src/x.py (kept as refs/b)"),
        ("gate", "fail, 1 check from task-plan"),
        ("", "pytest -q: fail, exit 1, 0.8 s"),
        ("evidence", "E.json"),
        ("agent", "builtin, m, tier heavy"),
        ("chosen", "escalated after a failure"),
        ("result", "committed 0123456789"),
        ("cost", "$0.0050, 2.0k tokens, 2 requests"),
    ):
        assert one in said, one
    assert next(words for label, words in said if label == "landed").startswith("on main as feedfaceca, ")
    assert any("attempts of execute-task/M001/S01/T01 count afresh" in words for _, words in said)
    first, second = found.document["attempts"]  # type: ignore[misc]
    assert (first["result"], first["checks"][0]["exitCode"], second["tier"]) == ("verify-failed", 1, "heavy")


def test_a_fact_that_nobody_knows_yet_is_told_all_the_same() -> None:
    from milepost.formats import journal
    from milepost.ui.views import happenings

    class Novelty(journal.Event, frozen=True, kw_only=True, tag="some-novelty"):
        attempt: str
        how_long: int

    event = Novelty(at_ms=1, run="r", attempt="a", how_long=3)
    assert happenings.sentence(event) == "some novelty: how long 3"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "runner", "word", "says"),
    [
        ([], "", "untried", "execute-task M001/S01/T02 was not tried yet: it is next"),
        ([began(), *attempt("a", "M001/S01/T02", None)], "r1", "running", "is running: attempt 1, for 8 min"),
        ([began(), *attempt("a", "M001/S01/T02", None)], "", "open", "is not settled; the next start judges"),
        (
            [began(), *attempt("a", "M001/S01/T02", Result.TIMED_OUT, reason="the limit of 30 minutes passed")],
            "", "failed", "is not done: timed-out: the limit of 30 minutes passed",
        ),
        (
            [began(), *attempt("a", "M001/S01/T02"), LANDED,
             Undone(at_ms=NOW, run="p", milestone="M001", target="main", commit="c", landed="d")],
            "", "undone", "and was taken back out of main",
        ),
    ],
    ids=["untried", "running", "open", "failed", "undone"],
)  # fmt: skip
def test_where_a_unit_stands(events: list[object], runner: str, word: str, says: str) -> None:
    found = told("M001/S01/T02", here(events, runner=runner))  # type: ignore[arg-type]
    assert found.document["state"] == word
    assert says in found.says


@pytest.mark.parametrize(
    ("events", "runner", "word", "cause", "hint"),
    [
        ([], "", "idle", "nothing was run yet; execute-task M001/S01/T02 is due", "gsd auto"),
        ([began()], "r1", "running", "pid 4711 is at work", ""),
        ([began(), ended("paused", "a gate", hint="gsd auto goes on")], "", "paused", "a gate", "gsd auto goes on"),
        ([began(), ended("budget", "no money")], "", "budget", "no money", ""),
        ([began(), ended("blocked", "no key")], "", "blocked", "no key", ""),
        ([began(), ended("interrupted", "SIGTERM")], "", "interrupted", "SIGTERM", ""),
        (
            [began(), *attempt("a", "M001/S01/T02", None)], "", "crashed",
            "pid 4711 is gone without a last word, in execute-task M001/S01/T02", "gsd auto settles",
        ),
        ([began(), ended("done", "next is it")], "", "idle", "next is it; execute-task M001/S01/T02 is due", "gsd auto"),
    ],
    ids=["never", "running", "paused", "budget", "blocked", "stopped", "crashed", "one-unit"],
)  # fmt: skip
@pytest.mark.covers("command:why")
def test_why_the_project_is_as_it_is(events: list[object], runner: str, word: str, cause: str, hint: str) -> None:
    found = told("", here(events, runner=runner))  # type: ignore[arg-type]
    assert found.document["state"] == word
    assert str(found.document["cause"]).startswith(cause)
    assert found.next.startswith(hint)


def test_a_project_that_is_done() -> None:
    done = STATE._replace(phase=Phase.COMPLETE)
    found = told(
        "", here([began(), LANDED, ended("done", "All.")], state=done, decision=Halt("All.", Level.INFO, "r", ""))
    )
    assert found.document["state"] == "done"
    assert ("landed", "M001 on main as feedfaceca") in facts(found)


def test_a_pause_shows_the_attempt_that_made_it() -> None:
    events = [
        began(),
        *attempt("a", "M001/S01/T02", Result.VERIFY_FAILED, reason="ruff: exit 1", transcript="activity/1.jsonl"),
        ended("paused", "the gate failed 3 times"),
    ]
    said = facts(told("paused", here(events)))
    assert ("at", "execute-task M001/S01/T02, attempt 1: verify-failed: ruff: exit 1") in said
    assert ("transcript", ".gsd/activity/1.jsonl") in said
    assert told("running", here(events)).says.startswith("It is not running. It is paused, since ")


@pytest.mark.parametrize(
    ("mid", "state", "cause"),
    [
        ("M001", "active, in phase executing", "Execute T02."),
        ("M002", "pending", "it waits for M001"),
        ("M003", "parked", "its PARKED file says so"),
    ],
)
def test_why_a_milestone_is_where_it_is(mid: str, state: str, cause: str) -> None:
    found = told(f"{mid} paused", here([began()], runner="r1"))
    assert (found.document["state"], str(found.document["cause"])[: len(cause)]) == (state, cause)


def test_how_a_milestone_landed() -> None:
    events = [
        *FAILED,
        LandingEnded(at_ms=NOW - 9, run="r1", milestone="M001", outcome="conflict", target="main", files=("a.py",)),
        LANDED,
    ]
    found = told("M001", here(events))
    assert found.document["state"] == "merged"
    history = [one["says"] for one in found.document["history"]]  # type: ignore[attr-defined]
    assert history == ["merge into main: conflict: a.py", "landed on main as feedfaceca"]
    table = next(section.table for section in found.sections if section.title == "Units")
    assert table[0].split() == ["execute-task", "M001/S01/T01", "2x", "1", "min", "3.0k", "$0.0060", "done"]


def test_a_milestone_that_was_taken_back_out_is_done_again_only_when_somebody_says_so() -> None:
    gone = Undone(at_ms=NOW, run="r1", milestone="M001", target="main", commit="c" * 40, landed=LANDED.commit)
    found = told("M001", here([*FAILED, LANDED, gone]))
    assert (found.document["state"], found.next) == ("undone", "gsd auto --retry M001")


def test_where_the_money_went() -> None:
    dear = attempt("c", "M001/S01", kind="plan-slice", prices=(40_000, None), at_ms=NOW - 300_000)
    found = told("cost", here([*FAILED, *dear]))
    assert found.says == "The project cost $0.046 and 1 request of unknown price in 3 attempts, 5.0k tokens."
    assert ("no commit", "$0.0050 (10 %) went into attempts that brought no commit") in facts(found)
    rows = found.document["dearest"]
    assert [row["unit"] for row in rows] == ["plan-slice/M001/S01", "execute-task/M001/S01/T01"]  # type: ignore[attr-defined]
    assert "2 attempts (verify-failed, committed), 3 requests, 3.0k tokens, m; $0.0010 of it for trying again" in str(
        rows
    )
    assert told("cost M001", here(FAILED)).document["cost"] == 0.006


def test_what_nobody_knows_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(MilepostError) as caught:
        told("M001/S01/T91", here(FAILED))
    assert caught.value.hint == "Did you mean M001/S01/T01?"


def test_several_units_of_one_id_are_told_one_after_the_other() -> None:
    events = [*attempt("a", "M001/S01", kind="plan-slice"), *attempt("b", "M001/S01", kind="complete-slice")]
    found = told("S01", here(events))
    assert [one["unit"] for one in found.document["units"]] == ["plan-slice/M001/S01", "complete-slice/M001/S01"]  # type: ignore[attr-defined]


def test_no_line_is_longer_than_the_terminal() -> None:
    long = [began(), *attempt("a", result=Result.UNFINISHED, reason="a path: was not written; " * 9)]
    made = story.text(told("M001/S01/T01", here(long)), 80)
    assert max(map(len, made.splitlines())) <= 80
    assert "  because    it was due, for the first time\n" in made


@pytest.mark.parametrize(
    ("event", "word", "says"),
    [
        (UnitSkipped(at_ms=NOW, run="p", kind="execute-task", unit="M001/S01/T01", reason="late"), "skipped", "by a person: late"),
        (UnitSkipped(at_ms=NOW, run="p", kind="run-uat", unit="M001/S01/T01"), "done", "is done"),
        (
            UnitsUndone(at_ms=NOW, run="p", units=("execute-task/M001/S01/T01",), commits=("c",)),
            "undone", "taken back out of milestone/M001",
        ),
    ],
    ids=["skipped", "another-kind", "undone"],
)  # fmt: skip
def test_what_a_person_did_to_a_unit(event: AnyEvent, word: str, says: str) -> None:
    found = told("T01", here([began(), *attempt("a"), event]))
    assert (found.document["state"], says in found.says) == (word, True)
    assert bool(found.document["besides"]) is (word != "done")


def test_a_long_label_keeps_its_distance() -> None:
    assert story.facts((("M001 paused", "the model failed"), ("capture", "2 wait"))) == [
        "M001 paused the model failed",
        "capture     2 wait",
    ]


def test_a_unit_that_asked_nothing_cost_nothing() -> None:
    found = dict(facts(told("cost", here([began(), *attempt("a", number=1, prices=())]))))
    assert found["$0.00"].endswith("0 requests, 0 tokens")
