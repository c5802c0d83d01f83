"""Table rows: pipes inside cells, line ends kept."""

import pytest

from milepost.formats._rows import cells, insert_after, newline_of, row


@pytest.mark.parametrize(
    "values", [("a", "b"), ("a|b", "c"), ("", "x", ""), ("a\\", "b"), ("`a | b`",), ("ends with |", "|starts")]
)
def test_a_row_comes_back(values: tuple[str, ...]) -> None:
    assert cells(row(values)) == values


@pytest.mark.parametrize("line", ["", "text", "a | b", "|---|---|", "| :--- | ---: |"])
def test_no_rows(line: str) -> None:
    assert cells(line) == ()


def test_a_row_without_its_last_pipe() -> None:
    assert cells("| a | b") == ("a", "b")
    assert cells("| a | b\\|") == ("a", "b|")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("at", "lines"), [(-1, ["x", "a", "b", ""]), (0, ["a", "x", "b", ""]), (1, ["a", "b", "x", ""])]
)
def test_insert_after(newline: str, at: int, lines: list[str]) -> None:
    assert insert_after(newline.join(["a", "b", ""]), at, "x") == newline.join(lines)
    if at == 1:
        assert insert_after(newline.join(["a", "b"]), at, "x") == newline.join(lines)


@pytest.mark.parametrize(
    ("text", "newline"), [("", "\n"), ("a", "\n"), ("a\r\nb\r\nc\n", "\r\n"), ("a\nb\r\nc\n", "\n")]
)
def test_newline_of(text: str, newline: str) -> None:
    assert newline_of(text) == newline
