"""Starting a worker: programs that are none, that end at once, that fail; and the other dialect from end to end."""

import json
import os
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios.fleet_stage import PAIR, FleetStage, fleet_stage, task
from scenarios.stage import BLOCKED, DONE


def program(place: Path, text: str, mode: int = 0o755) -> str:
    """A program to be started instead of ours."""
    path = place / "program"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.spec(id="PR-312")
@pytest.mark.spec(id="FM-08")
@pytest.mark.parametrize(("text", "mode"), [("#!/no/such/interpreter\n", 0o755), ("", 0o644)])
def test_a_program_that_cannot_be_started_is_an_error_without_a_process(
    text: str, mode: int, fleet: FleetStage
) -> None:
    fleet.plan(PAIR)
    ran = fleet.fleet(GSD_BIN_PATH=program(fleet.root.parent, text, mode)).require(BLOCKED)
    for mid in PAIR:
        said = fleet.status(mid)
        assert (said["state"], said["pid"], said["cost"]) == ("error", 0, 0)
        assert f"{mid} could not be started: {fleet.root.parent}/program could not be started: " in ran.out
        assert fleet.holder(mid) is None
    assert fleet.events("worker-spawned") == []
    assert fleet.attempts() == 0
    # Without it, the next start does what it was asked to do.
    fleet.fleet("--retry").require(DONE)
    fleet.require_done(*PAIR)


@pytest.mark.spec(id="PR-312")
def test_a_program_that_is_not_there_is_passed_over(fleet: FleetStage) -> None:
    fleet.plan(("M001",))
    fleet.fleet(GSD_BIN_PATH=str(fleet.root.parent / "nowhere")).require(DONE)
    fleet.require_done("M001")


@pytest.mark.covers("key:parallel.max_restarts")
@pytest.mark.spec(id="PR-311")
@pytest.mark.spec(id="DV-01")
@pytest.mark.spec(id="FM-01")
@pytest.mark.spec(id="FM-16")
@pytest.mark.spec(id="FM-20")
@pytest.mark.parametrize(("code", "says"), [(0, "exit code 0"), (7, "exit code 7")])
def test_one_that_ends_at_once_is_no_success_and_is_not_started_for_ever(
    code: int, says: str, fleet: FleetStage
) -> None:
    fleet.plan(("M001",), parallel={"max_restarts": 0})
    text = f"#!/bin/sh\necho 'gone wrong in here' >&2\nexit {code}\n"
    ran = fleet.fleet(GSD_BIN_PATH=program(fleet.root.parent, text)).require(BLOCKED)
    [lost] = fleet.events("worker-lost")
    assert f"M001 crashed: {lost['reason']}\n" in ran.out
    assert says in str(lost["reason"])
    [spawned] = fleet.events("worker-spawned")
    logs = fleet.state / "parallel" / "logs"
    assert (logs / f"M001.{spawned['workerRun']}.err").read_text() == "gone wrong in here\n"
    assert (fleet.worker("M001")["state"], fleet.worker("M001")["doing"]) == ("error", "crashed")
    assert (fleet.log(), fleet.attempts()) == (["first"], 0)


@pytest.mark.spec(id="PR-214")
@pytest.mark.spec(id="PR-210")
@pytest.mark.spec(id="PR-211")
@pytest.mark.spec(id="PR-212")
@pytest.mark.spec(id="PR-213")
def test_the_other_edition_is_the_same_under_its_own_names(tmp_path: Path) -> None:
    with fleet_stage(tmp_path / "project", program="sf", state_dir=".sf") as stage:
        stage.plan(PAIR, depends={"M002": ["M001"]})
        gate = stage.hold(task("M001"), after=projects.steps(task("M001"), state_dir=".sf"))
        assert "Parallel mode is not enabled" not in stage.gsd("/parallel start --dry-run").require(DONE).out
        process = stage.begin()
        gate.wait()
        # `.status.json` is `<MID>.status.json`, `milestone/` is `milestone/<MID>`, `worktrees//` is `worktrees/<MID>/`.
        status = json.loads((stage.root / ".sf/parallel/M001.status.json").read_text())
        assert (status["milestoneId"], status["worktreePath"]) == ("M001", f"{stage.root}/.sf/worktrees/M001")
        assert (
            stage.git("symbolic-ref", "HEAD", where=stage.root / ".sf/worktrees/M001") == "refs/heads/milestone/M001\n"
        )
        env = Path(f"/proc/{status['pid']}/environ").read_bytes().split(b"\0")
        assert {b"SF_MILESTONE_LOCK=M001", b"SF_PARALLEL_WORKER=1"} <= set(env)
        assert not [word for word in env if word.startswith(b"GSD_")]
        words = Path(f"/proc/{status['pid']}/cmdline").read_bytes().split(b"\0")
        assert words[words.index(b"headless") :][:3] == [b"headless", b"auto", b"--json"]
        assert stage.gsd("/parallel status").out.startswith(
            "# Parallel Workers\n\n- **M001** (Small files) — running — 0 units"
        )
        gate.open()
        ran = stage.end(process).require(DONE)
        assert "\nParallel orchestration started.\nWorkers: M001\n" in ran.out
        stage.require_done(*PAIR)
        assert not (stage.root / ".gsd").exists()
        assert (stage.root / ".sf/orchestrator.json").is_file()
        assert os.listdir(stage.root / ".sf/worktrees") == []
        for units in projects.units(PAIR):
            assert stage.attempts(units.partition("/")[2]) == 1
