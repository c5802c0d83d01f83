"""What the checks say of files: one damage each, where it is found and how bad it is."""

import os
from pathlib import Path

import pytest

from doctor.project import COMPLETE, M1, PLAN1, PLAN2, ROADMAP, S1, S2, codes, look, of, write
from milepost.doctor.finding import Severity

E, W, N = Severity.ERROR, Severity.WARNING, Severity.INFO
RM, P2 = f"{M1}/M001-ROADMAP.md", f"{S2}/S02-PLAN.md"
BLOCKED = "---\nstatus: blocked\nreason: the gate broke\n---\n# Blocked\n"
M2 = {".gsd/milestones/M002/M002-CONTEXT.md": "---\ndepends_on: [M003]\n---\n# M002: Later\n"}
M3 = {".gsd/milestones/M003/M003-CONTEXT.md": "---\ndepends_on: [M002]\n---\n# M003: Latest\n"}

CASES: dict[str, tuple[dict[str, str | bytes | None], str, int, Severity]] = {
    "unreadable_document (NUL)": ({RM: b"# M\0001\n"}, RM, 0, E),
    "unreadable_document (UTF-16)": ({RM: ROADMAP.encode("utf-16")}, RM, 0, E),
    "unreadable_document (Latin-1)": ({RM: ROADMAP.replace("kept", "geprüft").encode("latin-1")}, RM, 3, E),
    "unreadable_document (large)": ({f"{M1}/M001-RESEARCH.md": b"x" * 9_000_000}, f"{M1}/M001-RESEARCH.md", 0, E),
    "unreadable_document (directory)": ({f"{M1}/M001-UAT.md/": ""}, f"{M1}/M001-UAT.md", 0, E),
    "unreadable_document (conflict)": ({RM: ROADMAP + "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n"}, RM, 9, E),
    "roadmap_without_slices (mentioned)": ({RM: "# M001: F\n\nFirst S01, then S02.\n"}, RM, 3, E),
    "roadmap_without_slices": ({RM: "# M001: F\n\nLater.\n"}, RM, 0, W),
    "duplicate_id (slice)": ({RM: ROADMAP + "- [ ] **S02: Again** `depends:[]`\n"}, RM, 9, W),
    "duplicate_id (task)": ({P2: PLAN2 + "- [ ] **T01: Again**\n"}, P2, 6, W),
    "duplicate_id (milestone)": (
        {".gsd/milestones/M001-FLIGHT-SIM/M001-ROADMAP.md": ROADMAP},
        ".gsd/milestones/M001-FLIGHT-SIM",
        0,
        W,
    ),
    "unresolvable_dependency": ({RM: ROADMAP.replace("[S01]", "[S09]")}, RM, 8, E),
    "unresolvable_dependency (milestone)": (M2, ".gsd/milestones/M002/M002-CONTEXT.md", 2, E),
    "dependency_cycle": ({RM: ROADMAP.replace("[S01]", "[S03]") + "- [ ] **S03: C** `depends:[S02]`\n"}, RM, 8, E),
    "dependency_cycle (milestone)": (M2 | M3, ".gsd/milestones/M002/M002-CONTEXT.md", 2, E),
    "plan_without_tasks": ({P2: "# S02\n\nLater.\n"}, P2, 0, W),
    "placeholder_blocked": ({f"{S2}/tasks/T01-SUMMARY.md": BLOCKED}, f"{S2}/tasks/T01-SUMMARY.md", 0, E),
    "missing_task_plan": ({f"{S2}/tasks/T01-PLAN.md": None}, P2, 5, W),
    "task_done_missing_summary": ({P2: PLAN2.replace("[ ]", "[x]")}, P2, 5, W),
    "task_done_missing_summary (old)": ({f"{S1}/tasks/T01-SUMMARY.md": None}, f"{S1}/S01-PLAN.md", 5, N),
    "task_summary_without_done_checkbox": (
        {f"{S2}/tasks/T01-SUMMARY.md": "# T01\n"},
        f"{S2}/tasks/T01-SUMMARY.md",
        0,
        W,
    ),
    "slice_checked_missing_summary": ({f"{S1}/S01-SUMMARY.md": None}, RM, 7, W),
    "slice_checked_missing_uat": ({f"{S1}/S01-UAT.md": None}, RM, 7, N),
    "slice_summary_without_done_checkbox": ({f"{S2}/S02-SUMMARY.md": "# S02\n"}, f"{S2}/S02-SUMMARY.md", 0, W),
    "slice_checked_with_open_tasks": ({f"{S1}/S01-PLAN.md": PLAN1 + "- [ ] **T02: B**\n"}, f"{S1}/S01-PLAN.md", 0, N),
    "missing_slice_plan": ({f"{S1}/S01-PLAN.md": None}, RM, 7, N),
    "blocker_discovered_no_replan": (
        {f"{S1}/tasks/T01-SUMMARY.md": "---\nblocker_discovered: true\n---\n# T01\n"},
        f"{S1}/tasks/T01-SUMMARY.md",
        0,
        N,
    ),
    "unlisted_task": ({f"{S1}/tasks/T07-SUMMARY.md": "# T07\n"}, f"{S1}/tasks/T07-SUMMARY.md", 0, N),
    "milestone_summary_with_open_slices": ({f"{M1}/M001-SUMMARY.md": "# M001\n"}, f"{M1}/M001-SUMMARY.md", 0, W),
    "milestone_summary_without_validation": (
        {**COMPLETE, f"{M1}/M001-VALIDATION.md": ""},
        f"{M1}/M001-SUMMARY.md",
        0,
        N,
    ),
    "ghost_milestone": ({".gsd/milestones/M009/notes.txt": "x"}, ".gsd/milestones/M009", 0, W),
    "not_a_milestone": ({".gsd/milestones/ideas/a.md": "x"}, ".gsd/milestones/ideas", 0, N),
    "not_a_milestone (file)": ({".gsd/milestones/M007": "x"}, ".gsd/milestones/M007", 0, N),
    "queue_order": ({".gsd/QUEUE-ORDER.json": "{"}, ".gsd/QUEUE-ORDER.json", 0, W),
    "queue_order (unknown)": ({".gsd/QUEUE-ORDER.json": '{"order": ["M044"]}'}, ".gsd/QUEUE-ORDER.json", 0, W),
    "active_requirement_missing_owner": (
        {".gsd/REQUIREMENTS.md": "# R\n\n## Active\n\n### R001 — Offline\n- Primary owning slice: none yet\n"},
        ".gsd/REQUIREMENTS.md",
        5,
        W,
    ),
    "blocked_requirement_missing_reason": (
        {".gsd/REQUIREMENTS.md": "## Deferred\n\n### R002 — Sync\n- Status: blocked\n"},
        ".gsd/REQUIREMENTS.md",
        3,
        W,
    ),
    "invalid_preferences": ({".gsd/preferences.md": "---\nmode: teams\n---\n"}, ".gsd/preferences.md", 2, E),
    "invalid_preferences (unknown)": ({".gsd/preferences.md": "---\nmoode: team\n---\n"}, ".gsd/preferences.md", 2, W),
    "metrics_unreadable": ({".gsd/metrics.json": "{"}, ".gsd/metrics.json", 0, E),
    "state_file_missing": ({".gsd/STATE.md": None}, ".gsd/STATE.md", 0, N),
    "state_file_stale": ({".gsd/STATE.md": "**Phase:** complete\n"}, ".gsd/STATE.md", 0, W),
    "phases_layout (both)": ({".gsd/phases/01-first/a.md": "x"}, ".gsd/phases", 0, N),
}


