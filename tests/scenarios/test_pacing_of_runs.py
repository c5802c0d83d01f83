"""A window of money or tokens that is used up: the run waits, says so, remembers it, and goes on by itself."""

import os
import re
import signal
import time
from collections.abc import Callable

import anyio
import pytest

from milepost.formats.journal import BudgetWaiting, UsageReported
from milepost.formats.preferences import BudgetWindow
from milepost.model.units import Unit, UnitKind
from milepost.testing import projects
from milepost.testing.projects import steps, usage
from milepost.unit.bench import Bench
from milepost.worker import pacing
from scenarios.fleet_stage import PATIENCE_S, FleetStage, task
from scenarios.stage import DONE, INTERRUPTED, PAUSED, Stage, finish, wait_until
from unit.workbench import bench_for
from worker.shifts import QUICK, shift_for

TASK = "execute-task/M001/S01/T01"
HOUR_MS = 3_600_000


def prefer(*lines: str) -> str:
    return projects.QUICK.replace("---\n", "\n".join(["---", *lines, ""]), 1)


def pacing_told(bench: Bench) -> bool:
    return any(isinstance(e, BudgetWaiting) for e in bench.journal.everything())


def costing(stage: Stage, **request: int | None) -> None:
    stage.replay(TASK, [usage(**request), *steps(TASK)[1:]])  # type: ignore[arg-type]


@pytest.mark.covers("key:budget_window[].usd", "key:budget_window[].hours")
def test_a_run_waits_for_its_window_and_a_restart_waits_for_the_same_moment(stage: Stage) -> None:
    stage.make(tasks=2, preferences=prefer("budget_window: {usd: 1, hours: 5}"))
    costing(stage, micro_usd=990_000)
    first = stage.start()
    wait_until(lambda: stage.events("budget-waiting"), seconds=120)
    spent_at = int(str(stage.events("usage-reported")[0]["atMs"]))
    assert stage.events("budget-waiting")[0]["untilMs"] == spent_at + 5 * HOUR_MS
    assert stage.events("budget-waiting")[0]["unit"] == "execute-task/M001/S01/T02"
    assert stage.attempts() == 1
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()

    second = stage.start()
    wait_until(lambda: len(stage.events("budget-waiting")) == 2, seconds=120)
    dry = stage.gsd("next", "--dry-run").require(DONE).out
    assert "budget window: $0.990 of $1.00 used in the last 5 h" in dry
    assert "Window: $0.990 of $1.00 in the last 5 h" in stage.gsd("history", "--cost").require(DONE).out
    stage.gsd("pause").require(DONE)
    ran = finish(second).require(PAUSED)
    assert "waiting until" in ran.out
    until = {e["untilMs"] for e in stage.events("budget-waiting")}
    assert until == {spent_at + 5 * HOUR_MS}
    assert stage.attempts() == 1

    stage.prefer(prefer("budget_window: {usd: 9, hours: 5}"))
    stage.auto().require(DONE)
    assert stage.attempts() == 4


@pytest.mark.covers("key:reserve_for_person")
def test_a_share_of_the_window_is_kept_for_the_person(stage: Stage) -> None:
    stage.make(tasks=2, preferences=prefer("budget_window: {usd: 10, hours: 5}", "reserve_for_person: 90"))
    costing(stage, micro_usd=990_000)
    running = stage.start()
    wait_until(lambda: stage.events("budget-waiting"), seconds=120)
    assert "$9.00 of it kept for you" in str(stage.events("budget-waiting")[0]["reason"])
    stage.gsd("stop").require(DONE)
    finish(running).require(INTERRUPTED)
    stage.prefer(prefer("budget_window: {usd: 10, hours: 5}"))
    stage.auto().require(DONE)


