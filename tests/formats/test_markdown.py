"""The tolerant reader below every document."""

import pytest

from milepost.formats import _markdown as md

FRONT = """---
id: T01
empty:
none: []
inline: [a, "b, c", 'd']
# a comment
quoted: "a: b"
noted: value # why
provides:
  - `backticked` start: with a colon
  - "quoted" and more
  - @at and %percent
  - ["one", "two"]
  - long text
    that goes on
requires:
  - slice: S01
    provides: storage
  - slice: S02
key_files:
- src/a.py
duration: ~20m
---

# T01: Title
"""


def test_frontmatter_survives_what_is_no_yaml() -> None:
    fields = md.frontmatter(FRONT)
    assert fields["id"] == "T01"
    assert fields["empty"] == fields["none"] == ()
    assert fields["inline"] == ("a", "b, c", "d")
    assert fields["quoted"] == "a: b"
    assert fields["noted"] == "value"
    assert fields["provides"] == (
        "`backticked` start: with a colon",
        '"quoted" and more',
        "@at and %percent",
        "one",
        "two",
        "long text that goes on",
    )
    assert fields["requires"] == ({"slice": "S01", "provides": "storage"}, {"slice": "S02"})
    assert fields["key_files"] == ("src/a.py",)
    assert md.strings(fields, "requires") == ("S01: storage", "S02")
    assert md.split(FRONT)[1] == "# T01: Title\n"


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_line_ends_do_not_matter(ends: str) -> None:
    assert md.frontmatter(FRONT.replace("\n", ends)) == md.frontmatter(FRONT)


@pytest.mark.parametrize(
    ("text", "block", "body"),
    [
        ("no front", "", "no front"),
        ("---\na: 1\nnever ends", "", "---\na: 1\nnever ends"),
        ("\n\n---\na: 1\n---\n\nbody", "a: 1", "body"),
        ("---\na: 1\n--- tail\nbody", "a: 1", " tail\nbody"),
        ("\ufeff---\na: 1\n---\n", "a: 1", ""),
        ("---\n---\nbody", "", "body"),
        ("", "", ""),
    ],
)
def test_split(text: str, block: str, body: str) -> None:
    assert md.split(text) == (block, body)


def test_sections_understand_fences() -> None:
    text = "## A\none\n```\n## B\n```\ntwo\n### C\nthree\n## D\nfour\n"
    assert md.section(text, "A") == "one\n```\n## B\n```\ntwo\n### C\nthree"
    assert md.section(text, "d") == "four"
    assert md.section(text, "B") == ""
    assert [head for head, _ in md.sections(text, 2)] == ["A", "D"]
    assert md.sections(text, 3) == (("C", "three"),)
    assert md.sections("", 2) == ()


def test_a_fence_that_never_closes_and_one_opened_twice() -> None:
    assert md.unfenced(["```", "a"]) == [True, True]
    assert md.unfenced(["```", "a", "```bash", "b", "```", "c"]) == [True, True, False, False, False, True]


def test_comments_become_blanks_of_the_same_shape() -> None:
    text = "a <!-- x\r\ny --> b <!-- open"
    assert md.blank_comments(text) == "a       \r\n      b <!-- open"


def test_bold_fields_and_bullets() -> None:
    text = "**Goal:** do it\n**Empty:**\n\nnext line\n**Last:**\n## H\n"
    assert md.bold_field(text, "Goal") == "do it"
    assert md.bold_field(text, "Empty") == "next line"
    assert md.bold_field(text, "Last") == ""
    assert md.bold_field(text, "Other") == ""
    assert md.bullets("- a\n* b\n\n# no\nplain\n-dash") == ("a", "b", "plain", "-dash")


@pytest.mark.parametrize(
    ("title", "letter", "name"),
    [
        ("T01: Name", "T", "Name"),
        ("Task T01: Name", "T", "Name"),
        ("S07 Plan: Name", "S", "Name"),
        ("S16 Plan — Name", "S", "Name"),
        ("Slice S03: Name", "S", "Name"),
        ("S01: S01", "S", ""),
        ("M001-ab12cd - Name", "M", "Name"),
        ("T-shirt sizes", "T", "T-shirt sizes"),
        ("S3 buckets: where", "S", "S3 buckets: where"),
    ],
)
def test_without_id(title: str, letter: str, name: str) -> None:
    assert md.without_id(title, letter) == name
