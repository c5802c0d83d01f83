"""A parallel worker as its own process, started by hand as the manual recipe says, and ordered about by files."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.process.identity import Identity, Liveness, liveness
from milepost.store import lease
from milepost.testing import projects
from milepost.testing.projects import hang, raw_shell, steps, tool
from scenarios.stage import BLOCKED, DONE, ERROR, INTERRUPTED, PAUSED, Ran, Stage, finish, wait_until

TASK = "execute-task/M001/S01/T01"
NEXT = "execute-task/M001/S01/T02"
Process = subprocess.Popen[bytes]


class Workers:
    """Workers of one project; what is left of them ends with the test."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.started: list[Process] = []

    def start(
        self, mid: str = "M001", *, cwd: Path | None = None, fds: tuple[int, ...] = (), args: tuple[str, ...] = (),
        command: str = "auto", **env: str,
    ) -> Process:  # fmt: skip
        """`GSD_MILESTONE_LOCK=M001 GSD_PARALLEL_WORKER=1 gsd headless --json auto`."""
        given = {"GSD_MILESTONE_LOCK": mid, "GSD_PARALLEL_WORKER": "1"} if mid else {}
        process = subprocess.Popen(
            self.stage.argv("headless", "--json", command, "--agent", self.stage.agent(), *args),
            cwd=cwd or self.stage.root, env=self.stage.environment({**given, **env}), pass_fds=fds,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def run(self, mid: str = "M001", **more: object) -> Ran:
        return finish(self.start(mid, **more))  # type: ignore[arg-type]

    def status(self, mid: str = "M001") -> dict[str, object]:
        """What the status file says; empty while there is none."""
        try:
            found: dict[str, object] = json.loads(self.path(mid).read_text())
        except FileNotFoundError:
            return {}
        return found

    def path(self, mid: str = "M001") -> Path:
        return self.stage.state / "parallel" / f"{mid}.status.json"

    def wait(self, mid: str = "M001", **fields: object) -> dict[str, object]:
        """Wait until the status file says so."""
        wait_until(lambda: fields.items() <= self.status(mid).items())
        return self.status(mid)

    def order(self, what: str, mid: str = "M001", **more: object) -> int:
        """Leave an order, byte for byte as GSD does."""
        at = time.time_ns() // 1_000_000
        text = json.dumps({"signal": what, "sentAt": at, "from": "coordinator", **more}, indent=2)
        path = self.stage.state / "parallel" / f"{mid}.signal.json"
        path.with_suffix(".tmp").write_text(text)
        path.with_suffix(".tmp").rename(path)
        return at

    def holder(self, mid: str = "M001") -> lease.Holder | None:
        state = self.stage.state
        return lease.holder(state / "parallel" / f"{mid}.lease", state / "journal" / f"{mid}.jsonl")

    def worktree(self, mid: str = "M001") -> Path:
        return self.stage.state / "worktrees" / mid

    def ends(self) -> list[dict[str, object]]:
        return self.stage.events("run-ended")


@pytest.fixture
def workers(stage: Stage) -> Iterator[Workers]:
    found = Workers(stage)
    yield found
    for process in found.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def waiting(workers: Workers) -> tuple[Workers, Process, Path]:
    """A worker whose first task waits until a file is there; and that file."""
    gate = workers.stage.root.parent / "go"
    workers.stage.make(tasks=2)
    workers.stage.replay(TASK, [_until(gate), *steps(TASK)])
    process = workers.start()
    wait_until(lambda: (workers.worktree() / "begun").exists())
    return workers, process, gate


@pytest.fixture
def hanging(workers: Workers) -> tuple[Workers, Process]:
    """A worker whose first task is begun and waits for ever."""
    workers.stage.make(tasks=2)
    workers.stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), hang()])
    process = workers.start()
    wait_until(lambda: (workers.worktree() / "half.txt").exists())
    return workers, process


def _until(gate: Path) -> projects.Step:
    return raw_shell("sh", "-c", f"touch begun; while ! test -f '{gate}'; do sleep 0.05; done; rm begun")


def identity_of(said: dict[str, object]) -> Identity:
    return Identity(
        host=str(said["host"]), boot_id=str(said["bootId"]), pid=int(str(said["pid"])),
        start_ticks=int(str(said["startTicks"])),
    )  # fmt: skip


def silent_ms(said: dict[str, object]) -> int:
    """From the last sign of the agent to the last beat."""
    # Before the agent's first word there is no progress to count from.
    return int(str(said["lastHeartbeat"])) - int(str(said.get("lastProgress", said["lastHeartbeat"])))


