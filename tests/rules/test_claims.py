"""Which unit a file says is finished, and who may write it."""

import pytest

from milepost.model.units import Unit, UnitKind
from milepost.rules.claims import claimed, may_claim

S = "milestones/M001/slices/S01"
TASK = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")
UAT = Unit(UnitKind.RUN_UAT, "M001/S01")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (f"{S}/tasks/T01-SUMMARY.md", "execute-task/M001/S01/T01"),
        (f"{S}/tasks/T01-write-it-SUMMARY.md", "execute-task/M001/S01/T01"),
        (f"{S}/S01-SUMMARY.md", "complete-slice/M001/S01"),
        (f"{S}/S01-ASSESSMENT.md", "reassess-roadmap/M001/S01"),
        (f"{S}/S01-UAT-RESULT.md", "run-uat/M001/S01"),
        (f"{S}/S01-REPLAN.md", "replan-slice/M001/S01"),
        ("milestones/M001/slices/S01-auth/S01-SUMMARY.md", "complete-slice/M001/S01"),
        ("milestones/M001/slices/S01-auth/tasks/T02-SUMMARY.md", "execute-task/M001/S01/T02"),
        ("milestones/M001/M001-SUMMARY.md", "complete-milestone/M001"),
        ("milestones/M001-SMALL/M001-VALIDATION.md", "validate-milestone/M001"),
        (f"{S}/S01-PLAN.md", None),
        (f"{S}/S01-UAT.md", None),
        (f"{S}/tasks/T01-PLAN.md", None),
        (f"{S}/tasks/T01-VERIFY.json", None),
        ("milestones/M001/M001-ROADMAP.md", None),
        ("DECISIONS.md", None),
        ("M001-SUMMARY.md", None),
    ],
)
def test_what_a_file_completes(path: str, key: str | None) -> None:
    found = claimed(path, "M001")
    assert (found.key if found else None) == key


@pytest.mark.parametrize(
    ("path", "unit", "may"),
    [
        (f"{S}/tasks/T01-SUMMARY.md", TASK, True),
        (f"{S}/tasks/T02-SUMMARY.md", TASK, False),
        (f"{S}/S01-SUMMARY.md", TASK, False),
        ("milestones/M001/M001-SUMMARY.md", TASK, False),
        (f"{S}/S01-PLAN.md", TASK, True),
        (f"{S}/S01-UAT-RESULT.md", UAT, True),
        (f"{S}/S01-ASSESSMENT.md", UAT, True),
        ("milestones/M001/slices/S02/S02-ASSESSMENT.md", UAT, False),
        (f"{S}/S01-SUMMARY.md", UAT, False),
        (f"{S}/S01-SUMMARY.md", Unit(UnitKind.COMPLETE_SLICE, "M001/S01"), True),
    ],
)
def test_who_may_write_it(path: str, unit: Unit, may: bool) -> None:
    assert may_claim(path, unit) is may
