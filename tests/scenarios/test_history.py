"""What a run cost is told by `gsd history`, also while it goes on, and `gsd next --dry-run` says what comes next."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from milepost.formats.journal import AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.store.journal import Journal
from milepost.testing.projects import Step, steps, usage
from scenarios.stage import DONE, ERROR, Stage, finish, wait_until

TASK = "execute-task/M001/S01/T01"


def spent(stage: Stage) -> int:
    return sum(int(str(e["microUsd"] or 0)) for e in stage.events("usage-reported"))


def told(stage: Stage, *args: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(stage.gsd("history", "--json", *args).require(DONE).out)
    return found


@pytest.mark.covers("command:history")
@pytest.mark.spec(id="PR-242")
def test_history_of_a_whole_run(stage: Stage) -> None:
    stage.make(slices=2, tasks=2)
    stage.replay(TASK, [usage(micro_usd=1_500_000), *steps(TASK)[:1]], steps(TASK))
    stage.auto().require(DONE)

    out = stage.gsd("history").require(DONE).out
    assert "execute-task M001/S01/T01" in out
    assert "execute-task M001/S01/T01 (attempt 2)" in out
    assert "unfinished" in out
    assert out.count("execute-task") == 5
    assert len(stage.gsd("history", "2").require(DONE).out.splitlines()) == 5

    seen = told(stage)
    assert round(float(str(seen["total"]["cost"])) * 1_000_000) == spent(stage)  # type: ignore[index]
    for name in ("byPhase", "bySlice", "byModel", "byTier", "byUnit", "byDay", "byAgent"):
        rows = seen[name]
        assert isinstance(rows, list)
        assert round(sum(row["cost"] for row in rows) * 1_000_000) == spent(stage), name
    assert seen["projection"]["finishedSlices"] == 2  # type: ignore[index]

    assert "complete-slice M001/S02" in stage.gsd("history", "--unit").require(DONE).out
    assert "execution" in stage.gsd("history", "--phase").require(DONE).out
    assert "M001/S02" in stage.gsd("history", "--slice").require(DONE).out
    assert "Projected remaining: $0.00" in stage.gsd("history", "--cost").require(DONE).out
    both = stage.gsd("/gsd history --tier --agent").require(DONE).out
    assert "light" in both
    assert "scripted" in both

    failed = told(stage, "--failed")
    assert [a["unitId"] for a in failed["attempts"]] == ["M001/S01/T01"]  # type: ignore[attr-defined]
    assert told(stage, "--milestone", "M002")["matching"] == 0
    tomorrow = (datetime.now(tz=UTC) + timedelta(days=2)).date().isoformat()
    assert told(stage, "--since", tomorrow)["matching"] == 0
    assert told(stage, "--since", "2020-01-01", "--utc")["matching"] == seen["matching"]
    assert "is no date" in stage.gsd("history", "--since", "yesterday").require(ERROR).err
    assert "no such attempts" in stage.gsd("history", "--milestone", "M009").require(DONE).out


def test_history_while_it_runs(stage: Stage) -> None:
    stage.make()
    assert stage.gsd("history").require(DONE).out == "no attempts yet\n"
    stage.replay(TASK, [usage(micro_usd=2_000), {"hang": True}])
    running = stage.start()
    try:
        wait_until(lambda: stage.events("usage-reported"))
        out = stage.gsd("history").require(DONE).out
        assert "running" in out
        assert "$0.0020" in out
    finally:
        stage.gsd("stop")
        finish(running)


def test_what_is_not_known_is_not_nothing(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [usage(micro_usd=None), *steps(TASK)[1:]])
    stage.auto().require(DONE)
    assert "1 request of unknown price" in stage.gsd("history").require(DONE).out
    row = next(a for a in told(stage)["attempts"] if a["unitId"] == "M001/S01/T01")  # type: ignore[attr-defined]
    assert (row["cost"], row["unpricedRequests"]) == (None, 1)


def test_a_models_name_does_not_command_the_terminal(stage: Stage) -> None:
    stage.make()
    named: Step = {"usage": {"input": 1, "output": 1, "micro_usd": 1, "model": "mo\ndel\x1b[31m"}}
    stage.replay(TASK, [named, *steps(TASK)[1:]])
    stage.auto().require(DONE)
    for command in (("history",), ("history", "--model"), ("why", "cost"), ("why", "T01"), ("forensics",)):
        out = stage.gsd(*command).require(DONE).out
        assert "\x1b" not in out
        assert "mo del" in out or command[0] in ("why", "forensics")


@pytest.mark.covers("command:next", "command:headless next")
def test_a_dry_run_says_what_comes_next_and_does_nothing(stage: Stage) -> None:
    stage.make(slices=3, tasks=1)
    fresh = stage.gsd("next", "--dry-run").require(DONE).out
    assert "Next       execute-task M001/S01/T01" in fresh
    assert "not known: no unit of this type was done yet" in fresh
    assert stage.events() == []

    journal = Journal(stage.state, "M001")
    for number, (kind, unit, cost) in enumerate(
        [
            ("execute-task", "M001/S08/T01", 200_000),
            ("complete-slice", "M001/S08", 100_000),
            ("execute-task", "M001/S09/T01", 400_000),
            ("complete-slice", "M001/S09", 100_000),
        ]
    ):
        name, at = f"a{number}", 1_000_000 * number
        journal.append(
            AttemptStarted(
                at_ms=at, run="r", attempt=name, kind=kind, unit=unit, base="", branch="", fingerprint="", number=1
            )
        )
        journal.append(UsageReported(at_ms=at, run="r", attempt=name, model="m", input=900, output=100, micro_usd=cost))
        journal.append(AttemptEnded(at_ms=at + 60_000, run="r", attempt=name, result=Result.COMMITTED))
    stage.prefer("---\nbudget_ceiling: 2\n---\n")
    before = stage.events()
    out = stage.gsd("next", "--dry-run").require(DONE).out
    assert "Phase      executing" in out
    assert "Usually    $0.300, 1.0k tokens and 1 min, on average of 2 attempts" in out
    assert "Spent      $0.800" in out
    assert "Budget     $1.20 left of $2.00" in out
    assert "Progress   0/1 milestones, 0/3 slices, 0/1 tasks" in out
    assert "Projected remaining: $1.20 ($0.400/slice avg × 3 remaining)" in out
    seen = json.loads(stage.gsd("headless", "next", "--dry-run").require(DONE).out)
    assert (seen["unitType"], seen["unitId"], seen["averageCost"]) == ("execute-task", "M001/S01/T01", 0.3)
    assert (seen["left"], seen["averageDurationMs"]) == (1.2, 60_000)
    assert stage.events() == before
