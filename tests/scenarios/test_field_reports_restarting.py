"""What users met after a crash, a restart, or a silence (groups B and C), with several milestones at once."""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from milepost.testing.projects import hang, say, steps, tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, task
from scenarios.stage import BLOCKED, DONE, PAUSED, wait_until

FIRST = task("M001")
SECOND = task("M002")


@pytest.mark.spec(id="FM-28")
@pytest.mark.spec(id="PR-194")
@pytest.mark.spec(id="DV-19")
def test_restart_with_two_half_done_milestones(fleet: FleetStage) -> None:
    """gsd-pi#742: after a restart M002 blocked M003 and M003 blocked M002."""
    fleet.plan(tasks=2)
    for mid in PAIR:
        fleet.replay(task(mid, 2), [tool("write", path=f"half-{mid}.txt", content="half\n"), hang()])
    for _ in range(2):
        fleet.begin()
        for mid in PAIR:
            half = fleet.tree(mid) / f"half-{mid}.txt"
            wait_until(lambda mid=mid: fleet.attempts(f"{mid}/S01/T02") > len(seen(fleet, mid)), seconds=PATIENCE_S)
            wait_until(half.exists, seconds=PATIENCE_S)
        fleet.kill_everything()
        assert fleet.look()["active"] is False
    for mid in PAIR:
        fleet.replay(task(mid, 2), steps(task(mid, 2)))
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)
    for mid in PAIR:
        assert fleet.attempts(f"{mid}/S01/T01") == 1, "what was done is not paid for again"
        assert fleet.git("show", f"main:half-{mid}.txt") == "half\n"


def seen(fleet: FleetStage, mid: str) -> list[dict[str, object]]:
    """Attempts at the second task that a kill ended."""
    ended = {e["attempt"] for e in fleet.events("attempt-ended")}
    return [e for e in fleet.events("attempt-started") if e["unit"] == f"{mid}/S01/T02" and e["attempt"] in ended]


@pytest.mark.spec(id="FM-93")
@pytest.mark.spec(id="DV-14")
@pytest.mark.spec(id="PR-088")
def test_completed_milestone_and_coordinator_memory_lost(fleet: FleetStage) -> None:
    """gsd-2#2812: merge said that there was nothing to merge, since it believed what the coordinator remembered."""
    fleet.plan(parallel={"auto_merge": "manual"})
    fleet.fleet().require(PAUSED)
    for name in ("parallel", "runtime", "journal"):
        fleet.git("clean", "-qfdx", f".gsd/{name}")
    (fleet.state / "orchestrator.json").unlink()
    assert not (fleet.state / "journal").exists()
    # Asked from inside another milestone's worktree, too (gsd-2 PR#2026).
    ran = fleet.parallel("merge", cwd=fleet.tree("M002") / "src").require(DONE)
    assert ran.out.count("merged successfully") == 2
    fleet.require_landed_whole(*PAIR)


def test_another_program_at_work_in_a_worktree_is_no_crash(fleet: FleetStage) -> None:
    """gsd-2#5714, the other way round: GSD itself works there, and is not fought over with restarts."""
    fleet.plan()
    fleet.replay(FIRST, [hang()])
    fleet.begin()
    wait_until(lambda: fleet.status("M001").get("doing") == "working", seconds=PATIENCE_S)
    fleet.kill_everything()
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        at = "2026-01-01T00:00:00Z"
        lock = {"pid": other.pid, "startedAt": at, "unitStartedAt": at, "unitType": "execute-task",
                "unitId": "M001/S01/T01", "completedUnits": 0}  # fmt: skip
        (fleet.tree("M001") / ".gsd/auto.lock").write_text(json.dumps(lock))
        ran = fleet.fleet().require(BLOCKED)
        assert f"pid {other.pid}" in ran.out
        assert fleet.spawned("M001") == 2
        assert fleet.landed() == ["M002"]
    finally:
        other.kill()
        other.wait()


@pytest.mark.spec(id="FM-02")
@pytest.mark.spec(id="DV-08")
@pytest.mark.parametrize("committed", [True, False], ids=["plan committed", "plan ignored"])
def test_two_workers_and_one_physical_state_dir_through_a_symlink(fleet: FleetStage, committed: bool) -> None:
    """gsd-2#2184: every worktree's state directory was a link to the same one, and so was its lock."""
    fleet.plan(git={} if committed else {"commit_docs": "false"}, plan_committed=committed)
    if not committed:
        (fleet.root / ".gitignore").write_text(".gsd\n")
        fleet.git("add", ".gitignore")
        fleet.git("commit", "-qm", "ignore")
    elsewhere = fleet.root.parent / "state"
    fleet.state.rename(elsewhere)
    fleet.state.symlink_to(elsewhere)
    if committed:
        ran = fleet.fleet().require(BLOCKED)
        assert ".gsd is a symbolic link" in ran.out
        assert fleet.attempts() == 0
        return
    gates = {mid: fleet.hold(task(mid)) for mid in PAIR}
    process = fleet.begin()
    for gate in gates.values():
        gate.wait()
    locks = {mid: json.loads((fleet.tree(mid) / ".gsd/auto.lock").read_text()) for mid in PAIR}
    assert {mid: lock["unitId"] for mid, lock in locks.items()} == {mid: f"{mid}/S01/T01" for mid in PAIR}
    assert len({lock["pid"] for lock in locks.values()}) == 2
    for gate in gates.values():
        gate.open()
    fleet.end(process).require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.attempts() == 6


