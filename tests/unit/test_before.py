"""What stood on disk before a unit."""

from pathlib import Path

import pytest

from milepost.store.snapshot import Snapshot
from milepost.testing import projects
from milepost.testing.trees import DictTree
from milepost.unit import before
from milepost.unit.before import Before

HOME = "milestones/M001"


def test_boxes_gates_and_artifacts() -> None:
    files = projects.files(slices=2, tasks=2)
    files[f"{HOME}/M001-ROADMAP.md"] = files[f"{HOME}/M001-ROADMAP.md"].replace("[ ] **S01", "[x] **S01")
    plan = f"{HOME}/slices/S01/S01-PLAN.md"
    files[plan] = files[plan].replace("[ ] **T02", "[x] **T02")
    files |= {f"{HOME}/slices/S01/tasks/T02-VERIFY.json": "{}", "milestones/M002/M002-CONTEXT.md": "# other\n"}
    found = before.take(DictTree(files), "M001")
    assert (found.slices, found.tasks) == (("S01",), ("S01/T02",))
    assert found.gates["S02/T01"] == "`grep -q M001/S02/T01 work/M001-S02-T01.txt`"
    assert sorted(found.artifacts) == sorted(p for p in files if p.startswith(HOME) and p.endswith(".md"))


def test_an_artifact_is_known_by_its_content() -> None:
    one = before.artifacts(DictTree({f"{HOME}/a.md": "x", f"{HOME}/b.md": "x", f"{HOME}/c.md": "y"}), "M001")
    assert one[f"{HOME}/a.md"] == one[f"{HOME}/b.md"] != one[f"{HOME}/c.md"]


def test_a_milestone_without_anything() -> None:
    assert before.take(DictTree({}), "M001") == Before(slices=(), tasks=(), artifacts={}, orders="")


def test_it_is_kept_until_it_is_dropped(tmp_path: Path) -> None:
    found = before.take(DictTree(projects.files()), "M001")
    assert before.recall(tmp_path, "a-1") is None
    before.keep(tmp_path, "a-1", found)
    assert before.recall(tmp_path, "a-1") == found
    assert before.recall(tmp_path, "a-2") is None
    before.drop(tmp_path, "a-1")
    before.drop(tmp_path, "a-1")
    assert before.recall(tmp_path, "a-1") is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"slices": 3}', b"\xff"])
def test_what_cannot_be_read_is_as_if_it_were_not_there(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "runtime" / "attempts" / "a.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert before.recall(tmp_path, "a") is None


def test_what_an_earlier_version_kept_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "runtime" / "attempts" / "a.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"slices": ["S01"], "tasks": [], "artifacts": {}}')
    assert before.recall(tmp_path, "a") == Before(slices=("S01",), tasks=(), artifacts={})


def test_names_and_gates_that_are_no_utf8(tmp_path: Path) -> None:
    state = tmp_path / ".gsd"
    projects.write(state, projects.files())
    home = state / HOME
    (home / "caf\udce9.md").write_bytes(b"x")
    plan = home / "slices/S01/S01-PLAN.md"
    plan.write_bytes(plan.read_bytes().replace(b"grep -q", b"grep -q caf\xe9"))
    found = before.take(Snapshot(str(tmp_path)), "M001")
    before.keep(state, "a", found)
    again = before.recall(state, "a")
    assert again is not None
    assert again.artifacts.keys() == before.take(Snapshot(str(tmp_path)), "M001").artifacts.keys()
    assert again.gates == before.take(Snapshot(str(tmp_path)), "M001").gates
