"""Each key below `parallel` that a whole fleet is needed for, and each order that reaches a worker at work."""

import pytest

from milepost.testing import projects
from milepost.testing.projects import tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, settings, task
from scenarios.stage import BLOCKED, DONE, ERROR, PAUSED, wait_until

SEVERAL = ("M001", "M002", "M003", "M004", "M005")


def happened(fleet: FleetStage, event: str, mid: str) -> int:
    """Where in the journal that is said of the milestone first."""
    return next(at for at, e in enumerate(fleet.events()) if e["event"] == event and mid in (e.get("milestone"), e.get("unit")))  # fmt: skip # noqa: E501


@pytest.mark.covers("key:parallel.max_workers", "key:parallel.worker_model")
def test_one_worker_at_a_time_with_the_workers_model(fleet: FleetStage) -> None:
    fleet.plan(PAIR, parallel={"max_workers": 1, "worker_model": "scripted-small"})
    fleet.fleet().require(DONE)
    assert happened(fleet, "run-ended", "M001") < happened(fleet, "worker-spawned", "M002")
    assert {e["model"] for e in fleet.events("attempt-started")} == {"scripted-small"}


@pytest.mark.covers("key:parallel.max_workers_limit")
def test_more_than_four_workers_when_the_limit_is_raised(fleet: FleetStage) -> None:
    fleet.plan(SEVERAL, parallel={"max_workers": 5, "max_restarts": 0})
    refused = fleet.fleet().require(ERROR)
    assert "must be a number between 1 and 4" in refused.said
    assert "parallel.max_workers_limit" in refused.said
    fleet.prefer(settings({"max_workers": 5, "max_workers_limit": 5, "max_restarts": 0}))
    here = fleet.root.parent / "here"
    here.mkdir()
    # Each ends when all five are there.
    waits = f'touch "{here}/$GSD_MILESTONE_LOCK"; until test "$(ls "{here}" | wc -l)" = 5; do sleep 0.05; done\n'
    program = fleet.root.parent / "program"
    program.write_text(f"#!/bin/sh\n{waits}")
    program.chmod(0o755)
    fleet.fleet(GSD_BIN_PATH=str(program)).require(BLOCKED)
    assert [fleet.spawned(mid) for mid in SEVERAL] == [1] * 5


@pytest.mark.covers("key:parallel.overlap_policy")
def test_milestones_that_touch_the_same_file_are_worked_one_after_the_other(fleet: FleetStage) -> None:
    fleet.plan(PAIR, parallel={"overlap_policy": "serialize"})
    for mid in PAIR:
        plan = fleet.path("slices/S01/S01-PLAN.md", mid)
        plan.write_text(plan.read_text() + "\n## Files Likely Touched\n\n- `src/app.txt`\n")
    fleet.git("commit", "-qam", "both touch it")
    fleet.fleet().require(DONE)
    assert happened(fleet, "landed", "M001") < happened(fleet, "worker-spawned", "M002")


@pytest.mark.covers("key:parallel.merge_order", "key:parallel.auto_merge", "command:parallel merge")
@pytest.mark.parametrize(("order", "landed"), [("sequential", ["M001", "M002"]), ("by-completion", ["M002", "M001"])])
def test_in_which_order_what_is_complete_is_merged(fleet: FleetStage, order: str, landed: list[str]) -> None:
    fleet.plan(PAIR, parallel={"auto_merge": "manual", "merge_order": order})
    gate = fleet.hold(task("M001"))
    process = fleet.begin()
    wait_until(lambda: any(e["milestone"] == "M002" for e in fleet.events("run-ended")), seconds=PATIENCE_S)
    gate.open()
    fleet.end(process).require(PAUSED)
    assert fleet.landed() == []
    fleet.parallel("merge").require(DONE)
    assert fleet.landed() == landed


@pytest.mark.covers("key:parallel.ports", "key:parallel.setup_commands")
def test_a_workers_commands_have_ports_after_the_setting_up(fleet: FleetStage) -> None:
    fleet.plan(("M001",), parallel={"ports": 20, "setup_commands": "['touch set-up']"})
    fleet.also(task("M001"), tool("shell", command="ls set-up && echo $GSD_PORT_COUNT > count && rm set-up"))
    fleet.fleet().require(DONE)
    assert fleet.git("show", "main:count") == "20\n"


@pytest.mark.covers("command:parallel rebase", "command:parallel pause", "command:parallel resume")
def test_orders_reach_a_worker_of_a_fleet(fleet: FleetStage) -> None:
    fleet.plan(("M001",), tasks=2)
    gate = fleet.hold(task("M001"))
    process = fleet.begin()
    gate.wait()
    projects.write(fleet.root, {"src/new.txt": "meanwhile\n"})
    fleet.git("add", "src")
    fleet.git("commit", "-qm", "meanwhile")
    for order in ("rebase", "pause"):
        fleet.parallel(order, "M001").require(DONE)
    gate.open()
    wait_until(lambda: fleet.status("M001")["state"] == "paused", seconds=PATIENCE_S)
    assert fleet.attempts() == 1
    fleet.parallel("resume", "M001").require(DONE)
    fleet.end(process).require(DONE)
    assert [e["target"] for e in fleet.events("brought-in")] == ["main"]
    fleet.require_landed_whole("M001")


@pytest.mark.covers("command:parallel", "key:parallel.enabled")
def test_parallel_alone_means_start(fleet: FleetStage) -> None:
    fleet.plan(PAIR)
    said = fleet.gsd("parallel", "--dry-run").require(DONE).out
    assert said.startswith("# Parallel Eligibility Report\n")
    assert said == fleet.gsd("parallel", "start", "--dry-run").require(DONE).out
    typed = fleet.gsd("parallel", "--yes", "--agent", fleet.agent()).require(DONE)
    assert "Parallel orchestration started.\n" in typed.out
    fleet.require_done(*PAIR)
