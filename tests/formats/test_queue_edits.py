"""Edits that a new order makes: only what is meant changes. Source: spec auto 2.2, 2.10, 7."""

import pytest

from milepost.formats import context, later, project_edit
from milepost.formats.context_edit import without_dependency
from milepost.model.ids import BadId, next_milestone

LIST = "# Project\n\n## Milestone Sequence\n\n- [x] M001: One — a\n- [ ] M002: Two\n\nA note.\n- [ ] M003: Three\n\n## More\n\nx\n"
TABLE = (
    "## Milestone Sequence\n\n| ID | Title | Status |\n|---|---|---|\n| M001 | One | ✅ Complete |\n"
    "| M002 | Two | 📋 Next |\n| M003 | Three | 📋 Queued |\n"
)


@pytest.mark.parametrize(
    ("head", "left"),
    [
        ("depends_on: [M001, M002]\n", "depends_on: [M002]\n"),
        ("depends_on: [M001]\n", "depends_on: []\n"),
        ("dependsOn: M001\n", "dependsOn: []\n"),
        ('depends_on: ["M001", "M002"]\n', 'depends_on: ["M002"]\n'),
        ("depends_on:\n  - M001\n  - M002\nother: x\n", "depends_on:\n  - M002\nother: x\n"),
        ("depends_on: [M003]\n", "depends_on: [M003]\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_dependency_is_struck_out(head: str, left: str, end: str) -> None:
    text = f"---\n{head}---\n# M004: Four\n\n- M001 is fine\n".replace("\n", end)
    found = without_dependency(text, "M001")
    assert found == text.replace(head.replace("\n", end), left.replace("\n", end))
    assert "M001" not in context.depends_on(found)


def test_a_list_is_put_in_order_and_completed() -> None:
    found = project_edit.arrange(LIST, ["M003", "M001", "M002", "M004"], {"M004": "Four"})
    assert found == (
        "# Project\n\n## Milestone Sequence\n\n- [ ] M003: Three\n- [x] M001: One — a\n\nA note.\n- [ ] M002: Two\n"
        "- [ ] M004: Four\n\n## More\n\nx\n"
    )


def test_a_table_says_what_is_next() -> None:
    found = project_edit.arrange(TABLE, ["M001", "M003", "M002"], {})
    assert found.splitlines()[4:] == [
        "| M001 | One | ✅ Complete |",
        "| M003 | Three | 📋 Next |",
        "| M002 | Two | 📋 Queued |",
    ]


@pytest.mark.parametrize("text", ["# Project\n\nNothing.\n", "## Milestone Sequence\n\nnone\n", ""])
def test_where_there_is_no_sequence_nothing_changes(text: str) -> None:
    assert project_edit.arrange(text, ["M001"], {"M001": "x"}) == text


def test_crlf_and_the_form_of_init() -> None:
    text = "## Milestone Sequence\r\n\r\n- [ ] M001: (title) — (one line)\r\n"
    assert project_edit.arrange(text, ["M001", "M002"], {"M001": "One", "M002": "Two"}) == (
        "## Milestone Sequence\r\n\r\n- [ ] M001: One\r\n- [ ] M002: Two\r\n"
    )


def test_what_two_sides_listed_is_listed_once() -> None:
    twice = LIST.replace("- [ ] M002: Two\n", "- [ ] M002: Two\n- [x] M002: Two\n- [ ] M001: One — a\n")
    found = project_edit.settled(twice, "M003")
    assert found == LIST.replace("[ ]", "[x]")
    assert project_edit.without(LIST, "M002") == LIST.replace("- [ ] M002: Two\n", "")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Feeds at home\n\nA reader.\n", "Feeds at home"),
        ("A feed reader. It works offline.\n", "A feed reader"),
        ("\n\n- export to CSV\n", "export to CSV"),
        ("# M007: Feeds\n", "Feeds"),
        (" ".join(["word"] * 40), " ".join(["word"] * 12) + "…"),
    ],
)
def test_a_title_from_somebodys_words(text: str, title: str) -> None:
    assert context.title_of(text) == title


def test_a_brief_from_somebodys_words() -> None:
    text = context.render("M002", "Feeds", "# Feeds\n\nA reader.\n", ["M001"])
    assert text == "---\ndepends_on: [M001]\n---\n# M002: Feeds\n\nA reader.\n"
    assert context.title(text) == "Feeds"


def test_milestones_to_come() -> None:
    text = (
        "# After M001\n\n## M002: Reader UI\n\n**Depends on:** M001\n\nA list.\n\n## Sync\n\n"
        "- Depends on: Reader UI, M001\n\nAll.\n\n## Alone\n\nDepends on: nothing\n\nx\n\n## Empty\n\n## Silent\n\nx\n"
    )
    assert [(entry.title, entry.needs, entry.text) for entry in later.parse(text, "M001")] == [
        ("Reader UI", ("M001",), "A list."),
        ("Sync", ("Reader UI", "M001"), "All."),
        ("Alone", (), "x"),
        ("Empty", ("M001",), ""),
        ("Silent", ("M001",), "x"),
    ]
    assert later.parse("", "M001") == ()


def test_the_next_id_is_after_the_highest() -> None:
    assert next_milestone([]) == "M001"
    assert next_milestone(["M002", "M010-ab12cd", "M003"]) == "M011"
    assert next_milestone(["M001"], "abc123") == "M002-abc123"
    with pytest.raises(BadId):
        next_milestone(["M999"])
