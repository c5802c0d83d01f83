"""Roadmaps as people and models write them."""

import pytest

from milepost.errors import FormatError
from milepost.formats import roadmap

CANONICAL = """# M001: Feed store

**Vision:** Feeds are fetched and kept.

## Success Criteria
- Readable offline
* Fast

## Slices

- [x] **S01: Storage core** `risk:high` `depends:[]`
  > After this: `rss add URL` persists items.
- [ ] **S02: Fetch loop** `depends:[S01]` `risk:medium`
  > After this: items refresh.

## Boundary Map

### S01 → S02

Produces:
- Store.add_items(feed_id, items)
"""


def ids(text: str) -> list[tuple[str, bool]]:
    return [(entry.id, entry.done) for entry in roadmap.slices(text)]


def listed(*lines: str) -> str:
    return "# M001: T\n\n## Slices\n\n" + "\n".join(lines) + "\n\n## Boundary Map\n\nNone.\n"


def test_canonical() -> None:
    found = roadmap.parse(CANONICAL)
    assert found.title == "Feed store"
    assert found.vision == "Feeds are fetched and kept."
    assert found.success_criteria == ("Readable offline", "Fast")
    assert [(s.id, s.title, s.risk, s.depends, s.done) for s in found.slices] == [
        ("S01", "Storage core", "high", (), True),
        ("S02", "Fetch loop", "medium", ("S01",), False),
    ]
    assert found.slices[0].demo == "`rss add URL` persists items."
    assert not found.complete
    assert roadmap.boundaries(CANONICAL)[0].target == "S02"


@pytest.mark.parametrize(
    "line",
    [
        "- [x] **S03: Name** `risk:low` `depends:[]`",
        "  - [X] **S03: Name**",
        "* [x] **S03: Name**",
        "+ [x] **S03: Name**",
        "1. [x] **S03: Name**",
        "- [x] **S03:Name**",
        "- [x] **S03:** Name",
        "- [x] **S03**: Name",
        "- [x] **S03** Name",
        "- [x] **S03 — Name**",
        "- [x] **S03 - Name**",
        "- [x] **S03. Name**",
        "- [x] S03: Name",
        "- [x] S03 — Name `risk:low`",
        "- [x] **[S03] Name**",
        "- [x] **M012/S03: Name**",
        "- [x] **S03: Name** *(deferred → M009)*",
        "- [x] **S03: Name** [sketch] `risk:high` `remediation:true`",
    ],
)
def test_checklist_spellings(line: str) -> None:
    (found,) = roadmap.slices(listed(line))
    assert (found.id, found.title, found.done) == ("S03", "Name", True)
    open_ = roadmap.untick(listed(line), "S03")
    assert ids(open_) == [("S03", False)]
    assert roadmap.tick(open_, "S03").lower() == listed(line).lower()


@pytest.mark.parametrize(
    "line",
    [
        "- [ ] ~~**S30: T** `risk:low`~~",
        "- [ ] **S04: T**~~ `risk:low` — Deferred",
        "- [ ] **nothing** here",
        "- S05: T",
    ],
)
def test_what_is_no_slice(line: str) -> None:
    assert ids(listed("- [ ] **S01: A**", line)) == [("S01", False)]


@pytest.mark.parametrize(
    ("tag", "depends"),
    [
        ("`depends:[]`", ()),
        ("`depends:[none]`", ()),
        ("`depends:[S01, S02]`", ("S01", "S02")),
        ("`depends:[S01-S03]`", ("S01", "S02", "S03")),
        ("`depends:[s1..s3]`", ("S1", "S2", "S3")),
        ("`depends:[S03-S01]`", ("S03-S01",)),
        ("`depends:[S01,M009/S02]`", ("S01", "M009/S02")),
        ("depends:[S01]", ("S01",)),
        ("`risk:high — because `x` breaks` `depends:[S01]`", ("S01",)),
    ],
)
def test_dependencies(tag: str, depends: tuple[str, ...]) -> None:
    assert roadmap.slices(listed(f"- [ ] **S09: T** {tag}"))[0].depends == depends


