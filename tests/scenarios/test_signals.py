"""Stopping, pausing and killing a run, from the keyboard and from another terminal."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import hang, raw_shell, steps, tool
from scenarios.stage import BLOCKED, DONE, ERROR, INTERRUPTED, PAUSED, Stage, finish, picture, wait_until

TASK = "execute-task/M001/S01/T01"

Process = subprocess.Popen[bytes]


@pytest.fixture
def hanging(stage: Stage) -> Iterator[tuple[Stage, Process]]:
    """A run whose first task is begun and waits for ever."""
    stage.make(tasks=2)
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), hang()])
    process = stage.start()
    wait_until(lambda: (stage.worktree / "half.txt").exists())
    yield stage, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def goes_on(stage: Stage) -> None:
    """The next run finishes the project; the session that was cut off counts once."""
    stage.replay(TASK, steps(TASK))
    stage.auto().require(DONE)
    stage.require_landed()
    assert (stage.root / "half.txt").read_text() == "half\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_mid_session(hanging: tuple[Stage, Process], number: signal.Signals) -> None:
    stage, process = hanging
    before = picture(stage.root)
    process.send_signal(number)
    ran = finish(process)
    ran.require(INTERRUPTED)
    assert "gsd auto goes on from here" in ran.out
    assert picture(stage.root) == before
    assert not (stage.state / "auto.lock").exists()
    assert "stopped" in stage.gsd("status").require(DONE).out
    goes_on(stage)
    briefing = stage.prompts("M001-S01-T01")[1]
    assert "half.txt" in briefing


def test_a_signal_to_the_whole_group(hanging: tuple[Stage, Process]) -> None:
    """As Ctrl-C on a terminal does it."""
    stage, process = hanging
    os.killpg(process.pid, signal.SIGINT)
    finish(process).require(INTERRUPTED)
    goes_on(stage)


def test_a_signal_while_the_gate_runs(stage: Stage) -> None:
    """The first ends the gate, too; nothing of it stays behind, and nothing is paid for again."""
    gate = stage.root.parent / "gate.sh"
    pids = stage.root.parent / "pids"
    gate.write_text(f"echo $$ >> pids; test -f '{pids}' && exit 0; sleep 300\n")
    stage.make(verify=f"sh {gate}")
    process = stage.start()
    began = stage.worktree / "pids"
    wait_until(lambda: began.exists() and began.read_text().strip() != "")
    process.send_signal(signal.SIGINT)
    finish(process, seconds=20).require(INTERRUPTED)
    wait_until(lambda: not _runs(int(began.read_text().split()[0])))
    pids.touch()
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1


def test_a_second_signal_leaves_nothing_behind(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("shell", command="echo $$ > pid; trap '' TERM INT; sleep 300; sleep 300")])
    process = stage.start()
    wait_until(lambda: (stage.worktree / "pid").exists() and (stage.worktree / "pid").read_text().strip() != "")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    ran = finish(process, seconds=20)
    assert ran.code in (INTERRUPTED, -signal.SIGINT)
    wait_until(lambda: not _runs(int((stage.worktree / "pid").read_text())))
    stage.replay(TASK, steps(TASK))
    stage.auto().require(DONE)


def test_killed_outright(hanging: tuple[Stage, Process]) -> None:
    stage, process = hanging
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert "nothing" in stage.gsd("status").require(DONE).out
    stage.replay(TASK, steps(TASK))
    ran = stage.auto().require(DONE)
    assert "recovered execute-task M001/S01/T01" in ran.out
    stage.require_landed()
    assert "half.txt" in stage.prompts("M001-S01-T01")[1]


@pytest.mark.parametrize("deed", ["git switch -qc mine", "git checkout -q --detach && git commit -qm x --allow-empty"])
def test_killed_after_the_agent_left_the_branch(stage: Stage, deed: str) -> None:
    stage.make()
    stage.replay(TASK, [raw_shell("sh", "-c", f"echo x > half.txt; {deed}; touch ready"), hang()])
    process = stage.start()
    wait_until(lambda: (stage.worktree / "ready").exists())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    stage.replay(TASK, steps(TASK))
    stage.auto().require(DONE)
    stage.require_landed()
    assert (stage.root / "half.txt").exists()


@pytest.mark.covers("command:stop")
def test_stop_from_another_terminal(hanging: tuple[Stage, Process]) -> None:
    stage, process = hanging
    told = stage.gsd("stop").require(DONE)
    assert f"Stopped (pid {process.pid})" in told.out
    finish(process).require(INTERRUPTED)
    assert not list((stage.state / "parallel").glob("*.signal.json"))
    goes_on(stage)


@pytest.mark.covers("command:pause")
def test_pause_from_another_terminal(stage: Stage) -> None:
    stage.make(tasks=2)
    gate = stage.root.parent / "go"
    waiting = raw_shell("sh", "-c", f"touch begun; while ! test -f '{gate}'; do sleep 0.05; done; rm begun")
    stage.replay(TASK, [waiting, *steps(TASK)])
    process = stage.start()
    wait_until(lambda: (stage.worktree / "begun").exists())
    told = stage.gsd("pause").require(DONE)
    assert "Pausing after the current unit" in told.out
    gate.touch()
    ran = finish(process)
    ran.require(PAUSED)
    assert "paused by request" in ran.out
    assert stage.attempts() == 1
    assert [e["result"] for e in stage.events("attempt-ended")] == ["committed"]
    stage.auto().require(DONE)
    assert stage.attempts() == 4


def test_orders_when_nothing_runs(stage: Stage) -> None:
    stage.make()
    for command in ("stop", "pause"):
        assert "Nothing is running" in stage.gsd(command).require(DONE).out
    stage.auto().require(DONE)


def test_an_order_for_a_run_that_is_over(stage: Stage) -> None:
    stage.make()
    projects.write(
        stage.state,
        {"parallel/auto.signal.json": '{"signal":"stop","sentAt":1,"from":"person","run":"r-of-last-week"}'},
    )
    stage.auto().require(DONE)


def test_a_second_run_while_one_runs(hanging: tuple[Stage, Process]) -> None:
    stage, process = hanging
    ran = stage.auto().require(BLOCKED)
    assert f"pid {process.pid}" in ran.err
    assert "gsd stop" in ran.err
    told = stage.gsd("status").require(DONE)
    assert f"pid {process.pid}" in told.out
    assert "execute-task M001/S01/T01" in told.out
    stage.gsd("headless", "query").require(DONE)
    assert stage.attempts() == 1
    process.send_signal(signal.SIGTERM)
    finish(process).require(INTERRUPTED)


def test_a_number_in_the_lease_that_is_somebody_elses(stage: Stage) -> None:
    """A pid that was reused holds nothing: the kernel's lock is asked."""
    stage.make()
    projects.write(stage.state, {"parallel/auto.lease": json.dumps({"pid": os.getpid(), "run": "r-old"}) + "\n"})
    stage.auto().require(DONE)


