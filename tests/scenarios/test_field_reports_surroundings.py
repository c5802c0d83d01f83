"""What the machine around did to users' runs (groups B, F and G), with several milestones at once."""

import os
import signal
from pathlib import Path

import pytest

from milepost.testing.projects import steps, tool
from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, task
from scenarios.stage import BLOCKED, DONE, INTERRUPTED, PAUSED, wait_until


def sign_with_a_prompt(fleet: FleetStage) -> None:
    """Every commit is to be signed by a program that asks at a terminal."""
    program = fleet.root.parent / "pinentry.sh"
    program.write_text("#!/bin/sh\nread answer </dev/tty || { echo 'gpg: cannot open /dev/tty' >&2; exit 2; }\n")
    program.chmod(0o755)
    fleet.git("config", "commit.gpgSign", "true")
    fleet.git("config", "gpg.program", str(program))
    fleet.git("config", "user.signingKey", "ABCD")


def test_commit_signing_prompts_with_no_tty(fleet: FleetStage) -> None:
    """soleur#7644: nine commits waited for ever for a passphrase that nobody could type."""
    fleet.plan()
    sign_with_a_prompt(fleet)
    ran = fleet.fleet().require(BLOCKED)
    assert "cannot open /dev/tty" in ran.out or "sign" in ran.out
    found = {row["milestoneId"]: str(row["reason"]) for row in fleet.waits()}
    assert set(found) == set(PAIR)
    assert all("sign" in reason for reason in found.values())
    assert fleet.attempts() == 2
    fleet.git("config", "commit.gpgSign", "false")
    fleet.fleet().require(DONE)
    fleet.require_done(*PAIR)
    assert fleet.attempts() == 6, "what was made is committed, and not made again"


def test_commit_signing_prompts_with_no_tty_when_it_is_merged(fleet: FleetStage) -> None:
    """soleur#7644: the same at the other end of the work."""
    fleet.plan(parallel={"auto_merge": "manual"})
    fleet.fleet().require(PAUSED)
    sign_with_a_prompt(fleet)
    results = fleet.merges()
    assert [(r["success"], r["outcome"]) for r in results] == [(False, "refused")] * 2
    assert all("sign" in str(r["reason"]) for r in results)
    assert all((fleet.tree(mid) / ".git").is_file() for mid in PAIR)
    assert fleet.log() == ["first"]
    fleet.git("config", "commit.gpgSign", "false")
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*PAIR)


SERVER = "(setsid sh -c 'echo $$ >> pids-MID; sh -c \"echo \\$\\$ >> pids-MID; exec sleep 600\" & exec sleep 600' &) ; sleep 600"
"""A server with a child, in a session of its own, as one that speaks MCP is started; nobody is its parent any more."""


@pytest.mark.spec(id="FM-13")
@pytest.mark.parametrize("how", ["stop", "panic", "SIGTERM", "kill -9 of the worker"])
def test_grandchildren_and_mcp_servers_gone_after_stop(fleet: FleetStage, how: str) -> None:
    """gsd-2 PR#2801, CC#28126: 172 processes were left when everything had been stopped."""
    fleet.plan()
    for mid in PAIR:
        fleet.replay(task(mid), [tool("shell", command=SERVER.replace("MID", mid)), *steps(task(mid))])
    process = fleet.begin()
    left = [fleet.tree(mid) / f"pids-{mid}" for mid in PAIR]
    wait_until(lambda: all(file.exists() and len(file.read_text().split()) == 2 for file in left), seconds=PATIENCE_S)
    servers = [int(pid) for file in left for pid in file.read_text().split()]
    assert all(runs(pid) for pid in servers)
    if how == "kill -9 of the worker":
        for mid in PAIR:
            os.killpg(int(str(fleet.status(mid)["pid"])), signal.SIGKILL)
        # Each of them is started again, and ends what the dead one left.
        for mid in PAIR:
            fleet.replay(task(mid), steps(task(mid)))
        fleet.agent()
        fleet.end(process).require(DONE)
    elif how == "SIGTERM":
        process.send_signal(signal.SIGTERM)
        fleet.end(process).require(INTERRUPTED)
    else:
        fleet.parallel(how).require(DONE)
        fleet.end(process)
    assert [pid for pid in servers if runs(pid)] == []
    wait_until(lambda: fleet.pids() == [])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.spec(id="FM-100")
def test_push_configured_but_nothing_pushed_is_visible(fleet: FleetStage) -> None:
    """gsd-pi#2153: 189 commits of seven weeks were never pushed, and nothing said so."""
    fleet.plan(git={"auto_push": "true"})
    bare = fleet.root.parent / "remote.git"
    fleet.git("init", "-q", "--bare", "-b", "main", str(bare))
    fleet.git("remote", "add", "origin", str(bare))
    fleet.git("push", "-q", "origin", "main")
    hook = bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = fleet.fleet().require(BLOCKED)
    fleet.require_done(*PAIR)
    assert ran.out.count("NOT pushed: ") == 2
    assert "but origin does not have it" in ran.out
    assert "git push origin main" in ran.out
    assert [row["kind"] for row in fleet.waits()] == ["unpushed", "unpushed"]
    assert "NOT pushed: " in fleet.parallel("status").out
    # Nothing else is left to do, and starting again does not make it look well.
    fleet.fleet()
    assert [row["kind"] for row in fleet.waits()] == ["unpushed", "unpushed"]
    hook.unlink()
    fleet.git("push", "-q", "origin", "main")
    assert fleet.waits() == []
    assert "NOT pushed" not in fleet.parallel("status").out
