"""Money: a ceiling that holds before and within a unit, alerts once, and books that add up."""

import json

import pytest

from milepost.testing import projects
from milepost.testing.projects import hang, say, steps, tool, usage
from scenarios.stage import BUDGET, DONE, PAUSED, Stage

TASK = "execute-task/M001/S01/T01"
SECOND = "execute-task/M001/S01/T02"


def limited(ceiling: float, more: str = "") -> str:
    return projects.QUICK.replace("---\n", f"---\nbudget_ceiling: {ceiling}\n{more}", 1)


def spent(stage: Stage) -> int:
    """Micro-USD in the journal."""
    return sum(int(str(e["microUsd"])) for e in stage.events("usage-reported") if e["microUsd"] is not None)


def ledger(stage: Stage) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((stage.state / "metrics.json").read_text())["units"]
    return rows


def costs(stage: Stage, unit: str, *micro_usd: int | None) -> None:
    """Let a unit's session cost this, one request each."""
    first, *rest = steps(unit)
    del first
    stage.replay(unit, [*(usage(micro_usd=cost) for cost in micro_usd), *rest])


def test_a_ceiling_that_is_reached_before_a_unit(stage: Stage) -> None:
    stage.make(tasks=3, preferences=limited(1.0))
    costs(stage, TASK, 600_000)
    ran = stage.auto().require(BUDGET)
    assert "does not fit the budget" in ran.out
    assert "$1.00" in ran.out
    assert "budget_ceiling" in ran.out
    assert stage.attempts() == 1
    assert "- [x] **T01" in stage.path("slices/S01/S01-PLAN.md", where=stage.worktree).read_text()

    stage.auto().require(BUDGET)
    assert stage.attempts() == 1

    stage.prefer(limited(5.0))
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1
    assert stage.attempts() == 5


def test_a_ceiling_that_is_passed_within_a_unit(stage: Stage) -> None:
    stage.make(tasks=2, preferences=limited(1.0))
    stage.replay(
        TASK,
        [
            usage(micro_usd=400_000),
            tool("write", path="half.txt", content="half\n"),
            usage(micro_usd=700_000),
            tool("write", path="late.txt", content="late\n"),
            hang(),
        ],
    )
    ran = stage.auto().require(BUDGET)
    assert "budget" in ran.out
    assert (stage.worktree / "half.txt").exists()
    assert not (stage.worktree / "late.txt").exists()
    assert stage.attempts() == 1
    assert spent(stage) == 1_100_000

    stage.auto().require(BUDGET)
    assert stage.attempts() == 1

    stage.prefer(limited(9.0))
    stage.replay(TASK, steps(TASK))
    stage.auto().require(DONE)
    assert (stage.root / "half.txt").read_text() == "half\n"
    assert "half.txt" in stage.prompts("M001-S01-T01")[1]


def test_work_that_is_there_when_the_money_ends_counts(stage: Stage) -> None:
    stage.make(preferences=limited(1.0))
    stage.replay(TASK, [*steps(TASK), usage(micro_usd=2_000_000), say("More?"), hang()])
    stage.auto().require(BUDGET)
    assert [e["result"] for e in stage.events("attempt-ended")] == ["committed"]
    stage.prefer(limited(9.0))
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1


def test_a_ceiling_that_only_warns(stage: Stage) -> None:
    stage.make(tasks=2, preferences=limited(0.01, "budget_enforcement: warn\n"))
    costs(stage, TASK, 50_000)
    ran = stage.auto().require(DONE)
    assert "budget: 100 %" in ran.out
    stage.require_landed()


@pytest.mark.parametrize("word", ["pause", "halt"])
def test_both_words_for_stopping_stop(stage: Stage, word: str) -> None:
    stage.make(tasks=2, preferences=limited(0.1, f"budget_enforcement: {word}\n"))
    costs(stage, TASK, 99_000)
    stage.auto().require(BUDGET)
    assert stage.attempts() == 1


def test_a_ceiling_of_nothing(stage: Stage) -> None:
    stage.make(preferences=limited(0))
    ran = stage.auto()
    assert ran.code in (BUDGET, DONE), ran.said
    assert stage.attempts() == (0 if ran.code == BUDGET else 3)


