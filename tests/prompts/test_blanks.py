"""Placeholders are strict, values are literal."""

import pytest

from milepost.prompts.blanks import BadPlaceholder, MissingValue, fill_text


def test_values_go_in_literally() -> None:
    told = fill_text("{{a}} {{b}} {{a}}", {"a": "$& \\1 {{b}}", "b": "$1"}, "t")
    assert told == "$& \\1 {{b}} $1 $& \\1 {{b}}"


@pytest.mark.parametrize("text", ["x\n{{b}}", "{{ a }}", "{{A}}", "{{a", "a}}", "{{}}", "{{a-b}}", "{{{a}}}"])
def test_anything_else_in_braces_is_refused(text: str) -> None:
    with pytest.raises(BadPlaceholder):
        fill_text(text, {"a": "1"}, "t")


def test_the_error_says_where() -> None:
    with pytest.raises(BadPlaceholder, match=r"t:2: unknown placeholder 'b'"):
        fill_text("x\n{{b}}", {"a": "1"}, "t")


def test_a_name_without_a_value_is_another_error() -> None:
    with pytest.raises(MissingValue, match=r"t:1: placeholder 'a' has no value"):
        fill_text("{{a}}", {"a": None}, "t")


def test_single_braces_mean_nothing() -> None:
    assert fill_text("{a} ${a}", {}, "t") == "{a} ${a}"
