"""What a file of answers says to one question."""

import pytest

from milepost.formats.answers import Answers
from milepost.rules.answering import Reply, default, reply

OPTIONS = ("SQLite", "PostgreSQL")


def of(strategy: str = "first_option", **questions: tuple[str, ...]) -> Answers:
    return Answers(questions={**questions}, secrets={}, strategy=strategy)


@pytest.mark.parametrize(
    ("questions", "asked", "options", "found"),
    [
        ({"Which?": ("SQLite",)}, "Which?", OPTIONS, Reply("SQLite", "Which?")),
        ({"Which  one?": ("SQLite",)}, " Which\none? ", OPTIONS, Reply("SQLite", "Which  one?")),
        ({"Database": ("SQLite",)}, "Database\nWhich one is it to be?", OPTIONS, Reply("SQLite", "Database")),
        ({"3": ("SQLite",), "Which?": ("PostgreSQL",)}, "Which?", OPTIONS, Reply("SQLite", "3")),
        ({"2": ("SQLite",), "which?": ("SQLite",)}, "Which?", OPTIONS, Reply(None)),
        ({"Which?": ("SQLite", "PostgreSQL")}, "Which?", OPTIONS, Reply("SQLite, PostgreSQL", "Which?")),
        ({"Who?": ("Ada Lovelace",)}, "Who?", (), Reply("Ada Lovelace", "Who?")),
        ({}, "", (), Reply(None)),
    ],
    ids=["text", "breaks", "first line", "number first", "another", "several", "free", "nothing"],
)
def test_how_a_question_is_found(
    questions: dict[str, tuple[str, ...]], asked: str, options: tuple[str, ...], found: Reply
) -> None:
    assert reply(of(**questions), 3, asked, options) == found


def test_what_is_no_option_is_no_answer() -> None:
    found = reply(of(**{"Which?": ("SQLite", "sqlite")}), 1, "Which?", OPTIONS)
    assert (found.text, found.key) == (None, "Which?")
    assert found.fault == "'sqlite' is no option of 'Which?'; its options: 'SQLite', 'PostgreSQL'"


@pytest.mark.parametrize(
    ("strategy", "options", "chosen"),
    [("first_option", OPTIONS, "SQLite"), ("first_option", (), None), ("cancel", OPTIONS, None)],
)
def test_what_becomes_of_the_others(strategy: str, options: tuple[str, ...], chosen: str | None) -> None:
    assert default(of(strategy), options) == chosen
