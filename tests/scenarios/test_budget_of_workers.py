"""Money of parallel workers, each the real command on its milestone: stops, waits, resumes, says why."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakemodel.replies import Call, Counted, Reply
from fakemodel.server import FakeModel
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.rules import budget
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.testing.projects import raw_shell, say, steps, tool, usage
from scenarios.stage import BUDGET, DONE, Ran, Stage, finish, wait_until

SESSION = "f-1"
PAIR = ("M001", "M002")
Process = subprocess.Popen[bytes]


def limited(ceiling: float, more: str = "") -> str:
    text = f"---\nparallel:\n  enabled: true\n  budget_ceiling: {ceiling}\n{more}"
    return projects.QUICK.replace("---\n", text, 1)


class Crew:
    """Workers of one session; what is left of them ends with the test."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.started: list[Process] = []

    def make(self, ceiling: float, *, tasks: int = 3, more: str = "", **costs: int) -> None:
        """A project of two milestones; what each task of them costs (`M001=…`, micro-USD)."""
        self.stage.make(milestones=PAIR, tasks=tasks, preferences=limited(ceiling, more))
        for mid, cost in costs.items():
            for number in range(1, tasks + 1):
                self.cost(f"execute-task/{mid}/S01/T{number:02}", cost)

    def cost(self, unit: str, *micro_usd: int | None, first: tuple[projects.Step, ...] = ()) -> None:
        """Let a unit's session cost this, one request each."""
        self.stage.replay(unit, [*first, *(usage(micro_usd=cost) for cost in micro_usd), *steps(unit)[1:]])

    def start(self, mid: str, *args: str, **env: str) -> Process:
        given = {"GSD_MILESTONE_LOCK": mid, "GSD_PARALLEL_WORKER": "1", "GSD_FLEET": SESSION}
        agent = () if "--model" in args else ("--agent", self.stage.agent())
        process = subprocess.Popen(
            self.stage.argv("headless", "--json", "auto", *agent, *args),
            cwd=self.stage.root, env=self.stage.environment({**given, **env}),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def run(self) -> dict[str, Ran]:
        """Both at once, to their ends."""
        both = {mid: self.start(mid) for mid in PAIR}
        return {mid: finish(process, seconds=90) for mid, process in both.items()}

    def status(self, mid: str) -> dict[str, object]:
        try:
            found: dict[str, object] = json.loads((self.stage.state / "parallel" / f"{mid}.status.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def standing(self, ceiling: float) -> budget.Standing:
        events = Journal(self.stage.state, "project").everything()
        return budget.standing(events, SESSION, budget.Limits(fleet=round(ceiling * 1_000_000), own=None))

    def ends(self, mid: str) -> list[dict[str, object]]:
        return [e for e in self.stage.events("run-ended") if e.get("milestone") == mid]


@pytest.fixture
def crew(stage: Stage) -> Iterator[Crew]:
    found = Crew(stage)
    yield found
    for process in found.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def lines(ran: Ran) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def past(stage: Stage, micro_usd: int) -> None:
    """A task of long ago that cost this, so that the next is expected to."""
    journal = Journal(stage.state, "M000")
    facts = {"at_ms": 1, "run": "r-0", "attempt": "old"}
    journal.append(AttemptStarted(kind="execute-task", unit="M000/S01/T01", base="", branch="", fingerprint="", number=1, **facts))  # type: ignore[arg-type] # fmt: skip
    journal.append(UsageReported(model="m", input=1, output=1, micro_usd=micro_usd, **facts))  # type: ignore[arg-type]
    journal.append(AttemptEnded(result=Result.COMMITTED, **facts))  # type: ignore[arg-type]


@pytest.mark.spec(id="PR-063")
@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="PR-197")
@pytest.mark.spec(id="DV-02")
def test_budget_stop_is_resumable_and_keeps_its_reason(crew: Crew) -> None:
    crew.make(1.0, M001=240_000, M002=240_000)
    ended = crew.run()
    for mid, ran in ended.items():
        ran.require(BUDGET)
        [end] = crew.ends(mid)
        assert end["state"] == "budget"
        assert "does not fit the budget of all workers: " in str(end["reason"])
        assert str(end["hint"]) == "Raise parallel.budget_ceiling in the preferences, then gsd parallel start."
        assert crew.status(mid)["reason"] == end["reason"]
        last = lines(ran)[-1]
        assert (last["exitCode"], last["reason"]) == (BUDGET, end["reason"])
    found = crew.standing(1.0)
    assert 700_000 <= found.fleet.books.spent <= 1_000_000 + 2 * 240_000
    assert found.fleet.books.reserved == 0
    assert found.fleet.books.spent == sum(line.books.spent for line in found.workers.values())
    done = crew.stage.attempts()

    for mid in PAIR:
        finish(crew.start(mid)).require(BUDGET)
    assert crew.stage.attempts() == done, "nothing was begun while the ceiling was as it was"

    crew.stage.prefer(limited(9.0))
    for mid, ran in crew.run().items():
        ran.require(DONE)
        assert crew.ends(mid)[-1]["state"] == "done"
    committed = [e["attempt"] for e in crew.stage.events("attempt-ended") if e["result"] == "committed"]
    assert len(committed) == len(set(committed)) == 2 * 5


@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="DV-02")
def test_a_worker_is_stopped_in_mid_unit_by_what_its_sibling_spends(crew: Crew) -> None:
    crew.make(1.0, tasks=1)
    begun = crew.stage.root.parent / "begun"
    ours = "execute-task/M001/S01/T01"
    wait = raw_shell("sh", "-c", f"touch '{begun}'; until grep -q 990000 .gsd-journal; do sleep 0.05; done")
    journal = crew.stage.state / "journal" / "M002.jsonl"
    wait["raw_shell"][2] = wait["raw_shell"][2].replace(".gsd-journal", f"'{journal}'")  # type: ignore[index]
    crew.stage.replay(
        ours, [usage(micro_usd=20_000), tool("write", path="half.txt", content="half\n"), wait,
               *[usage(micro_usd=20_000)] * 5, *steps(ours)],
    )  # fmt: skip
    crew.cost("execute-task/M002/S01/T01", 990_000)
    first = crew.start("M001")
    wait_until(begun.exists, seconds=60)
    finish(crew.start("M002"), seconds=60).require(BUDGET)
    finish(first, seconds=60).require(BUDGET)
    spent = [e["microUsd"] for e in crew.stage.events("usage-reported") if str(e["attempt"]).startswith("M001")]
    assert spent == [20_000, 20_000], "one request was on its way; no other was made"
    [end] = [e for e in crew.stage.events("attempt-ended") if str(e["attempt"]).startswith("M001")]
    assert end["result"] == "over-budget"
    assert (crew.stage.state / "worktrees" / "M001" / "half.txt").exists(), "its work is kept"


@pytest.mark.spec(id="PR-316")
@pytest.mark.spec(id="FM-35")
def test_who_waits_for_money_is_alive_hears_orders_and_goes_on(crew: Crew) -> None:
    crew.make(1.0, tasks=1)
    past(crew.stage, 600_000)
    gate, begun = crew.stage.root.parent / "go", crew.stage.root.parent / "begun"
    hold = raw_shell("sh", "-c", f"touch '{begun}'; until test -f '{gate}'; do sleep 0.05; done")
    crew.cost("execute-task/M001/S01/T01", 1_000, first=(hold,))
    crew.cost("execute-task/M002/S01/T01", 1_000)
    first = crew.start("M001")
    wait_until(begun.exists, seconds=60)
    second = crew.start("M002")
    wait_until(lambda: crew.status("M002").get("doing") == "waiting", seconds=60)
    assert str(crew.status("M002")["reason"]).startswith("waiting for money: ")
    assert "wakesAt" not in crew.status("M002"), "nobody knows when the other is done"
    was = int(str(crew.status("M002")["lastHeartbeat"]))
    wait_until(lambda: int(str(crew.status("M002")["lastHeartbeat"])) > was, seconds=60)
    assert crew.status("M002").get("currentUnit") is None
    assert crew.stage.attempts("M002/S01/T01") == 0
    _order(crew, "pause")
    wait_until(lambda: crew.status("M002").get("state") == "paused", seconds=60)
    _order(crew, "resume")
    wait_until(lambda: crew.status("M002").get("state") == "running", seconds=60)
    assert crew.stage.attempts("M002/S01/T01") == 0
    gate.touch()
    finish(first, seconds=60).require(DONE)
    ran = finish(second, seconds=60).require(DONE)
    assert ran.out.count("waiting for money") >= 1


@pytest.mark.spec(id="PR-140")
@pytest.mark.spec(id="PR-314")
@pytest.mark.spec(id="PR-317")
@pytest.mark.spec(id="FM-36")
def test_every_account_of_the_money_says_the_same(crew: Crew) -> None:
    crew.make(50.0, tasks=2, M001=123_456, M002=1_234)
    ended = crew.run()
    found = crew.standing(50.0)
    total = 0.0
    for mid, ran in ended.items():
        said = [float(str(line["cost"])) for line in lines(ran.require(DONE)) if line["type"] == "usage"]
        journal = found.workers[mid].books.spent
        assert round(sum(said) * 1_000_000) == journal > 0
        status = crew.status(mid)
        assert round(float(str(status["cost"])) * 1_000_000) == journal
        own = json.loads((crew.stage.state / "worktrees" / mid / ".gsd" / "metrics.json").read_text())["units"]
        assert round(sum(row["cost"] for row in own) * 1_000_000) == journal
        total += float(str(status["cost"]))
    assert round(total * 1_000_000) == found.fleet.books.spent
    assert found.fleet.left == 50_000_000 - found.fleet.books.spent


@pytest.mark.spec(id="PR-142")
@pytest.mark.spec(id="FM-34")
def test_what_the_project_cost_before_stops_no_worker_at_once(crew: Crew) -> None:
    crew.make(5.0, tasks=1, more="budget_ceiling: 1.0\n")
    row = {"type": "plan-milestone", "id": "M000", "cost": 80.0, "tokens": {"total": 5}}
    (crew.stage.state / "metrics.json").write_text(
        json.dumps({"version": 1, "projectStartedAt": 5, "units": [row]})
    )  # fmt: skip
    journal = Journal(crew.stage.state, "M000")
    journal.append(UsageReported(at_ms=1, run="r-0", attempt="o", model="m", input=1, output=1, micro_usd=70_000_000))
    crew.stage.auto().require(BUDGET)
    assert crew.stage.attempts() == 0, "an auto mode counts the whole project"
    for ran in crew.run().values():
        ran.require(DONE)


def test_only_a_warning_says_so_once_and_goes_on(crew: Crew) -> None:
    crew.make(0.5, tasks=2, more="budget_enforcement: warn\n", M001=400_000, M002=400_000)
    said = "".join(ran.require(DONE).out for ran in crew.run().values())
    percents = [e["percent"] for e in crew.stage.events("budget-alerted")]
    assert percents[-1] == 100
    assert len(percents) == len(set(map(str, percents)))
    assert said.count("budget of all workers: 100 % of $0.500 is spent") == 1


def test_billed_call_whose_output_fails_to_parse_still_counts(crew: Crew) -> None:
    crew.make(0.5, tasks=1)
    bad = Reply(calls=[Call("write", raw='{"path": "a", "cont')], usage=Counted(input=900_000))
    with FakeModel([bad] * 9) as server:
        first = finish(crew.start("M001", "--model", "openai/gpt-5.5", **server.env("openai")), seconds=60)
        first.require(BUDGET)
        assert len(server.seen) == 1
        second = finish(crew.start("M002", "--model", "openai/gpt-5.5", **server.env("openai")), seconds=60)
        second.require(BUDGET)
        assert len(server.seen) == 1, "what one worker was billed for nothing counts for all"
    assert crew.standing(0.5).fleet.books.spent > 500_000


def test_billed_call_of_a_session_that_failed_counts_for_all_workers(crew: Crew) -> None:
    crew.make(1.0, tasks=1)
    crew.stage.replay(
        "execute-task/M001/S01/T01",
        [usage(micro_usd=950_000), say("half an ans"), {"error": "stream", "text": "the answer broke off"}],
    )
    finish(crew.start("M001"), seconds=60)
    finish(crew.start("M002"), seconds=60).require(BUDGET)
    assert crew.stage.attempts("M002/S01/T01") == 0


def _order(crew: Crew, what: str) -> None:
    path: Path = crew.stage.state / "parallel" / "M002.signal.json"
    text = json.dumps({"signal": what, "sentAt": 1_763_760_000_000, "from": "coordinator"})
    path.with_suffix(".tmp").write_text(text)
    path.with_suffix(".tmp").rename(path)
