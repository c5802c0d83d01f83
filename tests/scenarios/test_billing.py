"""Prices of the user's own and flat rates count from the first request on, wherever a cost is shown or bounded."""

import json

import pytest

from milepost.testing import projects
from milepost.testing.projects import steps, usage
from scenarios.stage import BUDGET, DONE, Stage

TASK = "execute-task/M001/S01/T01"


def prefer(*lines: str) -> str:
    return projects.QUICK.replace("---\n", "\n".join(["---", *lines, ""]), 1)


def costing(stage: Stage, *requests: projects.Step) -> None:
    stage.replay(TASK, [*requests, *steps(TASK)[1:]])


@pytest.mark.covers("key:prices.*.input", "key:prices.*.output", "key:prices.*.cache_read", "key:prices.*.cache_write")
def test_a_price_of_ones_own_is_what_is_booked(stage: Stage) -> None:
    own = "prices: {scripted: {input: 2, output: 30, cache_read: 0.5, cache_write: 4}}"
    stage.make(preferences=prefer(own))
    costing(
        stage,
        {
            "usage": {
                "input": 1000,
                "output": 100,
                "cache_read": 10_000,
                "cache_write": 500,
                "micro_usd": None,
                "model": "scripted",
            }
        },
    )
    stage.auto().require(DONE)
    assert stage.events("usage-reported")[0]["microUsd"] == 2_000 + 3_000 + 5_000 + 2_000
    row = next(r for r in json.loads((stage.state / "metrics.json").read_text())["units"] if r["id"] == "M001/S01/T01")
    assert row["cost"] == 0.012


def test_a_ceiling_counts_at_ones_own_price(stage: Stage) -> None:
    stage.make(tasks=3, preferences=prefer("budget_ceiling: 1", "prices: {'scr*': {input: 1000, output: 0}}"))
    costing(stage, usage(micro_usd=1, input=900))
    stage.auto().require(BUDGET)
    assert stage.attempts() == 1


@pytest.mark.covers("key:billing.flat_rate")
def test_a_flat_rate_is_counted_in_tokens_and_no_ceiling_of_money_counts_it(stage: Stage) -> None:
    stage.make(tasks=2, preferences=prefer("budget_ceiling: 0.01", "billing: {flat_rate: ['scripted']}"))
    costing(stage, usage(micro_usd=9_000_000, input=1_000_000, output=200_000))
    ran = stage.auto().require(DONE)
    assert "flat rate: 1.20M tokens" in ran.out
    assert "$" not in ran.out.splitlines()[-1]
    assert all(e["flat"] and e["microUsd"] is None for e in stage.events("usage-reported"))
    out = stage.gsd("history").require(DONE).out
    assert "flat rate: 1.20M tokens" in out
    assert "unknown price" not in out
    summary = json.loads(stage.gsd("history", "--json").require(DONE).out)["total"]
    assert (summary["cost"], summary["unpricedRequests"]) == (None, 0)
    assert summary["flatRateTokens"] == summary["tokens"]["total"]