def test_levels_are_announced_once(stage: Stage) -> None:
    stage.make(tasks=3, preferences=limited(1.0, "budget_enforcement: warn\n"))
    for unit, cost in ((TASK, 760_000), (SECOND, 10_000), ("execute-task/M001/S01/T03", 200_000)):
        costs(stage, unit, cost)
    first = stage.auto("--max-units", "2").require(DONE)
    assert first.out.count("budget: 75 %") == 1
    second = stage.auto().require(DONE)
    assert "budget: 75 %" not in second.out
    assert second.out.count("budget: 90 %") == 1
    assert [e["percent"] for e in stage.events("budget-alerted")] == [75, 90]


def test_an_unknown_price_is_unknown(stage: Stage) -> None:
    stage.make()
    costs(stage, TASK, 1_000, None, 2_000)
    ran = stage.auto().require(DONE)
    assert "1 request of unknown price" in ran.out
    row = next(row for row in ledger(stage) if row["id"] == "M001/S01/T01")
    assert row["cost"] is None
    assert row["apiRequests"] == 3


def test_an_unknown_price_does_not_slip_below_a_ceiling(stage: Stage) -> None:
    """A model whose price nobody knows is counted at what was reserved for it, so the run ends some time."""
    stage.make(tasks=6, preferences=limited(1.0))
    for number in range(1, 7):
        costs(stage, f"execute-task/M001/S01/T{number:02}", None)
    stage.script = [
        projects.session(
            str(s["unit"]),
            *({**usage(micro_usd=None)} if "usage" in step else step for step in s["steps"]),  # type: ignore[attr-defined]
        )
        for s in stage.script
    ]
    ran = stage.auto()
    if ran.code == BUDGET:
        assert stage.attempts() < 8
    else:
        ran.require(DONE)
        assert "unknown price" in ran.out


def test_the_ledger_is_the_sum_of_the_requests(stage: Stage) -> None:
    stage.make(tasks=2)
    costs(stage, TASK, 1_234, 5_678)
    stage.replay(SECOND, [usage(micro_usd=111), say("Done.")], steps(SECOND))
    stage.auto().require(DONE)
    rows = ledger(stage)
    assert len(rows) == stage.attempts() == 5
    assert round(sum(float(str(row["cost"])) for row in rows) * 1_000_000) == spent(stage)
    requests = stage.events("usage-reported")
    for key, name in (("input", "input"), ("output", "output"), ("cacheRead", "cacheRead")):
        told = sum(row["tokens"][name] for row in rows)  # type: ignore[index]
        assert told == sum(int(str(e[key])) for e in requests)
    told = json.loads(stage.gsd("status", "--json").require(DONE).out)
    assert round(told["spent"] * 1_000_000) == spent(stage)
    assert told["reserved"] == 0
    summary = stage.gsd("headless", "auto", "--agent", stage.agent()).require(DONE)
    assert json.loads(summary.out.splitlines()[-1])["cost"] == 0


def test_rows_of_another_program_count_and_stay(stage: Stage) -> None:
    stage.make(preferences=limited(2.0))
    row = {"type": "execute-task", "id": "M000/S01/T01", "cost": 1.99, "tokens": {"total": 5}, "extra": {"kept": True}}
    text = json.dumps({"version": 1, "projectStartedAt": 5, "units": [row]})
    (stage.state / "metrics.json").write_text(text)
    stage.auto().require(BUDGET)
    assert stage.attempts() == 0
    stage.prefer(limited(9.0))
    stage.auto().require(DONE)
    assert ledger(stage)[0] == row
    assert json.loads((stage.state / "metrics.json").read_text())["projectStartedAt"] == 5


def test_what_a_failed_session_cost_is_counted(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [usage(micro_usd=5_000), {"error": "bad-request", "text": "it broke"}], steps(TASK))
    stage.auto().require(PAUSED)
    assert spent(stage) == 5_000
    assert sum(float(str(row["cost"])) for row in ledger(stage)) == pytest.approx(0.005)
