"""The three tables of what was learnt."""

import pytest

from milepost.formats.knowledge import Entry, Kind, append, next_id, parse

TEXT = """# Project Knowledge

## Rules

| # | Scope | Rule | Why | Added |
|---|-------|------|-----|-------|
| K001 | global | Never log tokens | — | manual |

## Free notes

Something | else

## Lessons Learned

| # | What Happened | Root Cause | Fix | Scope |
|---|--------------|------------|-----|-------|
"""


def test_rows() -> None:
    assert parse(TEXT) == (Entry(id="K001", kind=Kind.RULE, text="Never log tokens", scope="global"),)


@pytest.mark.parametrize(("kind", "identity"), [(Kind.RULE, "K002"), (Kind.PATTERN, "P001"), (Kind.LESSON, "L001")])
def test_next_id(kind: Kind, identity: str) -> None:
    assert next_id(TEXT, kind) == identity


def test_bare_numbers_go_on() -> None:
    assert next_id(TEXT.replace("K001", "7"), Kind.RULE) == "8"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("kind", "after", "row"),
    [
        (
            Kind.RULE,
            "| K001 | global | Never log tokens | — | manual |\n",
            "| K002 | M001/S02 | a \\| b | — | manual |\n",
        ),
        (Kind.LESSON, "|---|--------------|------------|-----|-------|\n", "| L001 | a \\| b | — | — | M001/S02 |\n"),
    ],
)
def test_append(newline: str, kind: Kind, after: str, row: str) -> None:
    expected = TEXT.replace(after, after + row).replace("\n", newline)
    assert append(TEXT.replace("\n", newline), kind, "a | b", scope="M001/S02") == expected


def test_a_missing_section_comes_at_the_end() -> None:
    after = append(TEXT, Kind.PATTERN, "one writer", scope="global")
    assert after.startswith(TEXT)
    patterns = [entry for entry in parse(after) if entry.kind is Kind.PATTERN]
    assert patterns == [Entry(id="P001", kind=Kind.PATTERN, text="one writer", scope="global")]


@pytest.mark.parametrize("kind", Kind)
def test_an_empty_file_gets_all_three(kind: Kind) -> None:
    text = append("", kind, "said", scope="global")
    assert [heading for heading in ("## Rules", "## Patterns", "## Lessons Learned") if heading in text] == [
        "## Rules", "## Patterns", "## Lessons Learned",
    ]  # fmt: skip
    assert [(entry.kind, entry.text, entry.scope) for entry in parse(text)] == [(kind, "said", "global")]