@pytest.mark.parametrize("case", CASES)
def test_found(sound: Path, case: str) -> None:
    files, path, line, severity = CASES[case]
    write(sound, dict(files))
    found = of(sound, case.split(" ")[0])
    assert (found.path, found.line, found.severity) == (path, line, severity), found
    assert "\n" not in found.message


def test_a_sound_project_has_no_findings(sound: Path) -> None:
    assert look(sound) == []


def test_old_work_is_mentioned_at_most(sound: Path) -> None:
    """Half of all real projects have finished milestones with gaps; nobody has to act on them."""
    write(sound, dict(COMPLETE))
    write(sound, {f"{S1}/S01-SUMMARY.md": None, f"{S1}/tasks/T01-SUMMARY.md": None, RM: "# M001: F\n\nS01, S02.\n"})
    write(sound, {".gsd/STATE.md": None, f"{S2}/tasks/T01-SUMMARY.md": BLOCKED})
    assert {found.severity for found in look(sound)} == {N}


def test_the_successors_layout_is_recognised(repo: Path) -> None:
    write(repo, {".gsd/phases/01-first/PLAN.md": "x"})
    found = of(repo, "phases_layout")
    assert found.severity is E
    assert "successor" in found.message


def test_a_project_without_milestones_says_what_comes_first(repo: Path) -> None:
    write(repo, {".gsd/milestones/": ""})
    assert "M001-CONTEXT.md" in of(repo, "no_milestones").hint


