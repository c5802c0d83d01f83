"""Where people really work: two coordinators, two projects, links, and names that are not ASCII (acceptance 4)."""

from pathlib import Path

import pytest

from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, fleet_stage, task
from scenarios.stage import BLOCKED, DONE, INTERRUPTED, PAUSED, wait_until

NAMES = ("Mein Projekt – ä日本 'q\" $HOME;x", "-rf *?[a]\tb")


@pytest.mark.spec(id="FM-19")
@pytest.mark.parametrize("through", ["the same path", "a symlink", "a directory below"])
def test_two_coordinators_on_one_project(fleet: FleetStage, through: str) -> None:
    """gsd-2#2164: the second is refused and says who is there; the first does not notice."""
    fleet.plan()
    gate = fleet.hold(task("M001"))
    first = fleet.begin()
    gate.wait()
    link = fleet.root.parent / "link"
    link.symlink_to(fleet.root)
    where = {"the same path": fleet.root, "a symlink": link, "a directory below": fleet.root / "src"}[through]
    told = fleet.fleet(cwd=where).require(BLOCKED)
    assert f"pid {first.pid}" in told.err
    assert "Traceback" not in told.said
    gate.open()
    fleet.end(first).require(DONE)
    fleet.require_done(*PAIR)
    assert [fleet.spawned(mid) for mid in PAIR] == [1, 1]


@pytest.mark.spec(id="FM-19")
@pytest.mark.spec(id="FM-45")
def test_two_coordinators_that_race(fleet: FleetStage) -> None:
    """Started at the same moment, by both paths: one works, the others say who."""
    fleet.plan()
    link = fleet.root.parent / "link"
    link.symlink_to(fleet.root)
    gate = fleet.hold(task("M001"))
    racing = [fleet.begin(cwd=cwd) for cwd in (fleet.root, link, fleet.root)]
    wait_until(lambda: sum(process.poll() is None for process in racing) == 1, seconds=PATIENCE_S)
    gate.wait()
    gate.open()
    codes = sorted(fleet.end(process).code for process in racing)
    assert codes == [DONE, BLOCKED, BLOCKED]
    fleet.require_done(*PAIR)
    assert len(fleet.events("fleet-started")) == 1
    assert [fleet.spawned(mid) for mid in PAIR] == [1, 1]


def test_two_projects_on_one_machine(fleet: FleetStage, tmp_path: Path) -> None:
    """The same milestones in two projects: neither sees, stops or waits for the other."""
    fleet.plan()
    with fleet_stage(tmp_path / "other" / "project") as other:
        other.plan()
        gates = {stage.root: [stage.hold(task(mid)) for mid in PAIR] for stage in (fleet, other)}
        processes = {stage.root: stage.begin() for stage in (fleet, other)}
        for gate in (*gates[fleet.root], *gates[other.root]):
            gate.wait()
        ports = [stage.status(mid)["portBase"] for stage in (fleet, other) for mid in PAIR]
        assert len(set(ports)) == 4
        before = other.look()
        fleet.parallel("stop").require(DONE)
        fleet.end(processes[fleet.root]).require(INTERRUPTED)
        assert fleet.look()["active"] is False
        after = other.look()
        assert after["active"] is True
        assert [w["pid"] for w in after["workers"]] == [w["pid"] for w in before["workers"]]  # type: ignore[attr-defined]
        assert other.events("ordered") == []
        for gate in (*gates[fleet.root], *gates[other.root]):
            gate.open()
        fleet.fleet().require(DONE)
        other.end(processes[other.root]).require(DONE)
        for stage in (fleet, other):
            stage.require_done(*PAIR)


@pytest.mark.spec(id="FM-51")
@pytest.mark.spec(id="FM-66")
def test_one_project_through_a_symlink(fleet: FleetStage) -> None:
    """Every command typed there means the project itself, and so do its workers."""
    fleet.plan(parallel={"auto_merge": "manual"})
    link = fleet.root.parent / "a link"
    link.symlink_to(fleet.root)
    gates = {mid: fleet.hold(task(mid)) for mid in PAIR}
    process = fleet.begin(cwd=link, PWD=str(link))
    fleet.door = link
    for mid, gate in gates.items():
        gate.wait()
        assert fleet.worker(mid)["alive"] is True
        assert fleet.status(mid)["worktreePath"] == str(fleet.tree(mid))
    assert fleet.parallel("pause").require(DONE).out.count("will pause") == 2
    for gate in gates.values():
        gate.open()
    wait_until(lambda: all(fleet.status(mid)["state"] == "paused" for mid in PAIR), seconds=PATIENCE_S)
    fleet.parallel("resume").require(DONE)
    fleet.end(process).require(PAUSED)
    fleet.parallel("merge").require(DONE)
    fleet.require_done(*PAIR)
    assert not (fleet.root.parent / ".gsd").exists()


@pytest.mark.parametrize("name", NAMES, ids=["spaces, quotes and other letters", "like options and patterns"])
def test_a_project_path_with_spaces_and_non_ascii_letters(tmp_path: Path, name: str) -> None:
    """The whole life of a fleet, in a directory that every shell would stumble over."""
    with fleet_stage(tmp_path / name / "the – project") as fleet:
        fleet.plan(git={"pre_merge_check": "'test -f src/app.txt'"})
        gate = fleet.hold(task("M001"))
        process = fleet.begin("--detach")
        assert fleet.end(process).code == DONE
        gate.wait()
        assert fleet.worker("M001")["alive"] is True
        fleet.parallel("pause").require(DONE)
        fleet.parallel("resume").require(DONE)
        fleet.parallel("stop").require(DONE)
        gate.open()
        fleet.fleet().require(DONE)
        fleet.require_done(*PAIR)
        fleet.gsd("undo", "milestone", "M002").require(DONE)
        assert fleet.git("status", "--porcelain") == ""