@pytest.mark.spec(id="FM-18")
@pytest.mark.spec(id="FM-19")
@pytest.mark.spec(id="FM-31")
@pytest.mark.spec(id="FM-51")
def test_worker_re_acquires_its_own_lease_from_another_path(fleet: FleetStage) -> None:
    """gsd-pi#1716: a worker was locked out by its own lease when the project was reached by another path."""
    fleet.plan()
    link = fleet.root.parent / "link"
    link.symlink_to(fleet.root)
    gates = {mid: fleet.hold(task(mid)) for mid in PAIR}
    fleet.door = link
    process = fleet.begin()
    for gate in gates.values():
        gate.wait()
    pids = {mid: fleet.status(mid)["pid"] for mid in PAIR}
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    # One worker dies, the other lives; a coordinator at the real path takes both up.
    os.killpg(int(str(pids["M001"])), signal.SIGKILL)
    gates["M001"].open()
    fleet.door = None
    process = fleet.begin()
    wait_until(lambda: len(fleet.events("fleet-started")) == 2, seconds=PATIENCE_S)
    gates["M002"].open()
    ran = fleet.end(process).require(DONE)
    assert f"M002 is being worked on already (pid {pids['M002']}): adopted" in ran.out
    fleet.require_done(*PAIR)
    assert fleet.spawned("M002") == 1
    assert fleet.attempts("M002/S01/T01") == 1


@pytest.mark.spec(id="FM-09")
def test_pid_reused_and_own_pid_taken_for_a_crashed_one(fleet: FleetStage) -> None:
    """gsd-2#5714, PR#1289: a number in a file was believed to be the worker that it once was."""
    fleet.plan()
    fleet.replay(FIRST, [hang()])
    fleet.begin()
    wait_until(lambda: fleet.status("M001").get("doing") == "working", seconds=PATIENCE_S)
    fleet.kill_everything()
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        said = fleet.status("M001")
        now = time.time_ns() // 1_000_000
        for mid in PAIR:
            stale = {**said, "milestoneId": mid, "pid": bystander.pid, "lastHeartbeat": now, "state": "running"}
            fleet.status_file(mid).write_text(json.dumps(stale))
        for name in ("M001", "M002", "coordinator", "auto"):
            lease = fleet.state / "parallel" / f"{name}.lease"
            lease.write_text(json.dumps({"pid": bystander.pid, "run": "r-old", "host": "", "boot_id": ""}) + "\n")
        # And so does the lock file of GSD itself, which is older than the process that now has the number.
        at = "2020-01-01T00:00:00Z"
        lock = {"pid": bystander.pid, "startedAt": at, "unitStartedAt": at, "unitType": "execute-task",
                "unitId": "M001/S01/T01", "completedUnits": 0}  # fmt: skip
        (fleet.tree("M001") / ".gsd/auto.lock").write_text(json.dumps(lock))
        os.utime(fleet.tree("M001") / ".gsd/auto.lock", (1, 1))
        assert fleet.look()["active"] is False
        assert fleet.worker("M001")["alive"] is False
        assert "There was nothing to stop" in fleet.parallel("stop").require(DONE).out
        assert "Nothing of the fleet was running" in fleet.parallel("panic").require(DONE).out
        fleet.replay(FIRST, steps(FIRST))
        fleet.fleet().require(DONE)
        fleet.require_done(*PAIR)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def beat(fleet: FleetStage, mid: str, *, ago_s: float) -> None:
    """Let the last heartbeat of a worker, which stands still, be so long ago."""
    said = fleet.status(mid)
    at = time.time_ns() // 1_000_000 - round(ago_s * 1000)
    fleet.status_file(mid).write_text(json.dumps({**said, "lastHeartbeat": at, "lastProgress": at}))


