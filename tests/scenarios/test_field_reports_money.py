"""What limits, budgets and silent providers cost users (group D, and #43), with several milestones at once."""

import pytest

from fakemodel.replies import Answer, Asked, Call, Counted, Failing, Reply
from fakemodel.server import FakeModel
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.store.journal import Journal
from milepost.testing.projects import steps, usage
from scenarios.fleet_stage import PAIR, PATIENCE_S, TRIO, FleetStage, task
from scenarios.stage import BLOCKED, BUDGET, DONE, INTERRUPTED, PAUSED, wait_until

FIRST = task("M001")
SECOND = task("M002")
DOWN = Failing(503, "upstream connect error", retry_after="0")


def ended(fleet: FleetStage, mid: str) -> dict[str, object]:
    """How the last worker of a milestone ended; empty while none has."""
    found = [e for e in fleet.events("run-ended") if e["milestone"] == mid]
    return found[-1] if found else {}


def test_complete_printed_by_the_model_ends_nothing_and_api_down_does_not_exit_0(fleet: FleetStage) -> None:
    """gsd-2#879, #5202: a run ended at the word "complete", and with exit code 0 when no provider answered."""
    fleet.plan()

    def answer(asked: Asked) -> Answer:
        if "milestone M001" in asked.texts[0]:
            return DOWN
        return Reply("Milestone complete. All milestones complete. M002 is complete.")

    with FakeModel(answer) as server:
        process = fleet.begin("--model", "openai/gpt-5.5", **server.env("openai"))
        wait_until(lambda: all(ended(fleet, mid) for mid in PAIR), seconds=PATIENCE_S)
        # The provider comes back some time: that milestone waits, and nobody has to do anything.
        down, words = ended(fleet, "M001"), ended(fleet, "M002")
        assert (down["state"], down["passing"]) == ("paused", True)
        assert "upstream connect error" in str(down["reason"])
        assert (words["state"], words["passing"]) == ("blocked", False)
        assert "tried 3 times" in str(words["reason"])
        found = {row["milestoneId"]: row["kind"] for row in fleet.waits()}
        assert found == {"M002": "blocked"}
        assert fleet.worker("M001")["doing"] == "waiting"
        assert process.poll() is None
        fleet.parallel("stop").require(DONE)
        fleet.end(process).require(INTERRUPTED)
    assert fleet.log() == ["first"]
    # With nobody who answers at all, and nothing that passes by itself, it ends, and says so.
    with FakeModel(lambda _: Failing(401, "no such key")) as server:
        ran = fleet.fleet("--model", "openai/gpt-5.5", "--retry", **server.env("openai"))
    assert ran.code in (BLOCKED, PAUSED), ran.said
    assert "no such key" in ran.out


def test_limit_text_unknown_to_the_classifier_parks_and_three_workers_wake_without_a_storm(fleet: FleetStage) -> None:
    """gsd-2#4373, teamclaude#84: an unknown wording failed the unit; and all workers woke up at the same moment.

    How they wake is shown in test_waking_one_by_one.
    """
    fleet.plan(TRIO, parallel={"max_workers": 3})
    with FakeModel(lambda _: Failing(429, "Your ration is used up, come back later", retry_after="0")) as server:
        process = fleet.begin("--model", "openai/gpt-5.5", **server.env("openai"))
        wait_until(lambda: all(ended(fleet, mid) for mid in TRIO), seconds=PATIENCE_S)
        asked = len(server.seen)
        assert {mid: ended(fleet, mid)["passing"] for mid in TRIO} == dict.fromkeys(TRIO, True)
        assert process.poll() is None
        fleet.parallel("stop").require(DONE)
        fleet.end(process).require(INTERRUPTED)
        assert len(server.seen) == asked, "nobody is asked while all wait"
    # The unit is not failed: its attempts are not used up.
    assert {e["result"] for e in fleet.events("attempt-ended")} == {"provider-error"}
    # And then they all go on.
    fleet.fleet().require(DONE)
    fleet.require_done(*TRIO)


def test_a_limit_that_is_not_even_told_by_a_status_parks_the_unit(fleet: FleetStage) -> None:
    """gsd-2#4373: words that nobody knows do not fail a milestone; its worker waits, and goes on later by itself."""
    fleet.plan()
    fleet.replay(FIRST, [{"error": "unknown", "text": "the well is dry until the moon is full"}], steps(FIRST))
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)
    assert [e["result"] for e in fleet.events("attempt-ended")].count("provider-error") == 1
    [wait] = fleet.events("wait-began")
    assert (wait["kind"], wait["unit"], wait["text"]) == ("unknown", FIRST, "the well is dry until the moon is full")


def limited(fleet: FleetStage, ceiling: float, *, tasks: int = 2, **costs: int) -> None:
    """A fleet with a ceiling; what each task of a milestone costs, in micro-USD."""
    fleet.plan(parallel={"budget_ceiling": ceiling}, tasks=tasks)
    for mid, cost in costs.items():
        for number in range(1, tasks + 1):
            unit = task(mid, number)
            fleet.replay(unit, [usage(micro_usd=cost), *steps(unit)[1:]])


