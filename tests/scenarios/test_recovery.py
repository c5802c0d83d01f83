"""The recipes of the document for a bad morning, word by word, and that everything the doctor says then is true.

    gsd doctor --fix; gsd parallel status; gsd parallel start          after a crash
    gsd parallel merge; resolve in the worktree; gsd parallel merge M  after a conflict

Each with real processes that are killed with SIGKILL. What is said is compared with the process table, with the
kernel's locks and with git.
"""

import json
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from milepost.testing.projects import steps, tool
from scenarios.fleet_stage import PATIENCE_S, TRIO, FleetStage, fleet_stage, task
from scenarios.stage import BLOCKED, DONE, picture, wait_until

Row = Mapping[str, object]
MACHINE = ("no_sandbox", "disk_space_low")


def doctor(fleet: FleetStage, *args: str) -> list[Row]:
    """What `gsd doctor --json` says, what depends on the machine left out."""
    ran = fleet.gsd("doctor", "--json", *args, cwd=fleet.door)
    rows = json.loads(ran.out)
    assert ran.code == (BLOCKED if any(row["severity"] == "error" for row in rows) else DONE)
    return [row for row in rows if row["code"] not in MACHINE]


def codes(rows: Sequence[Row]) -> set[str]:
    return {str(row["code"]) for row in rows}


