"""Slice plans and their task lines."""

import pytest

from milepost.errors import FormatError
from milepost.formats import plan

CANONICAL = """# S01: Storage core

**Goal:** Items persist.
**Demo:** `rss list` shows rows.

## Must-Haves
- Unique guid

## Verification
- pytest tests/test_store.py

## Tasks

- [x] **T01: Schema and migrations** `est:30m`
  - Why: everything needs tables
  - Files: `src/db.py`, `src/migrate.py`
  - Verify: pytest tests/test_schema.py
- [ ] **T02: Repository API** `est:1h`
  - Files: src/store.py
  - Verify: pytest tests/test_store.py && ruff check src

## Files Likely Touched
- `src/db.py`
"""


def ids(text: str) -> list[tuple[str, bool]]:
    return [(task.id, task.done) for task in plan.tasks(text)]


def test_canonical() -> None:
    found = plan.parse(CANONICAL)
    assert (found.id, found.title, found.goal, found.demo) == (
        "S01",
        "Storage core",
        "Items persist.",
        "`rss list` shows rows.",
    )
    assert found.must_haves == ("Unique guid",)
    assert found.verification == "- pytest tests/test_store.py"
    assert found.files_likely_touched == ("src/db.py",)
    first, second = found.tasks
    assert (first.id, first.title, first.done, first.estimate) == ("T01", "Schema and migrations", True, "30m")
    assert first.files == ("src/db.py", "src/migrate.py")
    assert first.verify == "pytest tests/test_schema.py"
    assert first.description == "- Why: everything needs tables"
    assert second.files == ("src/store.py",)
    assert second.verify == "pytest tests/test_store.py && ruff check src"


@pytest.mark.parametrize(
    ("line", "estimate"),
    [
        ("- [x] **T01: Name** `est:45m`", "45m"),
        ("- [X] **T01: Name**", ""),
        ("* [x] **T01: Name**", ""),
        ("- [x] **T01:** Name", ""),
        ("- [x] **T01**: Name _(1h)_", "1h"),
        ("- [x] T01: Name", ""),
        ("- [x] T01 — Name", ""),
        ("- [x] **T01:Name**", ""),
        ("- [x] **T01 — Name**", ""),
    ],
)
def test_task_spellings(line: str, estimate: str) -> None:
    text = f"# S01: T\n\n## Tasks\n\n{line}\n"
    (task,) = plan.tasks(text)
    assert (task.id, task.title, task.done, task.estimate) == ("T01", "Name", True, estimate)
    assert ids(plan.untick(text, "T01")) == [("T01", False)]
    assert plan.tick(plan.untick(text, "T01"), "T01").lower() == text.lower()


@pytest.mark.parametrize(
    "head", ["### T01: Name", "### T01 — Name", "### T01 -- Name", "## **T01: Name**", "#### T01: Name `est:1h`"]
)
def test_heading_tasks(head: str) -> None:
    text = f"# S01: T\n\n## Tasks\n\n{head}\n\n- Verify: `make test`\n"
    (task,) = plan.tasks(text)
    assert (task.id, task.title, task.done, task.verify) == ("T01", "Name", False, "`make test`")
    ticked = plan.tick(text, "T01")
    assert ids(ticked) == [("T01", True)]
    assert plan.untick(ticked, "T01") == text


def test_tasks_outside_the_section_are_found_and_come_last() -> None:
    text = "# S01: T\n\n- [ ] **T03: c**\n\n## Tasks\n\n- [x] **T01: a**\n\n## Steps\n\n1. do\n\n- [ ] **T02: b**\n"
    assert ids(text) == [("T01", True), ("T03", False), ("T02", False)]


def test_a_tasks_element_of_the_successor() -> None:
    assert ids("# S01\n\n<tasks>\n- [ ] **T01**: a _(15min)_\n- [x] **T02**: b\n</tasks>\n") == [
        ("T01", False),
        ("T02", True),
    ]


def test_an_id_given_twice_counts_once_and_its_box_wins() -> None:
    text = "## Tasks\n\n### T01: details\n\n- [x] **T01: a**\n- [ ] **T01: again**\n"
    assert ids(text) == [("T01", True)]
    assert plan.untick(text, "T01").count("[x]") == 0


@pytest.mark.parametrize(
    "line",
    ["- [ ] Unit tests pass", "- [ ] T01 does things", "### R001: Requirement", "## Steps: many", "  - [ ] **T09: x**"],
)
def test_what_is_no_task(line: str) -> None:
    assert ids(f"## Tasks\n\n- [ ] **T01: a**\n{line}\n") == [("T01", False)]


def test_fences_and_comments_hold_no_tasks() -> None:
    comments = "<!-- - [ ] **T08: x** -->\n<!--\n- [ ] **T07: x**\n-->\n"
    text = f"## Tasks\n{comments}```md\n- [ ] **T09: x**\n```\n- [ ] **T01: a**\n"
    assert ids(text) == [("T01", False)]
    assert plan.tick(text, "T01") == text.replace("[ ] **T01", "[x] **T01")


def test_frontmatter_and_crlf() -> None:
    text = "---\nphase: x\n---\n" + CANONICAL
    crlf = text.replace("\n", "\r\n")
    assert plan.parse(crlf) == plan.parse(text)
    assert plan.tick(crlf, "T02") == text.replace("[ ] **T02", "[x] **T02").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ("`a.py`, `b.py` (new)", ("a.py", "b.py")),
        ("a.py, b/c.py", ("a.py", "b/c.py")),
        ("none (verification only)", ()),
        ("16 dead files (deleted), `a.py`", ("a.py",)),
    ],
)
def test_files(files: str, expected: tuple[str, ...]) -> None:
    assert plan.tasks(f"## Tasks\n- [ ] **T01: a**\n  - Files: {files}\n")[0].files == expected


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(FormatError, match="T09"):
        plan.tick(CANONICAL, "T09")


@pytest.mark.parametrize("text", ["", "# S01: T", "## Tasks\n", "# BLOCKER — auto-mode recovery failed\n"])
def test_nothing_to_read_is_no_tasks(text: str) -> None:
    assert plan.parse(text).tasks == ()