def test_an_absurd_range_stays_as_written() -> None:
    assert roadmap.slices(listed("- [ ] **S09: T** `depends:[S1-S99999999]`"))[0].depends == ("S1-S99999999",)


def test_pipes_instead_of_tags() -> None:
    (found,) = roadmap.slices(listed("- [x] **S01** | risk: high | depends: [S02]"))
    assert (found.id, found.risk, found.depends, found.done) == ("S01", "high", ("S02",), True)


def test_template_comment_left_in_the_section_is_no_table() -> None:
    comment = "<!--\n  Format rules: | S01 | done |\n  - [ ] **S99: Example**\n-->"
    assert ids(listed(comment, "- [ ] **S01: A**")) == [("S01", False)]
    assert "[x] **S01" in roadmap.tick(listed(comment, "- [ ] **S01: A**"), "S01")


def test_a_title_with_a_pipe_is_no_table() -> None:
    assert ids(listed("- [x] **S01: a | b**", "- [ ] **S02: c**")) == [("S01", True), ("S02", False)]


TABLE = """# M001:

## Vision
Store feeds.

## Slice Overview
| ID | Slice | Risk | Depends | Done | After this |
|----|-------|------|---------|------|------------|
| S01 | Storage | high | — | ✅ | Rows persist. |
| S02 | Fetch \\| retry | low | S01 | ⬜ | The import is complete. |
| S03 | UI | medium | S01, M007/S03 |  | Nothing |
"""


def test_table() -> None:
    found = roadmap.parse(TABLE)
    assert found.vision == "Store feeds."
    assert [(s.id, s.title, s.risk, s.depends, s.done) for s in found.slices] == [
        ("S01", "Storage", "high", (), True),
        ("S02", "Fetch \\| retry", "low", ("S01",), False),
        ("S03", "UI", "medium", ("S01", "M007/S03"), False),
    ]


def test_table_edits_touch_one_cell() -> None:
    ticked = roadmap.tick(TABLE, "S02")
    assert ticked == TABLE.replace("| S01 | ⬜ |", "| S01 | ✅ |")
    assert roadmap.untick(ticked, "S02") == TABLE
    assert "| S01, M007/S03 | ✅ | Nothing |" in roadmap.tick(TABLE, "S03").replace("|  ✅", "| ✅").replace(
        "✅|", "✅ |"
    )


@pytest.mark.parametrize(
    ("row", "done"),
    [
        ("| S01 | Title | High | [x] Done |", True),
        ("| S01 | Title | High | Complete |", True),
        ("| S01 | Title | High | [ ] |", False),
        ("| S01 | Title | High | ☑ |", True),
        ("| S01 | Title | High | pending |", False),
        ("| **S01** | Title | High | ✔ |", True),
    ],
)
def test_rows_without_a_done_column(row: str, done: bool) -> None:
    text = listed("| ID | Slice | Risk | Mark |", "|---|---|---|---|", row)
    assert ids(text) == [("S01", done)]
    turned = roadmap.untick(text, "S01") if done else roadmap.tick(text, "S01")
    assert ids(turned) == [("S01", not done)]


def test_a_row_without_any_mark_can_be_ticked_and_unticked() -> None:
    text = listed("| ID | Slice |", "|---|---|", "| S01 | Title |")
    ticked = roadmap.tick(text, "S01")
    assert "| S01 ✅ | Title |" in ticked
    assert roadmap.untick(ticked, "S01") == text