@pytest.mark.spec(id="FM-35")
@pytest.mark.spec(id="DV-02")
@pytest.mark.spec(id="PR-063")
def test_two_workers_reserve_the_last_dollar_at_the_same_time(fleet: FleetStage) -> None:
    """gbrain#4365: two workers looked at the same rest, and both spent it."""
    limited(fleet, 1.0, tasks=1)
    past(fleet, 600_000)
    gates = {mid: fleet.hold(task(mid), after=[usage(micro_usd=600_000), *steps(task(mid))[1:]]) for mid in PAIR}
    process = fleet.begin()
    wait_until(lambda: any(gate.begun.exists() for gate in gates.values()), seconds=PATIENCE_S)
    wait_until(lambda: "waiting for money" in said(fleet), seconds=PATIENCE_S)
    [one] = [mid for mid, gate in gates.items() if gate.begun.exists()]
    [other] = set(PAIR) - {one}
    assert [e["microUsd"] for e in fleet.events("budget-reserved")] == [600_000]
    assert (fleet.worker(other)["alive"], fleet.worker(other)["doing"]) == (True, "waiting")
    assert "waiting for money" in fleet.parallel("status").out
    for gate in gates.values():
        gate.open()
    ran = fleet.end(process).require(BUDGET)
    assert "does not fit the budget of all workers" in ran.out
    assert not [e for e in fleet.events("attempt-started") if str(e["unit"]).startswith(other)]
    assert float(str(fleet.look()["totalCost"])) <= 1.0


def past(fleet: FleetStage, micro_usd: int) -> None:
    """A task of long ago that cost this, so that the next is expected to; it is of no session that counts now."""
    journal = Journal(fleet.state, "M000")
    facts = {"at_ms": 1, "run": "r-0", "attempt": "old"}
    journal.append(AttemptStarted(kind="execute-task", unit="M000/S01/T01", base="", branch="", fingerprint="", number=1, **facts))  # type: ignore[arg-type] # fmt: skip # noqa: E501
    journal.append(UsageReported(model="m", input=1, output=1, micro_usd=micro_usd, **facts))  # type: ignore[arg-type]
    journal.append(AttemptEnded(result=Result.COMMITTED, **facts))  # type: ignore[arg-type]


def said(fleet: FleetStage) -> str:
    """What the workers have said."""
    return "".join(log.read_text() for log in (fleet.state / "parallel/logs").glob("*.out"))


@pytest.mark.spec(id="PR-197")
@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="DV-02")
def test_budget_stop_is_resumable_and_keeps_its_reason_through_joins(fleet: FleetStage) -> None:
    """atomic PR#2691: a budget stop came out of the join as a failure, and could not be resumed."""
    limited(fleet, 1.0, tasks=3, M001=300_000, M002=300_000)
    ran = fleet.fleet().require(BUDGET)
    last = fleet.events("fleet-ended")[-1]
    assert last["state"] == "budget"
    for mid in PAIR:
        reason = str(ended(fleet, mid)["reason"])
        assert "does not fit the budget of all workers" in reason
        assert reason in ran.out
        assert reason in str(last["reason"])
        assert fleet.worker(mid)["doing"] == "out-of-budget"
    assert [row["kind"] for row in fleet.waits()] == ["budget", "budget"]
    found = fleet.look()["budget"]
    assert isinstance(found, dict)
    assert found["reserved"] == 0
    paid = fleet.attempts()
    fleet.fleet().require(BUDGET)
    assert fleet.attempts() == paid
    settings = (fleet.state / "PREFERENCES.md").read_text()
    fleet.prefer(settings.replace("budget_ceiling: 1.0", "budget_ceiling: 9.0"))
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)
    assert len(fleet.events("attempt-ended")) == fleet.attempts()


@pytest.mark.spec(id="PR-140")
def test_billed_call_whose_output_fails_to_parse_still_counts(fleet: FleetStage) -> None:
    """mini-swe-agent #915: answers that could not be read were billed, and not counted."""
    fleet.plan(parallel={"budget_ceiling": 0.5})
    bad = Reply(calls=[Call("write", raw='{"path": "a", "cont')], usage=Counted(input=400_000))
    with FakeModel(lambda _: bad) as server:
        fleet.fleet("--model", "openai/gpt-5.5", **server.env("openai")).require(BUDGET)
        paid, asked = fleet.look()["totalCost"], len(server.seen)
    billed = {round(float(str(e["microUsd"]))) for e in fleet.events("usage-reported")}
    assert len(fleet.events("usage-reported")) == asked
    assert paid == pytest.approx(asked * billed.pop() / 1_000_000)
    assert asked <= 3, "each of the two had one request on its way when the ceiling was reached"
    assert fleet.log() == ["first"]