def alive(pid: int) -> bool:
    """By the process table, a zombie not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def require_true(fleet: FleetStage, rows: Sequence[Row]) -> None:
    """Hold what is said against the process table, the kernel's locks, the journal and git.

    Somebody may end, or begin, between the two looks: only what goes on being said is a lie.
    """
    wrong = _false(fleet, rows)
    for _ in range(20):
        if not wrong:
            return
        time.sleep(0.25)
        wrong = {key: row for key, row in _false(fleet, doctor(fleet)).items() if key in wrong}
    raise AssertionError(f"said, and not so: {list(wrong.values())}")


def _false(fleet: FleetStage, rows: Sequence[Row]) -> dict[tuple[str, str, str], Row]:
    ended = {str(e["attempt"]) for e in fleet.events("attempt-ended")}
    found = {}
    for row in rows:
        if "fixed" not in row and not _so(fleet, row, ended):
            found[(str(row["code"]), str(row["path"]), " ".join(_pids(row)))] = row
    return found


def _pids(row: Row) -> list[str]:
    return re.findall(r"pid (\d+)", str(row["message"]))


def _so(fleet: FleetStage, row: Row, ended: set[str]) -> bool:
    code, said, path = str(row["code"]), str(row["message"]), fleet.root / str(row["path"])
    pids = _pids(row)
    if row["path"] and path.exists() == ("missing" in code):
        return False
    match code:
        case "stale_parallel_session" | "worker_crashed" | "coordinator_crashed":
            return bool(pids) and not any(alive(int(pid)) for pid in pids)
        case "stale_orchestrator":
            return not any(alive(int(pid)) for pid in pids)
        case "lease_held" | "unresponsive_worker" | "leftover_process" | "fleet_unattended":
            return bool(pids) and all(alive(int(pid)) for pid in pids)
        case "lease_left":
            name = path.name.removesuffix(".lease")
            return name not in ("M001", "M002", "M003") or fleet.holder(name) is None
        case "open_attempt":
            attempt = re.search(r"\((.+)\)", said)
            return attempt is not None and attempt[1] not in ended
        case "orphaned_auto_worktree" | "merged_branch_left":
            commit = re.search(r"as ([0-9a-f]{10})", said)
            return commit is not None and not fleet.git("rev-list", "-1", commit[1], "^main")
        case "milestone_not_landed":
            return said.split()[0] not in fleet.landed()
        case "worktree_half_done":
            return bool(fleet.git("rev-parse", "-q", "--verify", "MERGE_HEAD", where=path, ok=(0, 1, 128)))
        case _:
            return True


def refs(fleet: FleetStage) -> str:
    return fleet.git("for-each-ref")


def trees(fleet: FleetStage) -> dict[str, str]:
    """What each worktree holds that is not committed."""
    return {
        place.name: fleet.git("status", "--porcelain=v2", "--untracked-files=all", where=place)
        for place in sorted((fleet.state / "worktrees").iterdir())
    }


@pytest.mark.spec(id="PR-150")
@pytest.mark.spec(id="PR-151")
@pytest.mark.spec(id="PR-177")
@pytest.mark.spec(id="PR-192")
@pytest.mark.spec(id="PR-193")
@pytest.mark.spec(id="PR-194")
@pytest.mark.spec(id="PR-195")
@pytest.mark.spec(id="DV-13")
@pytest.mark.spec(id="DV-18")
@pytest.mark.spec(id="DV-19")
@pytest.mark.parametrize("program", ["gsd", "sf"])
def test_the_recipe_after_everything_was_killed(tmp_path: Path, program: str) -> None:
    with fleet_stage(tmp_path / "project", program=program, state_dir=f".{program}") as fleet:
        _the_recipe(fleet)


def _the_recipe(fleet: FleetStage) -> None:
    fleet.plan(TRIO, depends={"M003": ["M001"]}, tasks=2)
    kept = tool("write", path="half.txt", content="half done\n")
    held = [
        fleet.hold(task(mid, 2), kept, after=steps(task(mid, 2), state_dir=fleet.state_dir)) for mid in ("M001", "M002")
    ]
    fleet.begin()
    for gate in held:
        gate.wait()
    pids = {mid: int(str(fleet.status(mid)["pid"])) for mid in ("M001", "M002")}
    assert all(alive(pid) for pid in pids.values())
    require_true(fleet, doctor(fleet))
    fleet.kill_everything()
    before = refs(fleet), trees(fleet), picture(fleet.root, without=(fleet.state_dir, ".git"))

    found = doctor(fleet)
    require_true(fleet, found)
    stale = {str(row["path"]): str(row["message"]) for row in found if row["code"] == "stale_parallel_session"}
    assert stale.keys() == {f"{fleet.state_dir}/parallel/{mid}.status.json" for mid in pids}
    for mid, pid in pids.items():
        said = stale[f"{fleet.state_dir}/parallel/{mid}.status.json"]
        assert re.search(
            rf"{mid}, pid {pid}, started \d{{4}}-\d\d-\d\dT[\d:]+Z, last heartbeat \d{{4}}-[\dT:-]+Z", said
        )
    assert {"worker_crashed", "coordinator_crashed", "stale_orchestrator", "open_attempt"} <= codes(found)
    assert all(fleet.program in str(row["hint"]) for row in found if row["code"] == "worker_crashed")

    mended = fleet.gsd("doctor", "--fix").require(DONE).out
    assert mended.count("stale_parallel_session") == 2
    assert not any(fleet.status_file(mid).exists() for mid in pids)
    assert (refs(fleet), trees(fleet), picture(fleet.root, without=(fleet.state_dir, ".git"))) == before
    left = doctor(fleet)
    require_true(fleet, left)
    assert not any(row["fixable"] for row in left), left

    told = fleet.parallel("status").require(DONE).out
    assert "No parallel orchestration is currently active." in told
    for mid in pids:
        assert f"**{mid}** (Small files) — error — 1 units" in told
        assert f"{mid} crashed" in told

    for gate in held:
        gate.open()
    ran = fleet.fleet().require(DONE)
    assert "Workers: M001, M002" in ran.out
    fleet.require_done(*TRIO)
    assert [fleet.spawned(mid) for mid in TRIO] == [2, 2, 1]
    assert fleet.attempts("M001/S01/T01") == 1, "what was done is not paid for again"
    assert fleet.git("show", "main:half.txt") == "half done\n"
    assert codes(doctor(fleet)) <= {"backups_kept", "state_file_stale", "lease_left"}


@pytest.mark.covers("key:parallel.max_restarts")
@pytest.mark.spec(id="PR-153")
@pytest.mark.spec(id="DV-13")
@pytest.mark.spec(id="FM-07")
@pytest.mark.spec(id="FM-12")
def test_a_coordinator_notices_a_dead_worker_and_the_next_start_clears_it(fleet: FleetStage) -> None:
    fleet.plan(parallel={"max_restarts": 0})
    first, second = (fleet.hold(task(mid)) for mid in ("M001", "M002"))
    coordinator = fleet.begin()
    first.wait()
    second.wait()
    pid = int(str(fleet.status("M001")["pid"]))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: fleet.events("worker-lost") != [], seconds=PATIENCE_S)
    assert fleet.worker("M001")["state"] == "error"
    assert fleet.worker("M001")["doing"] == "crashed"
    assert fleet.worker("M002")["doing"] == "working"
    rows = doctor(fleet)
    require_true(fleet, rows)
    assert {"stale_parallel_session", "lease_held"} <= codes(rows)
    # Its files are the coordinator's while that lives; nothing of what runs is touched.
    assert not [row for row in doctor(fleet, "--fix") if "fixed" in row and row["code"] != "leftover_process"]
    second.open()
    fleet.end(coordinator).require(BLOCKED)
    assert fleet.landed() == ["M002"]
    assert fleet.worker("M001")["doing"] == "crashed"
    first.open()
    fleet.fleet("--retry", "M001").require(DONE)
    assert fleet.status("M001")["state"] == "stopped"
    assert fleet.status("M001")["pid"] != pid
    assert "stale_parallel_session" not in codes(doctor(fleet))
    fleet.require_done("M001", "M002")


@pytest.mark.spec(id="DV-19")
@pytest.mark.spec(id="FM-17")
@pytest.mark.spec(id="PR-195")
def test_mending_beside_a_worker_whose_coordinator_was_killed(fleet: FleetStage) -> None:
    """M001's worker and the coordinator die, M002 works on; the recipe clears the one and adopts the other."""
    fleet.plan()
    first, second = (fleet.hold(task(mid)) for mid in ("M001", "M002"))
    coordinator = fleet.begin()
    first.wait()
    second.wait()
    living = int(str(fleet.status("M002")["pid"]))
    os.kill(coordinator.pid, signal.SIGKILL)
    os.kill(int(str(fleet.status("M001")["pid"])), signal.SIGKILL)
    coordinator.communicate()
    fleet.running.remove(coordinator)
    wait_until(lambda: fleet.holder("M001") is None, seconds=PATIENCE_S)
    rows = doctor(fleet, "--fix")
    require_true(fleet, rows)
    assert {"stale_parallel_session", "fleet_unattended"} <= codes(rows)
    assert not fleet.status_file("M001").exists()
    assert alive(living)
    assert fleet.worker("M002")["pid"] == living
    first.open()
    second.open()
    fleet.fleet().require(DONE)
    assert fleet.spawned("M002") == 1, "it was adopted, or was done before"
    fleet.require_done("M001", "M002")


