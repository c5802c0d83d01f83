"""A session makes no request that would carry it over the ceiling."""

import pytest

from fakemodel.replies import Asked, Call, Counted, Reply
from fakemodel.server import FakeModel
from scenarios.honest_model import honest
from scenarios.stage import BUDGET, DONE, Stage

USAGE = Counted(input=1_000, output=100)
EACH = 8_000
"""Micro-USD of one such request."""
CEILING = "---\nbudget_ceiling: {ceiling}\nphases:\n  skip_research: true\n  skip_slice_research: true\n---\n"


def looking(asked: Asked) -> Reply:
    """It looks around and never writes."""
    return Reply("Hm.", calls=[Call("list", {"path": "."})], usage=USAGE)


def working(asked: Asked) -> Reply:
    """Everything at once, then a word."""
    reply = honest(asked)
    assert isinstance(reply, Reply)
    return Reply(reply.text, calls=reply.calls, usage=USAGE)


@pytest.mark.covers("key:budget_ceiling")
@pytest.mark.parametrize("most", [2, 3, 6])
def test_what_would_not_fit_is_not_asked(stage: Stage, most: int) -> None:
    """Half as much again as the dearest request so far must be left."""
    ceiling = EACH * (most + 0.5)
    stage.make(preferences=CEILING.format(ceiling=ceiling / 1_000_000))
    with FakeModel(looking) as server:
        ran = stage.gsd("auto", "--model", "openai/gpt-5.5", **server.env("openai")).require(BUDGET)
        assert len(server.seen) == most
    spent = [int(str(e["microUsd"])) for e in stage.events("usage-reported")]
    assert spent == [EACH] * most
    assert "does not fit the budget" in ran.out
    assert [e["result"] for e in stage.events("attempt-ended")] == ["over-budget"]


def test_work_that_is_there_counts(stage: Stage) -> None:
    """Only the last word was not asked for."""
    stage.make(preferences=CEILING.format(ceiling=EACH * 2.5 / 1_000_000))
    with FakeModel(working) as server:
        stage.gsd("auto", "--model", "openai/gpt-5.5", "--max-units", "1", **server.env("openai")).require(DONE)
        assert len(server.seen) == 2
    assert [e["result"] for e in stage.events("attempt-ended")] == ["committed"]
