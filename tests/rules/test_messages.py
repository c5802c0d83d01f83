import pytest

from milepost.formats import roadmap, summary
from milepost.model.units import Unit, UnitKind
from milepost.rules.messages import (
    BUDGET,
    commit_type,
    milestone_commit,
    quick_commit,
    slice_commit,
    unit_commit,
    without_id,
)

TASK = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T02")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Added a store", "feat"),
        ("Fix the cache", "fix"),
        ("FIXED it", "fix"),
        ("prefix and suffix", "feat"),
        ("Restructure the tests", "refactor"),
        ("Update README", "docs"),
        ("More coverage", "test"),
        ("Optimize reads", "perf"),
        ("Clean up the build", "chore"),
        ("Bump deps", "chore"),
        ("", "feat"),
    ],
)
def test_type(text: str, expected: str) -> None:
    assert commit_type(text) == expected


def done(text: str, title: str = "T02: Schema", files: tuple[str, ...] = ()) -> summary.Summary:
    listed = "".join(f"  - {name}\n" for name in files)
    front = f"---\nid: T02\nkey_files:\n{listed}---\n" if files else ""
    return summary.parse(f"{front}# {title}\n\n**{text}**\n" if text else f"{front}# {title}\n")


def test_a_task_says_what_was_done() -> None:
    made = unit_commit(TASK, summary=done("Added versioned schema", files=("src/db.py", "src/a b.py")), attempt="a-1")
    assert made == (
        "feat(S01/T02): Added versioned schema\n\n- src/db.py\n- src/a b.py\n\n"
        "GSD-Unit: execute-task M001/S01/T02\nGSD-Attempt: a-1\n"
    )


def test_without_a_one_liner_the_title_without_its_id() -> None:
    assert unit_commit(TASK, summary=done("")).splitlines()[0] == "feat(S01/T02): Schema"


def test_the_subject_has_a_budget() -> None:
    subject = unit_commit(TASK, summary=done("word " * 40)).splitlines()[0]
    assert len(subject) <= BUDGET + 2
    assert subject.endswith("…")
    assert not subject.endswith(" …")


def test_a_line_end_in_a_one_liner_does_not_break_the_message() -> None:
    assert len(unit_commit(TASK, summary=done("one")).split("\n\n")[0].splitlines()) == 1


def test_at_most_eight_files() -> None:
    made = unit_commit(TASK, summary=done("x", files=tuple(f"f{n}" for n in range(12))))
    assert made.count("\n- ") == 8


@pytest.mark.parametrize(
    ("unit", "subject"),
    [
        (Unit(UnitKind.PLAN_SLICE, "M001/S01"), "chore(M001/S01): auto-commit after plan-slice"),
        (Unit(UnitKind.COMPLETE_MILESTONE, "M001"), "chore(M001): auto-commit after complete-milestone"),
        (TASK, "chore(M001/S01/T02): auto-commit after execute-task"),
    ],
)
def test_any_other_unit_says_which_it_was(unit: Unit, subject: str) -> None:
    given = None if unit is TASK else done("Added")
    assert unit_commit(unit, summary=given).splitlines() == [subject, "", f"GSD-Unit: {unit}"]


def test_the_milestones_commit() -> None:
    plan = roadmap.parse(
        "# M001: Feed store\n\n## Slices\n\n- [x] **S01: Core** `risk:low`\n- [ ] **S02: Later** `risk:low`\n"
    )
    assert milestone_commit("M001", "M001: Feed store", plan.slices, "milestone/M001") == (
        "feat(M001): Feed store\n\nCompleted slices:\n- S01: Core\n\nBranch: milestone/M001\n"
    )


def test_a_milestone_without_slices_or_title() -> None:
    assert milestone_commit("M001", "", (), "milestone/M001") == "feat(M001): M001\n\nBranch: milestone/M001\n"


@pytest.mark.parametrize(
    ("mid", "title", "expected"),
    [
        ("M010-ab12cd", "M010-ab12cd: User mgmt", "User mgmt"),
        ("M010-ab12cd", "M010: User mgmt", "User mgmt"),
        ("M001", "M001 — Feed store", "Feed store"),
        ("M001", "M001", ""),
        ("M001", "M0012: Other", "M0012: Other"),
        ("M001", "Feed M001: store", "Feed M001: store"),
    ],
)
def test_the_id_is_not_repeated(mid: str, title: str, expected: str) -> None:
    assert without_id(mid, title) == expected


@pytest.mark.spec(id="PR-064")
def test_a_slice_that_lands_on_its_own() -> None:
    assert slice_commit("M001", "S01", " Storage\n core ", "milestone/M001") == (
        "feat(M001/S01): Storage core\n\nBranch: milestone/M001\n"
    )
    assert slice_commit("M001", "S01", "", "milestone/M001").startswith("feat(M001/S01): S01\n")


def test_a_quick_task_lands_with_its_wish_and_what_its_summary_says() -> None:
    made = quick_commit("quick-3-fix-it", "Fix the typo\n", "The title is right", "gsd/quick/3-fix-it")
    assert made == "fix(quick-3): Fix the typo\n\nThe title is right\n\nBranch: gsd/quick/3-fix-it\n"
    assert quick_commit("quick-3-x", "Say hello", "", "b", "chore") == "chore(quick-3): Say hello\n\nBranch: b\n"


def test_a_long_wish_is_cut_in_the_subject_and_kept_in_the_body() -> None:
    wish = "word " * 40 + "\n\nGSD-Milestone: M001"
    subject, body = quick_commit("quick-1-word", wish, "", "b").split("\n\n", 1)
    assert len(subject) <= BUDGET + 2
    assert body.startswith(wish.strip())
    assert body.endswith("\n\nBranch: b\n")


def test_a_unit_of_a_quick_task_says_what_was_wanted() -> None:
    unit = Unit(UnitKind.QUICK, "quick-3-fix-it")
    made = unit_commit(unit, wish="Fix it", attempt="a-1")
    assert made == "fix(quick-3): Fix it\n\nGSD-Unit: quick quick-3-fix-it\nGSD-Attempt: a-1\n"