@pytest.mark.spec(id="FM-04")
@pytest.mark.spec(id="FM-12")
@pytest.mark.spec(id="PR-152")
def test_15_s_silence_between_units_must_not_kill(fleet: FleetStage) -> None:
    """gsd-2#3428: workers were killed 15 s after their last word, between two units, and shown as an error."""
    fleet.plan(tasks=2)
    gate = fleet.hold(FIRST)
    process = fleet.begin()
    gate.wait()
    fleet.parallel("pause", "M001").require(DONE)
    gate.open()
    wait_until(lambda: fleet.status("M001").get("state") == "paused", seconds=PATIENCE_S)
    assert fleet.status("M001")["currentUnit"] is None
    pid = int(str(fleet.status("M001")["pid"]))
    os.kill(pid, signal.SIGSTOP)
    beat(fleet, "M001", ago_s=16)
    found = fleet.worker("M001")
    assert (found["state"], found["alive"], found["doing"]) == ("paused", True, "paused")
    beat(fleet, "M001", ago_s=90)
    found = fleet.worker("M001")
    assert (found["state"], found["alive"], found["doing"]) == ("paused", True, "unresponsive")
    # The other one has been merged meanwhile: the coordinator has looked at the silent one many times.
    wait_until(lambda: fleet.landed() == ["M002"], seconds=PATIENCE_S)
    os.kill(pid, signal.SIGCONT)
    fleet.parallel("resume", "M001").require(DONE)
    fleet.end(process).require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.spawned("M001") == 1
    assert fleet.attempts() == 8


@pytest.mark.spec(id="FM-46")
@pytest.mark.spec(id="FM-05")
def test_suspend_for_8_h_mid_unit(fleet: FleetStage) -> None:
    """orca#20194: a laptop that slept had every worker declared dead, and their units were begun a second time."""
    fleet.plan()
    gate = fleet.hold(FIRST)
    process = fleet.begin()
    gate.wait()
    wait_until(lambda: fleet.landed() == ["M002"], seconds=PATIENCE_S)
    group = fleet.pids()
    for pid in group:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: frozen(group))
    beat(fleet, "M001", ago_s=8 * 3600)
    # The coordinator wakes up first, and finds everybody silent since yesterday.
    os.kill(process.pid, signal.SIGCONT)
    out = fleet.read(process)
    wait_until(lambda: "M001 does not answer" in out(), seconds=PATIENCE_S)
    found = fleet.worker("M001")
    assert (found["alive"], found["state"], found["doing"]) == (True, "running", "unresponsive")
    assert "its process lives, and its heart has not beaten for 288" in str(found["cause"])
    assert [(row["kind"], row["milestoneId"]) for row in fleet.waits()] == [("unresponsive", "M001")]
    for pid in group:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    gate.open()
    fleet.end(process).require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.spawned("M001") == 1
    assert fleet.attempts("M001/S01/T01") == 1


def frozen(pids: list[int]) -> bool:
    """Whether none of them runs."""
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZ":
                return False
    return True


@pytest.mark.spec(id="FM-20")
def test_same_unit_re_dispatched_across_recovery_levels_and_restarts_must_count(fleet: FleetStage) -> None:
    """gsd-2#5564: 43 dispatches of one unit, because each restart and each recovery level counted from zero."""
    fleet.plan()
    words = [tool("write", path="half.txt", content="half\n"), say("Done.")]
    fleet.replay(FIRST, [*words, hang()])
    fleet.begin()
    wait_until(lambda: fleet.landed() == ["M002"] and (fleet.tree("M001") / "half.txt").exists(), seconds=PATIENCE_S)
    fleet.kill_everything()
    assert fleet.attempts("M001/S01/T01") == 1
    fleet.replay(FIRST, words)
    for _ in range(3):
        ran = fleet.fleet().require(BLOCKED)
        assert "tried 3 times on the same inputs without finishing" in ran.out
        assert "gsd parallel start --retry M001" in ran.out
        assert fleet.attempts("M001/S01/T01") == 3
    print(fleet.waits())
    assert [row["kind"] for row in fleet.waits()] == ["blocked"]
    fleet.replay(FIRST, steps(FIRST))
    fleet.fleet("--retry", "M001").require(DONE)
    assert fleet.attempts("M001/S01/T01") == 4
    fleet.require_done(*PAIR)


def test_gate_harness_truncated_or_killed_is_inconclusive(fleet: FleetStage) -> None:
    """gsd-pi#1128, cqlite#1825: a verifier that was killed was taken for work that failed."""
    gate = fleet.root.parent / "gate.sh"
    gate.write_text("case $PWD in */M001) kill -KILL $$;; esac\n")
    fleet.plan(verify=f"sh {gate}")
    ran = fleet.fleet().require(BLOCKED)
    assert fleet.landed() == ["M002"]
    assert "could not be judged" in ran.out
    assert "SIGKILL" in ran.out
    [row] = fleet.waits()
    assert row["milestoneId"] == "M001"
    assert "gsd parallel start" in str(row["next"])
    gate.write_text("exit 0\n")
    fleet.fleet().require(DONE)
    assert fleet.attempts("M001/S01/T01") == 1
    fleet.require_done(*PAIR)
