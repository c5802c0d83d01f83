"""What the loop writes on its own account."""

from pathlib import Path

from milepost.model.units import Unit, UnitKind
from milepost.rules.dispatch import Dispatch, Write
from milepost.store.snapshot import Snapshot
from milepost.testing import projects
from milepost.worker import effects
from unit.workbench import bench_for, notes
from worker.shifts import said, shift_for

UNIT = Unit(UnitKind.COMPLETE_MILESTONE, "M001")
VALIDATION = "milestones/M001/M001-VALIDATION.md"


def test_without_effects_nothing_is_written(project: Path) -> None:
    bench = bench_for(project)
    assert effects.apply(Dispatch(UNIT, "rule"), bench) is False
    assert notes(bench).said == []


def test_effects_go_to_the_milestones_home(project: Path) -> None:
    bench = bench_for(project)
    wanted = (Write(VALIDATION, "passed caf\udce9\n", "skipped by the settings"), Write("x/y.md", "", "why"))
    assert effects.apply(Dispatch(UNIT, "rule", effects=wanted), bench) is True
    assert (bench.workspace.cwd / ".gsd" / VALIDATION).read_bytes() == b"passed caf\xe9\n"
    assert not (project / ".gsd" / VALIDATION).exists()
    assert notes(bench).said == [f"wrote {VALIDATION}: skipped by the settings", "wrote x/y.md: why"]


def test_state_md_is_made_again_and_never_read(project: Path) -> None:
    shift = shift_for(project)
    (project / ".gsd/STATE.md").write_text("phase: complete\n")
    effects.write_state(shift)
    text = (project / ".gsd/STATE.md").read_text()
    assert "M001" in text
    assert "S01" in text
    effects.write_state(shift)
    assert (project / ".gsd/STATE.md").read_text() == text


def test_a_persons_orders_reach_the_milestone_at_work(project: Path) -> None:
    shift = shift_for(project)
    effects.carry_orders(Snapshot(str(project)), "M001", shift)
    assert said(shift) == ""
    bench = bench_for(project)
    order = "# Overrides\n\n## Override: 2026-01-01T00:00:00Z\n\n**Change:** Use tabs\n**Scope:** active\n**Applied-at:** x\n"
    projects.write(project / ".gsd", {"OVERRIDES.md": order})
    effects.carry_orders(Snapshot(str(project)), "M001", shift)
    taken = bench.workspace.state / "OVERRIDES.md"
    assert ("takes up new orders" in said(shift)) is taken.exists()
    assert "Use tabs" in taken.read_text()