@pytest.mark.spec(id="PR-313")
@pytest.mark.spec(id="PR-020")
@pytest.mark.spec(id="PR-021")
@pytest.mark.spec(id="PR-022")
@pytest.mark.spec(id="PR-023")
@pytest.mark.spec(id="PR-025")
@pytest.mark.spec(id="PR-181")
@pytest.mark.spec(id="PR-182")
@pytest.mark.spec(id="DV-01")
@pytest.mark.spec(id="DV-04")
@pytest.mark.spec(id="DV-30")
@pytest.mark.spec(id="FM-01")
@pytest.mark.spec(id="FM-95")
def test_the_manual_recipe_runs_one_milestone_to_its_end(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"), tasks=2)
    ran = workers.run().require(DONE)
    assert [json.loads(line)["type"] for line in ran.out.splitlines()][-1] == "summary"
    # In its own worktree and branch, and nowhere else: a worker merges nothing.
    assert stage.log() == ["first"]
    assert len(stage.log("milestone/M001")) == 5
    assert stage.git("status", "--porcelain") == ""
    assert stage.git("status", "--porcelain", where=workers.worktree()) == ""
    assert not (stage.state / "STATE.md").exists()
    # Only its own milestone, in its own books.
    assert {str(e["unit"]).split("/")[0] for e in stage.events("attempt-started")} == {"M001"}
    rows = json.loads((workers.worktree() / ".gsd/metrics.json").read_text())["units"]
    assert [row["id"] for row in rows] == ["M001/S01/T01", "M001/S01/T02", "M001/S01", "M001"]
    assert not (stage.state / "metrics.json").exists()
    # A terminal record, and a last word that stays.
    [ended] = workers.ends()
    assert (ended["state"], ended["milestone"], ended["reason"]) == ("done", "M001", "M001 is complete")
    said = workers.status()
    assert (said["state"], said["doing"], said["completedUnits"], said["title"]) == (
        "stopped", "ended", 4, "Small files",
    )  # fmt: skip
    assert said["reason"] == ended["reason"]


@pytest.mark.spec(id="PR-194")
@pytest.mark.spec(id="PR-313")
def test_started_again_in_its_worktree_when_all_is_done(workers: Workers) -> None:
    workers.stage.make()
    workers.run().require(DONE)
    workers.run(cwd=workers.worktree()).require(DONE)
    assert workers.stage.attempts() == 3
    assert workers.status()["completedUnits"] == 3
    assert workers.status()["cost"] == 0.003


@pytest.mark.spec(id="PR-030")
@pytest.mark.spec(id="PR-032")
@pytest.mark.spec(id="PR-300")
@pytest.mark.spec(id="DV-10")
@pytest.mark.spec(id="FM-07")
@pytest.mark.spec(id="FM-08")
def test_what_the_status_file_says(hanging: tuple[Workers, Process]) -> None:
    workers, process = hanging
    said = workers.wait(doing="working")
    text = workers.path().read_text()
    assert text == json.dumps(said, indent=2)
    assert list(said)[:9] == [
        "milestoneId", "pid", "state", "currentUnit", "completedUnits", "cost", "lastHeartbeat", "startedAt",
        "worktreePath",
    ]  # fmt: skip
    assert (said["milestoneId"], said["pid"], said["state"]) == ("M001", process.pid, "running")
    unit = said["currentUnit"]
    assert isinstance(unit, dict)
    assert (unit["type"], unit["id"]) == ("execute-task", "M001/S01/T01")
    assert said["startedAt"] <= unit["startedAt"] <= said["lastHeartbeat"]  # type: ignore[operator]
    assert said["worktreePath"] == str(workers.worktree())
    assert liveness(identity_of(said)) is Liveness.ALIVE
    # Whoever says that it runs, holds the milestone under the same name.
    holder = workers.holder()
    assert holder is not None
    assert (holder.pid, holder.run) == (process.pid, said["run"])


@pytest.mark.spec(id="PR-026")
@pytest.mark.spec(id="PR-181")
@pytest.mark.spec(id="DV-08")
@pytest.mark.spec(id="FM-02")
@pytest.mark.spec(id="FM-36")
def test_two_workers_each_with_their_own_lock_and_books(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"))
    gates = {mid: stage.root.parent / f"go-{mid}" for mid in ("M001", "M002")}
    for mid, gate in gates.items():
        stage.replay(f"execute-task/{mid}/S01/T01", [_until(gate), *steps(f"execute-task/{mid}/S01/T01")])
    running = {mid: workers.start(mid) for mid in gates}
    for mid, process in running.items():
        lock = workers.worktree(mid) / ".gsd/auto.lock"
        wait_until(lock.exists)
        assert json.loads(lock.read_text())["pid"] == process.pid
        assert json.loads(lock.read_text())["unitId"] == f"{mid}/S01/T01"
    assert not (stage.state / "auto.lock").exists()
    for mid, process in running.items():
        gates[mid].touch()
        finish(process).require(DONE)
        assert not (workers.worktree(mid) / ".gsd/auto.lock").exists()
        rows = json.loads((workers.worktree(mid) / ".gsd/metrics.json").read_text())["units"]
        assert {row["id"].split("/")[0] for row in rows} == {mid}


def test_a_worker_leaves_the_processes_of_its_siblings_alone(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"))
    pid = workers.worktree() / "pid"
    stage.replay(TASK, [tool("shell", command="echo $$ > pid; exec sleep 300")])
    workers.start("M001")
    wait_until(lambda: pid.exists() and pid.read_text().strip() != "")
    workers.run("M002").require(DONE)
    assert Path(f"/proc/{int(pid.read_text())}").exists()


@pytest.mark.spec(id="PR-316")
@pytest.mark.spec(id="DV-10")
@pytest.mark.spec(id="FM-04")
@pytest.mark.spec(id="FM-05")
@pytest.mark.spec(id="FM-06")
def test_the_heart_beats_while_the_agent_is_silent_and_says_so(hanging: tuple[Workers, Process]) -> None:
    workers, _ = hanging
    wait_until(lambda: silent_ms(workers.status()) > 1_000)
    first = workers.status()
    wait_until(lambda: silent_ms(workers.status()) > 4_000)
    assert workers.status()["lastProgress"] == first["lastProgress"]


@pytest.mark.spec(id="FM-46")
def test_a_stopped_process_is_silent_and_alive_and_keeps_its_lease(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    workers.wait(doing="working")
    os.kill(process.pid, signal.SIGSTOP)
    said = workers.status()
    wait_until(lambda: time.time() * 1000 > int(str(said["lastHeartbeat"])) + 4_000)
    assert workers.status()["lastHeartbeat"] == said["lastHeartbeat"]
    assert liveness(identity_of(said)) is Liveness.ALIVE
    assert workers.holder() is not None
    assert "M001" in workers.run().require(BLOCKED).err
    os.kill(process.pid, signal.SIGCONT)
    gate.touch()
    finish(process).require(DONE)


@pytest.mark.spec(id="PR-031")
@pytest.mark.spec(id="PR-084")
@pytest.mark.spec(id="PR-085")
@pytest.mark.spec(id="PR-086")
@pytest.mark.spec(id="PR-087")
@pytest.mark.spec(id="PR-100")
@pytest.mark.spec(id="PR-101")
@pytest.mark.spec(id="PR-103")
@pytest.mark.spec(id="PR-308")
@pytest.mark.spec(id="DV-11")
@pytest.mark.spec(id="DV-12")
@pytest.mark.spec(id="FM-29")
@pytest.mark.spec(id="FM-30")
def test_a_pause_finishes_the_unit_and_then_really_waits(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    sent = workers.order("pause")
    said = workers.wait(doing="pausing")
    # Taken, and said at once; the unit goes on.
    last = said["lastOrder"]
    assert isinstance(last, dict)
    assert (last["signal"], last["sentAt"]) == ("pause", sent)
    assert said["state"] == "running"
    assert not (workers.stage.state / "parallel/M001.signal.json").exists()
    gate.touch()
    said = workers.wait(state="paused")
    assert (said["doing"], said["currentUnit"], said["completedUnits"]) == ("paused", None, 1)
    assert [e["result"] for e in workers.stage.events("attempt-ended")] == ["committed"]
    # It lives, beats, and keeps its lease, however long.
    wait_until(lambda: int(str(workers.status()["lastHeartbeat"])) > int(str(said["lastHeartbeat"])) + 3_000)
    assert process.poll() is None
    assert workers.status()["state"] == "paused"
    assert workers.holder() is not None
    assert workers.stage.attempts() == 1
    workers.order("resume")
    finish(process).require(DONE)
    assert [e["order"] for e in workers.stage.events("order-taken")] == ["pause", "resume"]
    assert workers.stage.attempts() == 4


@pytest.mark.spec(id="PR-086")
@pytest.mark.spec(id="PR-304")
def test_resume_takes_back_a_pause_that_has_not_begun(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    for _ in range(2):  # Twice is the same as once.
        workers.order("pause")
        workers.wait(doing="pausing")
    workers.order("resume")
    workers.wait(doing="working")
    gate.touch()
    finish(process).require(DONE)
    assert workers.ends()[-1]["state"] == "done"


@pytest.mark.spec(id="PR-083")
@pytest.mark.spec(id="PR-102")
@pytest.mark.spec(id="PR-104")
@pytest.mark.spec(id="PR-192")
@pytest.mark.spec(id="PR-328")
@pytest.mark.parametrize("how", ["order", "SIGTERM", "both"])
def test_a_stop_ends_the_session_at_once_and_keeps_its_work(hanging: tuple[Workers, Process], how: str) -> None:
    workers, process = hanging
    if how != "SIGTERM":
        workers.order("stop")
    if how != "order":
        # Whoever is impatient sends it more than once.
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
    finish(process).require(INTERRUPTED)
    said = workers.status()
    assert (said["state"], said["doing"], said["currentUnit"]) == ("stopped", "ended", None)
    assert str(said["reason"]).startswith("stopped by ")
    assert workers.ends()[-1]["state"] == "interrupted"
    assert (workers.worktree() / "half.txt").read_text() == "half\n"
    [kept] = [ref for ref in workers.stage.backups() if ref.endswith("-stopped")]
    assert workers.stage.git("show", f"{kept}:half.txt") == "half\n"
    assert not list((workers.stage.state / "parallel").glob("*.signal.json*"))
    assert workers.holder() is None
    workers.stage.replay(TASK, steps(TASK))
    workers.run().require(DONE)
    assert "half.txt" in workers.stage.prompts("M001-S01-T01")[1]


@pytest.mark.spec(id="PR-308")
@pytest.mark.spec(id="DV-29")
def test_a_stop_while_paused(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    workers.order("pause")
    workers.wait(doing="pausing")
    gate.touch()
    workers.wait(state="paused")
    workers.order("stop")
    finish(process).require(INTERRUPTED)
    assert workers.status()["state"] == "stopped"
    assert workers.stage.backups() == []
    workers.run().require(DONE)


@pytest.mark.spec(id="PR-026")
@pytest.mark.spec(id="PR-194")
@pytest.mark.spec(id="FM-31")
@pytest.mark.spec(id="FM-45")
@pytest.mark.spec(id="FM-47")
def test_killed_outright_and_started_again(hanging: tuple[Workers, Process]) -> None:
    workers, process = hanging
    said = workers.wait(doing="working")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    # Nothing has to expire: the kernel freed the lease, and the identity is dead.
    assert workers.holder() is None
    assert liveness(identity_of(said)) is Liveness.DEAD
    assert workers.status()["state"] == "running"
    assert workers.ends() == []
    workers.stage.replay(TASK, steps(TASK))
    ran = workers.run().require(DONE)
    assert "recovered execute-task M001/S01/T01" in ran.out
    assert "half.txt" in workers.stage.prompts("M001-S01-T01")[1]
    assert workers.status()["completedUnits"] == 4


@pytest.mark.spec(id="PR-194")
def test_killed_when_the_work_was_done_it_is_not_paid_for_again(workers: Workers) -> None:
    stage = workers.stage.make(tasks=2)
    stage.replay(TASK, [*steps(TASK), tool("write", path="last.txt", content="x\n"), hang()])
    process = workers.start()
    wait_until(lambda: (workers.worktree() / "last.txt").exists())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    workers.run().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1


@pytest.mark.spec(id="FM-41")
@pytest.mark.spec(id="DV-29")
def test_an_order_for_another_run_is_not_obeyed(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    workers.order("stop", run="r-of-last-week")
    wait_until(lambda: not (workers.stage.state / "parallel/M001.signal.json").exists())
    gate.touch()
    finish(process).require(DONE)
    assert workers.stage.events("order-taken") == []


@pytest.mark.spec(id="FM-41")
@pytest.mark.spec(id="DV-29")
def test_an_order_from_before_the_run_is_not_obeyed(workers: Workers) -> None:
    workers.stage.make()
    (workers.stage.state / "parallel").mkdir()
    workers.order("stop")
    workers.run().require(DONE)
    assert not list((workers.stage.state / "parallel").glob("*.signal.json*"))


@pytest.mark.spec(id="FM-41")
def test_an_order_for_this_run_may_be_there_before_it(workers: Workers) -> None:
    workers.stage.make()
    (workers.stage.state / "parallel").mkdir()
    workers.order("stop", run="r-mine")
    workers.run(GSD_WORKER_RUN="r-mine").require(INTERRUPTED)
    assert workers.stage.attempts() == 0


@pytest.mark.spec(id="FM-43")
@pytest.mark.spec(id="DV-26")
def test_an_order_that_cannot_be_read_is_kept_and_said(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    (workers.stage.state / "parallel/M001.signal.json").write_text('{"signal": "sto')
    bad = workers.stage.state / "parallel/M001.signal.json.bad"
    wait_until(bad.exists)
    gate.touch()
    assert "M001.signal.json.bad" in finish(process).require(DONE).out
    assert bad.read_text() == '{"signal": "sto'


@pytest.mark.spec(id="FM-19")
@pytest.mark.spec(id="FM-45")
def test_a_milestone_has_one_worker_and_a_fleet_no_auto_mode_beside_it(hanging: tuple[Workers, Process]) -> None:
    workers, process = hanging
    told = workers.run().require(BLOCKED)
    assert f"pid {process.pid}" in told.err
    assert "gsd parallel" in workers.stage.auto().require(BLOCKED).err
    assert workers.stage.attempts() == 1


@pytest.mark.spec(id="FM-02")
def test_an_auto_mode_has_no_worker_beside_it(workers: Workers) -> None:
    stage = workers.stage.make(tasks=2)
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), hang()])
    workers.start("")
    wait_until(lambda: (workers.worktree() / "half.txt").exists())
    workers.run().require(BLOCKED)
    assert workers.status() == {}


@pytest.mark.spec(id="FM-53")
def test_a_lock_alone_means_nothing(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"))
    ran = workers.run("", GSD_MILESTONE_LOCK="M002").require(DONE)
    assert "GSD_MILESTONE_LOCK=M002 is ignored" in ran.out
    assert len(stage.log()) == 3


@pytest.mark.spec(id="FM-50")
@pytest.mark.parametrize("mid", ["../../etc", "M1/../..", "m001"])
def test_a_lock_that_is_no_id(mid: str, workers: Workers) -> None:
    workers.stage.make()
    workers.run(mid).require(ERROR)
    assert not (workers.stage.state / "parallel").exists()


@pytest.mark.spec(id="FM-53")
def test_a_worker_without_a_milestone(workers: Workers) -> None:
    workers.stage.make()
    ran = workers.run("", GSD_PARALLEL_WORKER="1").require(ERROR)
    assert "GSD_MILESTONE_LOCK is not" in ran.err


@pytest.mark.spec(id="PR-310")
@pytest.mark.spec(id="FM-40")
@pytest.mark.spec(id="FM-51")
def test_the_project_and_the_directory_for_orders_are_the_assigned_ones(workers: Workers, tmp_path: Path) -> None:
    stage = workers.stage.make()
    other = tmp_path / "other"
    projects.tiny(other)
    right = {"GSD_PROJECT_ROOT": str(stage.root), "GSD_PARALLEL_DIR": str(stage.state / "parallel")}
    assert "belongs to" in workers.run(**{**right, "GSD_PROJECT_ROOT": str(other)}).require(ERROR).err
    assert "belongs to" in workers.run(cwd=other, **right).require(ERROR).err
    wrong = {**right, "GSD_PARALLEL_DIR": str(stage.state / "worktrees/M001/.gsd/parallel")}
    assert "directory for orders" in workers.run(**wrong).require(ERROR).err
    assert not (stage.state / "journal").exists()
    link = tmp_path / "link"
    link.symlink_to(stage.root)
    process = workers.start(GSD_PROJECT_ROOT=str(link), GSD_PARALLEL_DIR=str(link / ".gsd/parallel"))
    finish(process).require(DONE)
    workers.run(cwd=workers.worktree(), **right).require(DONE)


@pytest.mark.spec(id="DV-09")
@pytest.mark.spec(id="FM-26")
@pytest.mark.spec(id="FM-27")
def test_a_dependency_that_is_complete_blocks_nobody(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002", "M003"), depends={"M002": ["M001"]})
    told = workers.run("M002").require(BLOCKED)
    assert "M002 is waiting on unmet deps: M001" in told.out
    workers.run("M001").require(DONE)
    # Complete where it is worked on, though not merged; M003 before it is nobody's business.
    workers.run("M002").require(DONE)
    assert stage.attempts() == 6


@pytest.mark.spec(id="FM-26")
def test_what_a_coordinator_has_assigned_is_not_asked_again(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"), depends={"M002": ["M001"]})
    workers.run("M002", GSD_FLEET="f-1").require(DONE)
    assert {e["fleet"] for e in stage.events("run-started")} == {"f-1"}


@pytest.mark.spec(id="FM-28")
def test_a_worker_settles_its_own_milestone_only(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"))
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), hang()])
    process = workers.start("M001")
    wait_until(lambda: (workers.worktree() / "half.txt").exists())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    ran = workers.run("M002").require(DONE)
    assert "recovered" not in ran.out
    [left] = [e for e in stage.events("attempt-started") if e["unit"] == "M001/S01/T01"]
    assert left["attempt"] not in {e["attempt"] for e in stage.events("attempt-ended")}


@pytest.mark.spec(id="FM-19")
def test_a_lease_file_that_somebody_deletes_comes_back(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    path = workers.stage.state / "parallel/M001.lease"
    path.unlink()
    wait_until(path.exists)
    assert workers.run().require(BLOCKED).code == BLOCKED
    gate.touch()
    finish(process).require(DONE)


def test_a_worker_has_a_worktree_whatever_the_settings_say(workers: Workers) -> None:
    settings = projects.QUICK.replace("---\n", "---\ngit: {isolation: none}\n", 1)
    stage = workers.stage.make(preferences=settings)
    workers.run().require(DONE)
    assert stage.log() == ["first"]
    assert len(stage.log("milestone/M001")) == 4


@pytest.mark.spec(id="FM-19")
@pytest.mark.spec(id="PR-310")
def test_a_lease_that_is_handed_over(workers: Workers) -> None:
    stage = workers.stage.make()
    state = stage.state
    who = lease.Holder(pid=os.getpid(), run="parent")
    held = lease.Lease(state / "parallel/M001.lease", "M001", who, guard=state / "journal/M001.jsonl")
    held.__enter__()
    workers.run().require(BLOCKED)
    handed = held.detach()
    process = workers.start(
        fds=handed.fds, GSD_LEASE_FD=str(handed.lease), GSD_GUARD_FD=str(handed.guard), GSD_WORKER_RUN="r-given",
        GSD_FLEET="f-1",
    )  # fmt: skip
    handed.close()
    finish(process).require(DONE)
    assert workers.status()["run"] == "r-given"
    assert workers.status()["fleet"] == "f-1"
    assert {e["run"] for e in stage.events() if e["event"] != "budget-reserved"} == {"r-given"}
    assert workers.holder() is None


@pytest.mark.spec(id="PR-210")
@pytest.mark.spec(id="PR-211")
@pytest.mark.spec(id="PR-213")
def test_the_other_dialect(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project", program="sf", state_dir=".sf")
    stage.make()
    workers = Workers(stage)
    ran = workers.run("", SF_MILESTONE_LOCK="M001", SF_PARALLEL_WORKER="1").require(DONE)
    assert ran.code == DONE
    assert stage.log() == ["first"]
    assert workers.status()["state"] == "stopped"


def test_a_hang_up_is_nothing_to_a_worker_without_a_terminal(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    process.send_signal(signal.SIGHUP)
    workers.order("pause")
    workers.wait(doing="pausing")
    workers.order("resume")
    gate.touch()
    finish(process).require(DONE)


@pytest.mark.spec(id="PR-172")
def test_the_user_may_do_what_they_like_in_their_checkout_meanwhile(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    stage = workers.stage
    stage.git("switch", "-q", "-c", "mine")
    (stage.root / "src/app.txt").write_text("changed\n")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    stage.git("checkout", "-q", "--detach")
    gate.touch()
    workers.run().require(DONE)
    assert stage.git("status", "--porcelain").strip() == "M src/app.txt"


@pytest.mark.covers("key:parallel.setup_commands")
def test_a_set_up_that_fails_costs_nothing(workers: Workers) -> None:
    settings = projects.QUICK.replace("---\n", '---\nparallel: {setup_commands: ["false"]}\n', 1)
    stage = workers.stage.make(preferences=settings)
    workers.run().require(BLOCKED)
    assert stage.attempts() == 0
    assert workers.ends()[-1]["state"] == "blocked"
    assert "setting up M001 failed" in str(workers.status()["reason"])
    assert workers.status()["state"] == "stopped"


@pytest.mark.spec(id="PR-238")
def test_what_passes_by_itself_is_marked(workers: Workers) -> None:
    stage = workers.stage.make()
    stage.replay(TASK, [{"error": "rate-limit", "text": "slow down"}])
    workers.run().require(PAUSED)
    ended = workers.ends()[-1]
    assert (ended["state"], ended["passing"]) == ("paused", True)
    assert ended["hint"] == "gsd parallel start tries again."


def test_a_mistake_in_the_plan_is_an_error_in_the_status(workers: Workers) -> None:
    stage = workers.stage.make()
    (stage.state / "milestones/M001/M001-ROADMAP.md").write_bytes(b"# M001\0\n")
    workers.run().require(ERROR)
    assert workers.ends()[-1]["state"] == "error"
    assert (workers.status()["state"], workers.status()["doing"]) == ("error", "ended")


@pytest.mark.covers("key:parallel.merge_strategy")
@pytest.mark.spec(id="PR-064")
@pytest.mark.spec(id="DV-03")
def test_finished_slices_are_announced_when_they_are_to_be_merged_alone(workers: Workers) -> None:
    settings = projects.QUICK.replace("---\n", "---\nparallel: {merge_strategy: per-slice}\n", 1)
    stage = workers.stage.make(slices=3, preferences=settings)
    workers.run().require(DONE)
    ready = stage.events("slice-ready")
    assert [e["slice"] for e in ready] == ["S01", "S02"]  # The last goes with the milestone.
    for event in ready:
        subject = stage.git("log", "-1", "--format=%s", str(event["commit"]))
        assert str(event["slice"]) in subject


def test_without_that_setting_none_is_announced(workers: Workers) -> None:
    stage = workers.stage.make(slices=2)
    workers.run().require(DONE)
    assert stage.events("slice-ready") == []


@pytest.mark.spec(id="PR-303")
@pytest.mark.spec(id="FM-63")
def test_a_rebase_order_brings_the_target_in_between_units(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    stage = workers.stage
    (stage.root / "src/new.txt").write_text("of a sibling\n")
    stage.git("add", "src/new.txt")
    stage.git("commit", "-qm", "a sibling landed")
    for _ in range(2):  # Twice is the same as once.
        workers.order("rebase")
        wait_until(lambda: not (stage.state / "parallel/M001.signal.json").exists())
    assert not (workers.worktree() / "src/new.txt").exists()
    gate.touch()
    finish(process).require(DONE)
    [told] = stage.events("brought-in")
    assert (told["target"], told["conflicts"]) == ("main", [])
    assert (
        stage.git("rev-list", "--parents", "-1", str(told["commit"])).split()[2]
        == stage.git("rev-parse", "main").strip()
    )
    assert (workers.worktree() / "src/new.txt").read_text() == "of a sibling\n"
    assert [ref for ref in stage.backups() if ref.endswith("-before-bring-in")]
    # Where it was done: after the first unit and before the second.
    kinds = [e["event"] for e in stage.events() if e["event"] in ("brought-in", "attempt-ended")]
    assert kinds == ["attempt-ended", "brought-in", *["attempt-ended"] * 3]


@pytest.mark.spec(id="FM-84")
def test_a_target_that_does_not_fit_changes_nothing_and_work_goes_on(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    stage = workers.stage
    projects.write(stage.root, {projects.product("M001", "S01", "T01"): "of somebody else\n"})
    stage.git("add", "work")
    stage.git("commit", "-qm", "the same file")
    workers.order("rebase")
    wait_until(lambda: not (stage.state / "parallel/M001.signal.json").exists())
    gate.touch()
    ran = finish(process).require(DONE)
    [told] = stage.events("brought-in")
    assert (told["commit"], told["conflicts"]) == ("", ["work/M001-S01-T01.txt"])
    assert "does not fit" in ran.out
    assert stage.git("status", "--porcelain", where=workers.worktree()) == ""
    assert len(stage.log("milestone/M001")) == 5


def test_a_rebase_while_paused(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    stage = workers.stage
    workers.order("pause")
    workers.wait(doing="pausing")
    gate.touch()
    workers.wait(state="paused")
    stage.git("commit", "-qm", "empty", "--allow-empty")
    workers.order("rebase")
    wait_until(lambda: stage.events("brought-in") != [])
    assert workers.status()["state"] == "paused"
    workers.order("resume")
    finish(process).require(DONE)


def test_a_rebase_waits_for_a_worktree_without_leftovers(workers: Workers) -> None:
    stage = workers.stage.make(tasks=2)
    gate = stage.root.parent / "go"
    # The first attempt leaves a file and no summary.
    stage.replay(TASK, [_until(gate), tool("write", path="half.txt", content="x\n")], steps(TASK))
    process = workers.start()
    wait_until(lambda: (workers.worktree() / "begun").exists())
    stage.git("commit", "-qm", "empty", "--allow-empty")
    workers.order("rebase")
    wait_until(lambda: not (stage.state / "parallel/M001.signal.json").exists())
    gate.touch()
    finish(process).require(DONE)
    kinds = [e.get("result", e["event"]) for e in stage.events() if e["event"] in ("brought-in", "attempt-ended")]
    assert kinds == ["unfinished", "committed", "brought-in", *["committed"] * 3]


@pytest.mark.spec(id="PR-025")
@pytest.mark.spec(id="PR-026")
@pytest.mark.spec(id="PR-182")
@pytest.mark.parametrize("how", ["ignored", "not ignored", "tracked"])
def test_the_books_of_a_worker_are_in_nobodys_way_when_it_lands(how: str, workers: Workers) -> None:
    stage = workers.stage.make()
    if how == "tracked":  # As the first releases of GSD left them.
        projects.write(
            stage.state, {"metrics.json": '{"version":1,"projectStartedAt":1,"units":[]}', "auto.lock": "{}"}
        )
        stage.git("add", "-f", ".gsd/metrics.json", ".gsd/auto.lock")
        stage.git("commit", "-qm", "run-time files")
    workers.run().require(DONE)
    if how == "not ignored":
        (stage.root / ".git/info/exclude").write_text("")
    # As a worker that was killed leaves it.
    projects.write(workers.worktree(), {".gsd/auto.lock": "{}"})
    stage.auto().require(DONE)
    stage.require_landed(before=2 if how == "tracked" else 1)
    assert "auto.lock" not in stage.git("show", "--stat", "--format=", "main")


@pytest.mark.spec(id="PR-345")
def test_what_is_said_of_a_worker_while_it_works_and_afterwards(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    stage = workers.stage
    workers.wait(doing="working")
    assert "Nothing is running" not in stage.gsd("status").require(DONE).out
    query = json.loads(stage.gsd("headless", "query").require(DONE).out)
    [row] = query["cost"]["workers"]
    assert (row["milestoneId"], row["pid"], row["state"]) == ("M001", process.pid, "running")
    assert "stale" not in stage.gsd("doctor").said
    gate.touch()
    finish(process).require(DONE)
    told = stage.gsd("doctor").said
    assert "stale" not in told
    assert "auto.lock" not in told


@pytest.mark.spec(id="FM-03")
def test_a_worker_asks_nobody_and_says_what_it_would_have_asked(workers: Workers) -> None:
    stage = workers.stage.make()
    home = stage.state / "milestones/M001"
    (home / "M001-ROADMAP.md").unlink()
    (home / "M001-CONTEXT.md").rename(home / "M001-CONTEXT-DRAFT.md")
    stage.git("add", "-A")
    stage.git("commit", "-qm", "not discussed yet")
    workers.run().require(BLOCKED)
    assert "discuss" in str(workers.status()["reason"]).lower()
    assert workers.ends()[-1]["reason"] == workers.status()["reason"]


@pytest.mark.spec(id="FM-15")
@pytest.mark.spec(id="FM-17")
def test_nobody_has_to_read_what_a_worker_says(waiting: tuple[Workers, Process, Path]) -> None:
    workers, process, gate = waiting
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    gate.touch()
    process.wait(timeout=30)
    assert workers.ends()[-1]["state"] == "done"
    assert workers.status()["cost"] == 0.004


@pytest.mark.spec(id="FM-22")
@pytest.mark.spec(id="DV-23")
@pytest.mark.parametrize("ignored", [False, True])
def test_a_plan_that_is_not_committed_reaches_its_worker(ignored: bool, workers: Workers) -> None:
    stage = workers.stage.make(plan_committed=False)
    if ignored:
        (stage.root / ".gitignore").write_text(".gsd/\n")
        stage.git("add", ".gitignore")
        stage.git("commit", "-qm", "the plan stays here")
    workers.run().require(DONE)
    assert stage.attempts() == 3


@pytest.mark.spec(id="FM-23")
def test_a_worker_believes_no_old_state(workers: Workers) -> None:
    stage = workers.stage.make()
    projects.write(stage.state, {"STATE.md": "# State\n\n**Phase:** complete\n"})
    stage.git("add", "-f", ".gsd/STATE.md")
    stage.git("commit", "-qm", "a state from long ago")
    workers.run().require(DONE)
    assert stage.attempts() == 3


@pytest.mark.spec(id="FM-24")
@pytest.mark.spec(id="FM-25")
def test_an_agent_of_a_worker_does_not_get_at_other_milestones_or_branches(workers: Workers) -> None:
    stage = workers.stage.make(milestones=("M001", "M002"))
    stage.replay(
        TASK,
        [
            *steps(TASK),
            projects.raw_write(".gsd/milestones/M002/M002-SUMMARY.md", "---\nstatus: complete\n---\n# M002: Done\n"),
            raw_shell("git", "switch", "-qc", "elsewhere"),
        ],
    )
    ran = workers.run().require(DONE)
    assert "put right" in ran.out
    assert stage.log() == ["first"]
    assert stage.git("ls-tree", "-r", "--name-only", "milestone/M001", ".gsd/milestones/M002").count("SUMMARY") == 0
    assert len(stage.log("milestone/M001")) == 4


@pytest.mark.spec(id="FM-52")
def test_where_git_was_pointed_to_before_does_not_matter(workers: Workers, tmp_path: Path) -> None:
    stage = workers.stage.make()
    other = tmp_path / "other"
    projects.tiny(other)
    git = {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": str(other / ".git/index")}
    workers.run(**git).require(DONE)
    assert len(stage.log("milestone/M001")) == 4
    assert stage.git("log", "--format=%s", "--all", where=other).splitlines() == ["first"]


@pytest.mark.spec(id="FM-21")
@pytest.mark.spec(id="FM-60")
@pytest.mark.spec(id="DV-22")
def test_a_directory_that_is_no_worktree_is_not_worked_in(workers: Workers) -> None:
    stage = workers.stage.make()
    projects.write(workers.worktree(), {"left.txt": "of somebody\n"})
    workers.run().require(BLOCKED)
    assert stage.attempts() == 0
    assert (workers.worktree() / "left.txt").read_text() == "of somebody\n"
    assert "is not a worktree" in str(workers.status()["reason"])


@pytest.mark.spec(id="FM-61")
def test_a_branch_that_is_in_use_elsewhere_is_not_worked_on_from_the_root(workers: Workers, tmp_path: Path) -> None:
    stage = workers.stage.make()
    stage.git("worktree", "add", "-q", "-b", "milestone/M001", str(tmp_path / "mine"))
    workers.run().require(BLOCKED)
    assert stage.attempts() == 0
    assert str(tmp_path / "mine") in str(workers.status()["reason"])
    assert stage.git("status", "--porcelain") == ""


@pytest.mark.spec(id="FM-65")
def test_a_repository_without_a_commit(workers: Workers) -> None:
    stage = workers.stage
    stage.root.mkdir()
    stage.git("init", "-q", "-b", "main")
    projects.write(stage.state, projects.files())
    ran = workers.run(GSD_WORKER_RUN="r-given").require(BLOCKED)
    assert "has no commit yet" in ran.err
    # It could not begin; why is in its journal all the same.
    [ended] = workers.ends()
    assert (ended["run"], ended["state"], ended["milestone"]) == ("r-given", "blocked", "M001")


def test_settings_that_are_wrong_are_the_last_word_of_a_worker(workers: Workers) -> None:
    workers.stage.make(preferences="---\nbudget_ceiling: many\n---\n")
    workers.run(GSD_WORKER_RUN="r-given").require(ERROR)
    [ended] = workers.ends()
    assert (ended["run"], ended["state"]) == ("r-given", "error")
    assert "preferences" in str(ended["reason"])


def test_a_stop_while_it_begins_is_no_crash(workers: Workers) -> None:
    workers.stage.make()
    process = workers.start(GSD_WORKER_RUN="r-given")
    lock = workers.stage.state / "journal/M001.jsonl"
    wait_until(lambda: lock.exists() or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    finish(process).require(INTERRUPTED)
    assert workers.ends()[-1]["state"] == "interrupted"