def test_a_lock_of_a_dead_program(stage: Stage) -> None:
    stage.make()
    dead = {"pid": 999_999, "startedAt": "2026-01-01T00:00:00Z", "unitType": "execute-task", "unitId": "M001/S01/T01"}
    projects.write(
        stage.state, {"auto.lock": json.dumps({**dead, "unitStartedAt": dead["startedAt"], "completedUnits": 0})}
    )
    stage.auto().require(DONE)
    stage.require_landed()


def test_a_limit_on_the_whole_run(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), hang()])
    ran = stage.gsd("headless", "auto", "--agent", stage.agent(), "--timeout", "1500").require(ERROR)
    last = json.loads(ran.out.splitlines()[-1])
    assert "time limit" in last["reason"]
    stage.replay(TASK, steps(TASK))
    stage.auto().require(DONE)


def test_work_that_is_there_when_it_is_stopped_is_not_paid_for_again(stage: Stage) -> None:
    stage.make(tasks=2)
    stage.replay(TASK, [*steps(TASK), tool("write", path="last.txt", content="x\n"), hang()])
    process = stage.start()
    wait_until(lambda: (stage.worktree / "last.txt").exists())
    process.send_signal(signal.SIGTERM)
    finish(process).require(INTERRUPTED)
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1
    stage.require_landed()


def test_a_command_of_the_agent_ends_with_the_run(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("shell", command="echo $$ > pid; sleep 300")])
    process = stage.start()
    wait_until(lambda: (stage.worktree / "pid").exists() and (stage.worktree / "pid").read_text().strip() != "")
    process.send_signal(signal.SIGTERM)
    finish(process).require(INTERRUPTED)
    pid = int((stage.worktree / "pid").read_text())
    wait_until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_unit_that_takes_too_long(stage: Stage) -> None:
    limit = "---\nauto_supervisor: {hard_timeout_minutes: 0.01}\n"
    stage.make(preferences=projects.QUICK.replace("---\n", limit, 1))
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), hang()], steps(TASK))
    ran = stage.auto().require(DONE)
    assert "the limit of 3.6 s passed" in ran.out  # Six times as long, since the task is estimated at 5 minutes.
    assert (stage.root / "half.txt").exists()
