"""A fingerprint changes when a person changes the plan, and only then."""

import pytest
from planned import Files, context, document, plan, roadmap, slice_document, task_document, tree

from milepost.model.units import Unit, UnitKind
from milepost.rules.fingerprint import fingerprint

K = UnitKind
BASE: tuple[Files, ...] = (context(), roadmap(), plan(tasks="[ ] T01, [ ] T02"))
OVERRIDE = {"OVERRIDES.md": "## Override: 1\n\n**Change:** x\n**Scope:** active\n"}

UNITS = [
    Unit(K.EXECUTE_TASK, "M001/S01/T01"),
    Unit(K.PLAN_SLICE, "M001/S01"),
    Unit(K.COMPLETE_SLICE, "M001/S01"),
    Unit(K.PLAN_MILESTONE, "M001"),
    Unit(K.VALIDATE_MILESTONE, "M001"),
]


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_ticks_results_and_blanks_at_line_ends_change_nothing(unit: Unit) -> None:
    later = tree(
        *BASE,
        roadmap(slices="[x] S01"),
        {name: text.replace("\n", "  \n") for name, text in plan(tasks="[x] T01, [ ] T02").items()},
        task_document("T01"),
    )
    assert fingerprint(unit, later) == fingerprint(unit, tree(*BASE))


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_the_unit_s_own_artifact_changes_nothing(unit: Unit) -> None:
    own = {
        K.EXECUTE_TASK: task_document("T01", text="new\n"),
        K.PLAN_SLICE: plan(tasks="[ ] T07"),
        K.COMPLETE_SLICE: slice_document("S01", "SUMMARY"),
        K.PLAN_MILESTONE: roadmap(slices="[ ] S05"),
        K.VALIDATE_MILESTONE: document("VALIDATION"),
    }[unit.kind]
    assert fingerprint(unit, tree(*BASE, own)) == fingerprint(unit, tree(*BASE))


@pytest.mark.parametrize(
    ("unit", "change"),
    [
        (UNITS[0], task_document("T01", "PLAN", "# other\n")),
        (UNITS[0], plan(tasks="[ ] T01, [ ] T03")),
        (UNITS[0], roadmap(slices="[ ] S01, [ ] S02")),
        (UNITS[0], OVERRIDE),
        (UNITS[1], slice_document("S01", "CONTEXT")),
        (UNITS[1], slice_document("S01", "RESEARCH")),
        (UNITS[2], plan(tasks="[ ] T01")),
        (UNITS[3], document("RESEARCH")),
        (UNITS[4], roadmap(slices="[x] S01, [x] S02")),
        (Unit(K.REWRITE_DOCS, "M001"), OVERRIDE),
    ],
)
def test_a_changed_input_changes_it(unit: Unit, change: Files) -> None:
    assert fingerprint(unit, tree(*BASE, change)) != fingerprint(unit, tree(*BASE))


def test_every_kind_has_one() -> None:
    assert all(len(fingerprint(Unit(kind, "M001/S01/T01"), tree(*BASE))) == 12 for kind in UnitKind)