@pytest.mark.covers("key:billing.tokens_per_window", "key:billing.window_hours")
def test_a_flat_rate_waits_for_its_tokens(stage: Stage) -> None:
    flat = "billing: {flat_rate: ['openai/*', scripted], window_hours: 2, tokens_per_window: 1000}"
    stage.make(tasks=2, preferences=prefer(flat, "budget_ceiling: 0.01"))
    costing(stage, micro_usd=None, input=940, output=10)
    running = stage.start("--model", "openai/gpt-5.5")
    wait_until(lambda: stage.events("budget-waiting"), seconds=120)
    told = stage.events("budget-waiting")[0]
    assert told["reason"] == "flat rate window: 950 tokens of 1.0k tokens used in the last 2 h"
    assert int(str(told["untilMs"])) == int(str(stage.events("usage-reported")[0]["atMs"])) + 2 * HOUR_MS
    out = stage.gsd("history", "--cost").require(DONE).out
    assert "flat rate: 950 tokens, 95 % of this 2 h window" in out
    stage.gsd("stop").require(DONE)
    finish(running).require(INTERRUPTED)


def test_the_wait_ends_when_the_clock_says_so(stage: Stage) -> None:
    """A clock that jumps, as after a suspend, is believed."""
    stage.make(tasks=2)
    clock = [time.time_ns() // 1_000_000]
    now: Callable[[], int] = lambda: clock[0]  # noqa: E731
    preferences = QUICK._replace(budget_window=(BudgetWindow(usd=1, hours=5),))
    bench = bench_for(stage.root, preferences=preferences, now_ms=now)
    shift = shift_for(stage.root, preferences=preferences, now_ms=now)
    unit = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02")

    async def run() -> list[bool]:
        found = [await pacing.waited(unit, bench, shift)]
        bench.journal.append(
            UsageReported(at_ms=clock[0], run=bench.run, attempt="a", model="m", input=1, output=1, micro_usd=1_000_000)
        )
        async with anyio.create_task_group() as tasks:

            async def jump() -> None:
                while not pacing_told(bench):  # noqa: ASYNC110 (the other side is a file)
                    await anyio.sleep(0.01)
                clock[0] += 5 * HOUR_MS

            tasks.start_soon(jump)
            found.append(await pacing.waited(unit, bench, shift))
        found.append(await pacing.waited(unit, bench, shift))
        return found

    assert anyio.run(run) == [False, True, False]


@pytest.mark.covers("key:budget_window[].usd", "command:parallel status")
def test_a_worker_that_waits_for_a_window_says_so_and_until_when(fleet: FleetStage) -> None:
    """As with a provider that is waited for: it is alive and well, and nobody is to look after it."""
    fleet.plan(("M001",), more="budget_window: {usd: 1, hours: 5}\n", tasks=2)
    fleet.replay(task("M001"), [usage(micro_usd=990_000), *projects.steps(task("M001"))[1:]])
    process = fleet.begin()
    wait_until(lambda: fleet.worker("M001").get("doing") == "waiting", seconds=PATIENCE_S)
    seen = fleet.worker("M001")
    [told] = fleet.events("budget-waiting")
    assert (seen["state"], seen["alive"], seen["wakesAt"]) == ("running", True, told["untilMs"])
    assert seen["currentUnit"] is None
    text = fleet.parallel("status").require(DONE).out
    assert re.search(
        r"M001 waiting: budget window: \$0\.990 of \$1\.00 used in the last 5 h; it goes on in 4:\d\d:\d\d", text
    )
    assert "NO PROGRESS" not in text
    assert fleet.waits() == []
    assert "worker" not in fleet.gsd("doctor").out
    beat = fleet.status("M001")["lastHeartbeat"]
    wait_until(lambda: fleet.status("M001")["lastHeartbeat"] != beat, seconds=PATIENCE_S)
    fleet.parallel("pause", "M001").require(DONE)
    wait_until(lambda: fleet.worker("M001").get("doing") == "paused", seconds=PATIENCE_S)
    assert fleet.worker("M001")["wakesAt"] is None
    fleet.parallel("resume", "M001").require(DONE)
    wait_until(lambda: fleet.worker("M001").get("doing") == "waiting", seconds=PATIENCE_S)
    fleet.parallel("stop").require(DONE)
    fleet.end(process)
    assert fleet.worker("M001").get("wakesAt") is None