def test_a_link_out_of_the_state_directory_is_not_followed(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("hidden")
    (sound / M1 / "M001-RESEARCH.md").symlink_to(tmp_path / "secret.md")
    assert "not followed" in of(sound, "unreadable_document").message


def test_a_pipe_in_place_of_a_document_does_not_hold_it_up(sound: Path) -> None:
    (sound / RM).unlink()
    os.mkfifo(sound / RM)
    assert of(sound, "unreadable_document").path == RM


def test_a_state_directory_behind_a_link_is_read_and_said(sound: Path, tmp_path: Path) -> None:
    (sound / ".gsd").rename(tmp_path / "elsewhere")
    (sound / ".gsd").symlink_to(tmp_path / "elsewhere")
    assert "state_dir_is_link" in codes(sound)
    assert "no_milestones" not in codes(sound)


def test_two_directories_for_one_slice(sound: Path) -> None:
    write(
        sound,
        {
            f"{M1}/slices/S01-storage/S01-PLAN.md": PLAN1,
            f"{M1}/slices/notes-a/x.md": "",
            f"{M1}/slices/notes-b/x.md": "",
        },
    )
    assert of(sound, "duplicate_id").path == f"{M1}/slices/S01-storage"


def test_a_box_with_a_slice_id_elsewhere_is_no_duplicate(sound: Path) -> None:
    more = "\n## Definition of done\n\n- [ ] S01: shown\n- [ ] S02: shown\n\n```\n- [ ] **S01: x**\n```\n"
    write(sound, {RM: ROADMAP + more, P2: PLAN2 + "\n### T01 — Fetcher\n\nDetails.\n"})
    assert look(sound) == []


def test_an_other_milestones_slice_is_a_dependency_that_is_there(sound: Path) -> None:
    write(sound, {RM: ROADMAP.replace("[S01]", "[M000/S01]"), ".gsd/milestones/M000/M000-ROADMAP.md": ROADMAP})
    assert "unresolvable_dependency" not in codes(sound)


def test_files_are_checked_without_a_repository(tmp_path: Path) -> None:
    root = tmp_path / "bare-tree"
    write(root, {RM: "# M001: F\n\nS01 comes first.\n"})
    assert set(codes(root)) == {"not_a_repository", "roadmap_without_slices", "state_file_missing"}


BARE = PLAN2.replace("**Goal:** Feeds come by themselves.", "")


def test_a_plan_that_nobody_began_is_held_against_the_lint(sound: Path) -> None:
    write(sound, {P2: BARE})
    found = of(sound, "plan_lint")
    assert (found.path, found.severity, found.milestone) == (P2, W, "M001")
    assert "gsd dispatch plan M001/S02" in found.hint


def test_a_roadmap_that_nobody_began_is_held_against_the_lint(sound: Path) -> None:
    open_ = ROADMAP.replace("[x]", "[ ]")
    write(sound, {RM: open_, f"{S1}/S01-SUMMARY.md": None, f"{S1}/S01-UAT.md": None, f"{S1}/S01-PLAN.md": None})
    write(sound, {f"{S1}/tasks/T01-SUMMARY.md": None, f"{S1}/tasks/T01-PLAN.md": None})
    found = [one for one in look(sound) if one.code == "plan_lint"]
    assert {one.path for one in found} == {RM}
    assert {one.severity for one in found} == {W, N}
    assert all("gsd dispatch plan M001 " in one.hint for one in found)


@pytest.mark.parametrize(
    "begun",
    [{f"{S2}/tasks/T01-SUMMARY.md": "# T01\n\n**Done**\n"}, {P2: BARE.replace("[ ]", "[x]")}, dict(COMPLETE)],
    ids=["reported", "ticked", "complete"],
)
def test_what_is_begun_is_not(sound: Path, begun: dict[str, str | bytes | None]) -> None:
    write(sound, {P2: BARE})
    assert "plan_lint" in codes(sound)
    write(sound, begun)
    assert "plan_lint" not in codes(sound)