@pytest.mark.spec(id="PR-124")
@pytest.mark.spec(id="PR-196")
@pytest.mark.spec(id="DV-16")
def test_the_recipe_after_a_conflict(fleet: FleetStage) -> None:
    fleet.plan()
    for mid in ("M001", "M002"):
        fleet.also(task(mid), tool("edit", path="src/app.txt", old="two", new=f"two by {mid}"))
    fleet.fleet().require(BLOCKED)
    (winner,) = fleet.landed()
    loser = "M002" if winner == "M001" else "M001"
    before, main = picture(fleet.root), fleet.git("rev-parse", "main")
    rows = doctor(fleet)
    require_true(fleet, rows)
    (half,) = [row for row in rows if row["code"] == "worktree_half_done"]
    assert half["path"] == f".gsd/worktrees/{loser}"
    assert "src/app.txt:" in str(half["message"])
    assert f"gsd parallel merge {loser}" in str(half["hint"])

    # gsd parallel merge shows which milestones have conflicts, and does not commit a marker.
    ran = fleet.parallel("merge").require(BLOCKED)
    assert f"- **{loser}** — CONFLICT (1 file(s)):\n  - `src/app.txt`\n" in ran.out
    assert (picture(fleet.root), fleet.git("rev-parse", "main")) == (before, main)
    markers = (fleet.tree(loser) / "src/app.txt").read_text()
    assert markers.count("<<<<<<<") == 1
    assert doctor(fleet, "--fix")
    assert (fleet.tree(loser) / "src/app.txt").read_text() == markers

    # The person resolves it in .gsd/worktrees/<MID>/ and retries.
    (fleet.tree(loser) / "src/app.txt").write_text("one\ntwo by both\nthree\n")
    (half,) = [row for row in doctor(fleet) if row["code"] == "worktree_half_done"]
    assert "all of it is resolved" in str(half["message"])
    assert f"- **{loser}** — merged successfully" in fleet.parallel("merge", loser).require(DONE).out
    fleet.require_landed_whole("M001", "M002")
    assert fleet.git("show", "main:src/app.txt") == "one\ntwo by both\nthree\n"
    assert "<<<<<<<" not in fleet.git("log", "-p", "--all", "--", "src/app.txt", ":!.gsd")
    fleet.fleet().require(DONE)
    assert "worktree_half_done" not in codes(doctor(fleet))


def test_everything_that_is_said_after_kills_at_any_moment_is_true(fleet: FleetStage) -> None:
    """Killed whenever the journal has grown by so many lines; looked at, mended, looked at, and begun again."""
    fleet.plan(TRIO, depends={"M003": ["M001"]}, slices=2)
    for lines in (1, 3, 6, 9, 13, 18, 24):
        known = len(fleet.events())
        process = fleet.begin()
        wait_until(
            lambda known=known, lines=lines, process=process: (
                len(fleet.events()) >= known + lines or process.poll() is not None
            ),
            seconds=PATIENCE_S,
        )
        require_true(fleet, doctor(fleet))
        fleet.kill_everything()
        found = doctor(fleet)
        require_true(fleet, found)
        assert not codes(found) & {"lease_held", "lease_holder_unclear", "unresponsive_worker", "check_failed"}, found
        kept = refs(fleet)
        mended = doctor(fleet, "--fix")
        require_true(fleet, mended)
        assert not any(row.get("refused") for row in mended), mended
        for line in set(kept.splitlines()) - set(refs(fleet).splitlines()):
            assert any(f"/{mid}" in line for mid in fleet.landed()), f"nothing else may go: {line}"
    fleet.fleet().require(DONE)
    fleet.require_done(*TRIO)
