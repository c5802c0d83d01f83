"""`.env` line by line."""

import pytest

from milepost.formats import dotenv


def test_only_names_with_a_value() -> None:
    text = "# A=1\nB=2\r\nexport C = 'x y'\nD=\nE=''\nF= # later\nno line\nB=3\n"
    assert dict(dotenv.lines(text)) == {"B": "B=3", "C": "export C = 'x y'"}


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("sk_test-1/2+3=", "K=sk_test-1/2+3="),
        ("two words", "K='two words'"),
        ("it's $5", 'K="it\'s \\$5"'),
        ("#x", "K='#x'"),
    ],
    ids=["bare", "blank", "quote", "hash"],
)
def test_a_value_is_quoted_where_it_has_to_be(value: str, line: str) -> None:
    assert dotenv.assignment("K", value) == line
    assert dotenv.lines(line).keys() == {"K"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "K=1\n"),
        ("A=2", "A=2\nK=1\n"),
        ("# c\r\nK=0\r\nA=2\r\n", "# c\r\nK=1\r\nA=2\r\n"),
        ("KK=0\n", "KK=0\nK=1\n"),
    ],
    ids=["none", "no-newline", "crlf", "longer-name"],
)
def test_one_line_is_put_and_the_rest_stays(before: str, after: str) -> None:
    assert dotenv.with_line(before, "K", "K=1") == after


def test_values() -> None:
    text = (
        "# A=1\nB=2 # later\r\nexport C = 'x # y'\nD=\nE=''\nF= # later\nno line\nB=3\n"
        'G="two\\nlines \\"x\\""\nH="over\nlines"\nI=a#b\nJ=\'it is\'\n'
    )
    assert dict(dotenv.values(text)) == {
        "B": "3", "C": "x # y", "G": 'two\nlines "x"', "H": "over\nlines", "I": "a#b", "J": "it is",
    }  # fmt: skip
    for value in ("sk_test-1/2+3=", "two words", "it's $5", "#x", 'a "b" \\c'):
        assert dotenv.values(dotenv.assignment("K", value)).get("K") == value
