"""How far a run goes when a person says so: until something is done, for so much, for so long."""

from pathlib import Path

import pytest

from milepost.rules.bounds import duration_ms
from milepost.testing.projects import raw_shell, steps, usage
from scenarios.stage import BUDGET, DONE, PAUSED, Stage


@pytest.fixture
def plan(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project").make(slices=2, tasks=2)


def last(stage: Stage) -> str:
    event = stage.events("attempt-started")[-1]
    return f"{event['kind']}/{event['unit']}"


@pytest.mark.covers("command:auto")
@pytest.mark.parametrize(
    ("goal", "unit"),
    [
        ("M001/S01", "complete-slice/M001/S01"),
        ("S01", "complete-slice/M001/S01"),
        ("T01", "execute-task/M001/S01/T01"),
        ("M001/S02/T01", "execute-task/M001/S02/T01"),
        ("complete-slice/M001/S01", "complete-slice/M001/S01"),
        ("execute", "execute-task/M001/S01/T02"),
        ("complete", "complete-slice/M001/S01"),
        ("M001", "complete-milestone/M001"),
    ],
)
def test_a_run_stops_when_what_was_named_is_done(plan: Stage, goal: str, unit: str) -> None:
    ran = plan.auto("--until", goal).require(DONE)
    assert last(plan) == unit
    if goal != "M001":
        assert "next is" in ran.said
        assert "milestone/M001" in plan.branches()
        # What is done already is not gone beyond; a phase is one that this run begins.
        before = plan.attempts()
        if "/" in goal:
            plan.auto("--until", goal).require(DONE)
            assert plan.attempts() == before
        plan.auto().require(DONE)
    plan.require_landed()


@pytest.mark.covers("command:auto")
def test_a_milestone_that_was_named_is_merged_and_the_next_is_not_begun(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make(milestones=("M001", "M002"))
    stage.auto("--until", "M001").require(DONE)
    assert last(stage) == "complete-milestone/M001"
    stage.require_landed()


@pytest.mark.covers("command:auto")
@pytest.mark.parametrize("enforcement", ["pause", "warn"])
def test_what_one_run_may_cost_is_reserved_and_watched_whatever_the_project_says(plan: Stage, enforcement: str) -> None:
    """Each honest unit costs 1000 micro-USD."""
    plan.prefer(
        (plan.state / "PREFERENCES.md").read_text().replace("---\n", f"---\nbudget_enforcement: {enforcement}\n", 1)
    )
    ran = plan.auto("--max-cost", "0.0021").require(BUDGET)
    assert "the limit of this run" in ran.said
    assert "--max-cost" in ran.said
    assert plan.attempts() == 2
    # Another run has another limit, and a unit that spends too much is ended in the middle.
    unit = "execute-task/M001/S02/T01"
    plan.replay(unit, [usage(micro_usd=900_000), raw_shell("touch", "never-run"), *steps(unit)], steps(unit))
    ran = plan.auto("--max-cost", "0.01").require(BUDGET)
    assert unit.replace("/", " ", 1) in ran.said
    plan.auto().require(DONE)


@pytest.mark.covers("command:auto")
def test_after_its_time_a_run_starts_no_unit_and_the_one_in_flight_ends_well(plan: Stage) -> None:
    unit = "execute-task/M001/S01/T01"
    plan.replay(unit, [{"sleep": 1.2}, *steps(unit)])
    ran = plan.auto("--max-time", "1s").require(PAUSED)
    assert "--max-time" in ran.said
    assert "next is" in ran.said
    assert [e["result"] for e in plan.events("attempt-ended")] in ([], ["committed"])
    assert plan.events("run-ended")[-1]["state"] == "paused"


@pytest.mark.covers("command:headless auto")
@pytest.mark.parametrize(
    "words",
    [("--until", "M001/S01/T01"), ("--max-units", "1")],
    ids=["until", "units"],
)
def test_a_headless_run_has_the_same_bounds(plan: Stage, words: tuple[str, ...]) -> None:
    plan.gsd("headless", *words, "auto", "--agent", plan.agent()).require(DONE)
    assert plan.attempts() == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--until", "nonsense/x/y/z"), "names nothing"),
        (("--until", "T../.."), "not a slice or task id"),
        (("--until", "foo"), "M001 has no slice foo"),
        (("--until", "M009"), "there is no milestone M009"),
        (("--until", "M001/S09"), "M001 has no slice S09"),
        (("--until", "execute-task/M001/S01/T09"), "M001/S01 has no task T09"),
        (("--max-cost", "-1"), "above 0"),
        (("--max-cost", "nan"), "above 0"),
        (("--max-time", "soon"), "must be a time"),
    ],
)
def test_a_bound_that_makes_no_sense_starts_nothing(plan: Stage, words: tuple[str, str], says: str) -> None:
    ran = plan.auto(*words)
    assert ran.code not in (DONE, PAUSED)
    assert says in ran.said
    assert not plan.attempts()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", 5_400_000),
        ("2h", 7_200_000),
        ("1h30m", 5_400_000),
        ("45s", 45_000),
        ("5", 300_000),
        ("0", None),
        ("", None),
        ("x", None),
    ],
)
def test_times(text: str, expected: int | None) -> None:
    assert duration_ms(text) == expected
