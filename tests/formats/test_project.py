"""The milestone sequence of PROJECT.md."""

import pytest

from milepost.formats.project import Entry, sequence, tick

LIST = """# Project

- [ ] M009: not here

## Milestone Sequence

<!-- - [ ] M008: nor here -->
- [x] M001: Fetch and store — feeds land in SQLite
  - [ ] S01: a slice
- [ ] M002-ab12cd: Reader UI - keyboard driven -- list
- [ ] **M003: Bold** – one-liner

## Next

- [ ] M007: nor here
"""
TABLE = """## Milestone Sequence

| ID | Title | Status |
|----|-------|--------|
| M001 | Fetch | ✅ Complete |
| M002 | Reader | 📋 Next |
| M003 | Sync | 📋 Queued |
"""


def test_checklist() -> None:
    assert sequence(LIST) == (
        Entry(id="M001", title="Fetch and store", one_liner="feeds land in SQLite", done=True),
        Entry(id="M002-ab12cd", title="Reader UI - keyboard driven", one_liner="list", done=False),
        Entry(id="M003", title="Bold", one_liner="one-liner", done=False),
    )


def test_table() -> None:
    assert [(entry.id, entry.title, entry.done) for entry in sequence(TABLE)] == [
        ("M001", "Fetch", True), ("M002", "Reader", False), ("M003", "Sync", False),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "# Project\n", "## Milestone Sequence\n\nprose\n"])
def test_nothing(text: str) -> None:
    assert sequence(text) == ()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "mid", "before", "after"),
    [
        (LIST, "M002-ab12cd", "- [ ] M002", "- [x] M002"),
        (LIST, "M003", "- [ ] **M003", "- [x] **M003"),
        (TABLE, "M002", "| M002 | Reader | 📋 Next |", "| M002 | Reader | ✅ Complete |"),
        (LIST, "M001", "", ""),
        (LIST, "M007", "", ""),
        (LIST, "M002", "", ""),
    ],
)
def test_tick(newline: str, text: str, mid: str, before: str, after: str) -> None:
    raw = text.replace("\n", newline)
    assert tick(raw, mid) == (raw.replace(before, after, 1) if before else raw)
