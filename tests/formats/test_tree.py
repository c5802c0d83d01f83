"""Names and lookups in a `.gsd/` directory."""

import pytest

from milepost.formats import tree as layout
from milepost.testing.trees import DictTree


def test_milestones_are_directories_with_an_id_in_working_order() -> None:
    files = DictTree(
        {
            "milestones/M010-DRAFT/a.md": "",
            "milestones/M002/a.md": "",
            "milestones/M001-ab12cd/a.md": "",
            "milestones/M001/a.md": "",
            "milestones/M003-FLIGHT-SIM/a.md": "",
            "milestones/_archived/a.md": "",
            "milestones/v1.0/a.md": "",
            "milestones/M005-ROADMAP.md": "",
        }
    )
    assert layout.milestone_ids(files) == ("M001", "M001-ab12cd", "M002", "M003", "M010")


def test_directories_are_found_by_exact_id_then_by_descriptor() -> None:
    files = DictTree(
        {
            "milestones/M001-ab12cd/slices/S01/a": "",
            "milestones/M002-sim/slices/S01-core/a": "",
            "milestones/M003/slices/S01/a": "",
        }
    )
    assert layout.milestone_dir(files, "M001") is None
    assert layout.milestone_dir(files, "M001-ab12cd") == "milestones/M001-ab12cd"
    assert layout.milestone_dir(files, "M002") == "milestones/M002-sim"
    assert layout.slice_dir(files, "M002", "S01") == "milestones/M002-sim/slices/S01-core"
    assert layout.slice_dir(files, "M003", "S02") is None


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (["M001-ROADMAP.md", "roadmap.md"], "M001-ROADMAP.md"),
        (["m001-roadmap.md"], "m001-roadmap.md"),
        (["M001-FLIGHT-ROADMAP.md", "roadmap.md"], "M001-FLIGHT-ROADMAP.md"),
        (["roadmap.md"], "roadmap.md"),
        (["ROADMAP.MD"], "ROADMAP.MD"),
        (["M002-ROADMAP.md"], None),
        ([], None),
    ],
)
def test_files_by_canonical_legacy_and_bare_name(present: list[str], found: str | None) -> None:
    files = DictTree({"milestones/M001/x": "", **{f"milestones/M001/{name}": "text" for name in present}})
    assert layout.milestone_file(files, "M001", "ROADMAP") == (f"milestones/M001/{found}" if found else None)


def test_a_draft_is_no_context_and_a_bare_plan_is_no_task_s() -> None:
    files = DictTree({"milestones/M001/M001-CONTEXT-DRAFT.md": "x", "milestones/M001/slices/S01/tasks/plan.md": "x"})
    assert layout.milestone_file(files, "M001", "CONTEXT") is None
    assert layout.milestone_file(files, "M001", "CONTEXT-DRAFT")
    assert layout.task_file(files, "M001", "S01", "T01", "PLAN") is None


def test_paths_to_write_are_canonical_in_the_directory_there_is() -> None:
    files = DictTree({"milestones/M001-sim/slices/S01-core/plan.md": "x"})
    assert layout.milestone_path(files, "M001", "ROADMAP") == "milestones/M001-sim/M001-ROADMAP.md"
    assert layout.slice_path(files, "M001", "S01", "PLAN") == "milestones/M001-sim/slices/S01-core/plan.md"
    assert layout.slice_path(files, "M001", "S02", "PLAN") == "milestones/M001-sim/slices/S02/S02-PLAN.md"
    assert layout.task_path(files, "M002", "S01", "T01", "PLAN") == "milestones/M002/slices/S01/tasks/T01-PLAN.md"


def test_root_files() -> None:
    assert layout.root_file(DictTree({"DECISIONS.md": "", "decisions.md": ""}), "DECISIONS") == "DECISIONS.md"
    assert layout.root_file(DictTree({"decisions.md": ""}), "DECISIONS") == "decisions.md"
    assert layout.root_file(DictTree({}), "DECISIONS") is None


def test_layouts() -> None:
    assert layout.layout(DictTree({"milestones/M001/x": "", "phases/01-a/x": ""})) == "milestones"
    assert layout.layout(DictTree({"phases/01-a/01-ROADMAP.md": ""})) == "phases"
    assert layout.layout(DictTree({"phases/README.md": ""})) == "none"
    assert layout.layout(DictTree({})) == "none"
