"""What happens at a ceiling, by `budget_enforcement`; and which way leads on: only a higher ceiling."""

import pytest

from milepost.testing import projects
from milepost.testing.projects import hang, steps, tool, usage
from scenarios.stage import BUDGET, DONE, Stage

TASK = "execute-task/M001/S01/T01"


def prefer(*lines: str) -> str:
    return projects.QUICK.replace("---\n", "\n".join(["---", *lines, ""]), 1)


def task(number: int) -> str:
    return f"execute-task/M001/S01/T{number:02}"


def costing(stage: Stage, unit: str, *requests: projects.Step) -> None:
    stage.replay(unit, [*requests, *steps(unit)[1:]])


def ended(stage: Stage) -> str:
    return str(stage.events("run-ended")[-1]["reason"])


def spent(stage: Stage) -> int:
    return sum(int(str(e["microUsd"] or 0)) for e in stage.events("usage-reported"))


@pytest.mark.covers("key:budget_enforcement")
@pytest.mark.spec(id="PR-242")
@pytest.mark.parametrize(
    ("mode", "code", "words"), [("pause", BUDGET, "paused: "), ("halt", BUDGET, "halted: "), ("warn", DONE, "")]
)
def test_the_three_modes(stage: Stage, mode: str, code: int, words: str) -> None:
    stage.make(tasks=3, preferences=prefer("budget_ceiling: 0.1", f"budget_enforcement: {mode}"))
    costing(stage, TASK, usage(micro_usd=99_500))
    ran = stage.auto().require(code)
    assert f"budget: {'100' if mode == 'warn' else '90'} %" in ran.out
    assert stage.attempts() == (5 if mode == "warn" else 1)
    if words:
        assert ended(stage).startswith(f"{words}execute-task M001/S01/T02 does not fit the budget")
        assert stage.events("run-ended")[-1]["state"] == "budget"


@pytest.mark.covers("key:budget_ceiling")
@pytest.mark.parametrize("mode", ["pause", "halt"])
def test_only_a_higher_ceiling_leads_on(stage: Stage, mode: str) -> None:
    stage.make(tasks=2, preferences=prefer("budget_ceiling: 1", f"budget_enforcement: {mode}"))
    stage.replay(
        TASK,
        [usage(micro_usd=600_000), tool("write", path="half.txt", content="x"), usage(micro_usd=600_000), hang()],
    )
    stage.auto().require(BUDGET)
    assert spent(stage) == 1_200_000
    for same in (0.5, 1, 1.2):
        stage.prefer(prefer(f"budget_ceiling: {same}", f"budget_enforcement: {mode}"))
        stage.auto().require(BUDGET)
    assert stage.attempts() == 1
    stage.prefer(prefer("budget_ceiling: 9", f"budget_enforcement: {mode}"))
    stage.replay(TASK, steps(TASK))
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 2


def test_each_level_is_said_once(stage: Stage) -> None:
    stage.make(tasks=4, preferences=prefer("budget_ceiling: 1", "budget_enforcement: warn"))
    for number, cost in enumerate((760_000, 50_000, 100_000, 95_000), start=1):
        costing(stage, task(number), usage(micro_usd=cost))
    ran = stage.auto().require(DONE)
    assert [e["percent"] for e in stage.events("budget-alerted")] == [75, 80, 90, 100]
    assert [ran.out.count(f"budget: {level} %") for level in (75, 80, 90, 100)] == [1, 1, 1, 1]


def test_two_ceilings_hold_in_the_middle_of_a_unit(stage: Stage) -> None:
    """The project's and that of this run: whichever is passed first ends the session."""
    stage.make(preferences=prefer("budget_ceiling: 1.3"))
    spending = [usage(micro_usd=300_000), tool("write", path="a.txt", content="a"), usage(micro_usd=300_000)]
    late = [tool("write", path="late.txt", content="late"), hang()]
    stage.replay(TASK, [*spending, *late])
    first = stage.auto("--max-cost", "0.5").require(BUDGET)
    assert "the limit of this run" in first.out
    assert spent(stage) == 600_000
    stage.replay(TASK, [usage(micro_usd=800_000), *late])
    second = stage.auto("--max-cost", "5").require(BUDGET)
    assert "does not fit the budget:" in second.out
    assert spent(stage) == 1_400_000
    assert not (stage.worktree / "late.txt").exists()


@pytest.mark.covers("key:billing.flat_rate")
def test_what_costs_no_money_goes_on_above_the_ceiling(stage: Stage) -> None:
    stage.make(tasks=2, preferences=prefer("budget_ceiling: 1"))
    costing(stage, TASK, usage(micro_usd=1_500_000))
    stage.auto("--model", "openai/gpt-5.5").require(BUDGET)
    assert stage.attempts() == 1
    stage.prefer(prefer("budget_ceiling: 1", "billing: {flat_rate: ['openai/*', scripted]}"))
    stage.auto("--model", "openai/gpt-5.5").require(DONE)
    assert spent(stage) == 1_500_000
