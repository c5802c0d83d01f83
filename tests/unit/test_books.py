"""Our own entries in the plan: boxes, byte for byte, and rejected summaries."""

from pathlib import Path

import pytest

from milepost.model.units import Unit, UnitKind
from milepost.store.snapshot import Snapshot
from milepost.testing import projects
from milepost.unit import before, books
from unit.workbench import SLICE, TASK

PLAN = "milestones/M001/slices/S01/S01-PLAN.md"
ROADMAP = "milestones/M001/M001-ROADMAP.md"
SUMMARY = "milestones/M001/slices/S01/tasks/T01-SUMMARY.md"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    projects.write(tmp_path / ".gsd", projects.files(slices=2, tasks=2))
    return tmp_path / ".gsd"


def tree(state: Path) -> Snapshot:
    return Snapshot(str(state.parent))


def lines(state: Path, path: str) -> list[bytes]:
    return (state / path).read_bytes().splitlines(keepends=True)


def changed(old: list[bytes], new: list[bytes]) -> list[tuple[bytes, bytes]]:
    assert len(old) == len(new)
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


@pytest.mark.parametrize(("unit", "path", "id_"), [(TASK, PLAN, b"T01"), (SLICE, ROADMAP, b"S01")])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_only_the_box_changes(unit: Unit, path: str, id_: bytes, newline: bytes, state: Path) -> None:
    file = state / path
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", newline) + b"caf\xe9 no newline")
    old = lines(state, path)
    books.settle_box(unit, tree(state), state)
    [(was, now)] = changed(old, lines(state, path))
    assert id_ in was
    assert now == was.replace(b"[ ]", b"[x]")


def test_settling_twice_changes_nothing_more(state: Path) -> None:
    books.settle_box(TASK, tree(state), state)
    once, at = (state / PLAN).read_bytes(), (state / PLAN).stat().st_mtime_ns
    books.settle_box(TASK, tree(state), state)
    assert (state / PLAN).read_bytes() == once
    assert (state / PLAN).stat().st_mtime_ns == at


@pytest.mark.parametrize("kind", [UnitKind.RUN_UAT, UnitKind.PLAN_SLICE, UnitKind.REASSESS_ROADMAP])
def test_other_kinds_have_no_box(kind: UnitKind, state: Path) -> None:
    old = [lines(state, path) for path in (PLAN, ROADMAP)]
    books.settle_box(Unit(kind, "M001/S01"), tree(state), state)
    assert [lines(state, path) for path in (PLAN, ROADMAP)] == old


def test_a_box_that_is_not_there_is_no_error(state: Path) -> None:
    books.settle_box(Unit(UnitKind.EXECUTE_TASK, "M001/S09/T01"), tree(state), state)
    books.settle_box(Unit(UnitKind.COMPLETE_SLICE, "M002/S01"), tree(state), state)


def edit(state: Path, path: str, old: str, new: str) -> None:
    file = state / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_boxes_are_put_back_as_they_were(state: Path) -> None:
    edit(state, PLAN, "[ ] **T02", "[x] **T02")
    old = [lines(state, path) for path in (PLAN, ROADMAP)]
    was = before.take(tree(state), "M001")
    edit(state, PLAN, "[x] **T02", "[ ] **T02")
    edit(state, PLAN, "[ ] **T01", "[x] **T01")
    edit(state, ROADMAP, "[ ] **S02", "[x] **S02")
    assert books.restore_boxes(was, tree(state), state, "M001") == ("S01/T01", "S01/T02", "S02")
    assert [lines(state, path) for path in (PLAN, ROADMAP)] == old
    assert books.restore_boxes(was, tree(state), state, "M001") == ()


def test_a_new_part_starts_unticked(state: Path) -> None:
    was = before.take(tree(state), "M001")
    edit(state, PLAN, "- [ ] **T02: Write T02**", "- [x] **T03: New** `est:1m`\n- [ ] **T02: Write T02**")
    assert books.restore_boxes(was, tree(state), state, "M001") == ("S01/T03",)
    assert "- [ ] **T03: New**" in (state / PLAN).read_text()


def test_a_rejected_summary_goes_to_the_shelf_and_back(state: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    projects.write(state, {SUMMARY: "# T01\n"})
    books.set_aside(TASK, tree(state), state, shelf)
    assert not (state / SUMMARY).exists()
    assert (shelf / SUMMARY).read_text() == "# T01\n"
    books.set_aside(TASK, tree(state), state, shelf)
    books.bring_back(state, shelf)
    books.bring_back(state, shelf)
    assert (state / SUMMARY).read_text() == "# T01\n"
    assert [path for path in shelf.rglob("*") if path.is_file()] == []


def test_something_newer_stays(state: Path, tmp_path: Path) -> None:
    projects.write(state, {SUMMARY: "new\n"})
    projects.write(tmp_path / "shelf", {SUMMARY: "old\n"})
    books.bring_back(state, tmp_path / "shelf")
    assert (state / SUMMARY).read_text() == "new\n"
    assert not (tmp_path / "shelf" / SUMMARY).exists()