@pytest.mark.parametrize(
    ("head", "done"),
    [
        ("## Slice S01: Name", False),
        ("# S01: Name", False),
        ("### S01 — Name", False),
        ("#### S01 – Name", False),
        ("## S01 - Name", False),
        ("## S01. Name", False),
        ("## S01 Name", False),
        ("## **S01: Name**", False),
        ("## **S01**: Name", False),
        ("## [S01] Name", False),
        ("## 1. S01: Name", False),
        ("## (1) S01: Name", False),
        ("  ## S01: Name", False),
        ("## ✓ S01: Name", True),
        ("## ✅ S01: Name", True),
        ("## S01: ✅ Name", True),
        ("## S01: Name ✅", True),
        ("## S01: Name (Complete)", True),
    ],
)
def test_prose(head: str, done: bool) -> None:
    text = f"# M001: T\n\n{head}\n\n**Depends on:** none\n\n## S02: Next\n\nDepends on: S01\n"
    found = roadmap.slices(text)
    assert [(s.id, s.title, s.done) for s in found] == [("S01", "Name", done), ("S02", "Next", False)]
    assert [s.depends for s in found] == [(), ("S01",)]
    turned = roadmap.untick(text, "S01") if done else roadmap.tick(text, "S01")
    assert ids(turned)[0] == ("S01", not done)


def test_prose_below_an_empty_slices_section_but_not_a_boundary_map() -> None:
    assert ids("# M001: T\n\n## Slices\n\n### S01: A\n\n## Boundary Map\n\n### S01 → S02\n") == [("S01", False)]
    assert ids("# M001: T\n\n## Slices\n\n## Boundary Map\n\n### S01 → S02\n") == []


def test_a_heading_that_is_only_an_id_is_no_slice() -> None:
    assert ids("# M001: T\n\n### S09\n\nProduces: x\n") == []


def test_fenced_examples_are_not_read() -> None:
    assert ids(listed("```", "- [ ] **S09: Example**", "```", "- [ ] **S01: A**")) == [("S01", False)]


def test_a_fence_that_never_closes_hides_nothing() -> None:
    assert ids(listed("```", "- [ ] **S01: A**")) == [("S01", False)]


def test_an_id_listed_twice_is_one_slice_and_both_boxes_are_set() -> None:
    text = listed("- [x] **S01: A**", "- [ ] **S01: A again**")
    assert ids(text) == [("S01", False)]
    assert ids(roadmap.tick(text, "S01")) == [("S01", True)]
    assert roadmap.tick(text, "S01").count("[x]") == 2


@pytest.mark.parametrize("text", [CANONICAL, TABLE, CANONICAL.replace("\n", "\r\n"), TABLE.replace("\n", "\r\n")])
def test_edits_keep_every_other_byte(text: str) -> None:
    for entry in roadmap.slices(text):
        turned = roadmap.untick(text, entry.id) if entry.done else roadmap.tick(text, entry.id)
        changed = [(a, b) for a, b in zip(text.split("\n"), turned.split("\n"), strict=True) if a != b]
        assert len(changed) == 1
        assert changed[0][1].endswith("\r") == ("\r\n" in text)


def test_an_edit_that_changes_nothing_returns_the_text() -> None:
    assert roadmap.tick(CANONICAL, "S01") == CANONICAL
    assert roadmap.untick(CANONICAL, "S02") == CANONICAL


def test_an_unknown_slice_is_refused() -> None:
    with pytest.raises(FormatError, match="S09"):
        roadmap.tick(CANONICAL, "S09")


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("# M001: Name", "Name"),
        ("# M001-ab12cd: Name", "Name"),
        ("# M001: M001: M001: Name", "Name"),
        ("# M001 — Name: more", "Name: more"),
        ("# M004 Roadmap: Name", "Name"),
        ("# M001: ", ""),
        ("# M001", ""),
        ("# Milestone M001: Name", "Name"),
        ("# A name of its own: yes", "A name of its own: yes"),
        ("no heading", ""),
    ],
)
def test_title(head: str, title: str) -> None:
    assert roadmap.title(head + "\n") == title


@pytest.mark.parametrize(
    "text", ["", "\n", "# M001", "## Slices", "## Slices\n", "**Vision:** ## Slices", "---\n", "|", "\0"]
)
def test_nothing_to_read_is_no_slices(text: str) -> None:
    assert roadmap.parse(text).slices == ()


def test_an_id_that_is_a_path_is_none() -> None:
    text = "# M001: x\n\n## Slices\n\n- [ ] **..: up** `depends:[]`\n- [ ] **S01: down** `depends:[]`\n"
    assert [entry.id for entry in roadmap.slices(text)] == ["S01"]
