"""One setting changed, every other byte kept."""

import pytest

from milepost.errors import FormatError
from milepost.formats.preferences_edit import edit
from milepost.formats.preferences_yaml import parse

TEXT = """---
# the head
version: 1
mode:   'solo'   # who
git:
  # inside
  isolation: worktree # keep
  remote: "origin"

models: {planning: opus, execution: {model: a}}
verification_commands:
  - pytest -q
  - "ruff check ."   # lint

# tail
skill_discovery:
---

# Nötes — mode: team
"""


def changed(before: str, after: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(before.split("\n"), after.split("\n"), strict=True) if a != b]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("key", "value", "lines"),
    [
        ("mode", "team", [("mode:   'solo'   # who", "mode:   team   # who")]),
        ("git.isolation", "none", [("  isolation: worktree # keep", "  isolation: none # keep")]),
        ("git.remote", "up/x", [('  remote: "origin"', "  remote: up/x")]),
        ("skill_discovery", "off", [("skill_discovery:", 'skill_discovery: "off"')]),
        ("version", 1, []),
        ("models.planning", "gpt: 5", [
            ("models: {planning: opus, execution: {model: a}}", 'models: {planning: "gpt: 5", execution: {model: a}}')
        ]),
        ("models.execution.fallbacks", ["x", "y z"], [
            ("models: {planning: opus, execution: {model: a}}",
             "models: {planning: opus, execution: {model: a, fallbacks: [x, y z]}}")
        ]),
    ],
)  # fmt: skip
def test_one_line(newline: str, key: str, value: object, lines: list[tuple[str, str]]) -> None:
    text = TEXT.replace("\n", newline)
    after = edit(text, key, value)  # type: ignore[arg-type]
    end = newline.removesuffix("\n")
    assert changed(text, after) == [(a + end, b + end) for a, b in lines]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("key", "value", "after_line", "new"),
    [
        ("git.auto_push", True, '  remote: "origin"', ["  auto_push: true"]),
        ("budget_ceiling", 12.5, "skill_discovery:", ["budget_ceiling: 12.5"]),
        ("phases.skip_research", True, "skill_discovery:", ["phases:", "  skip_research: true"]),
    ],
)
def test_new_lines(newline: str, key: str, value: object, after_line: str, new: list[str]) -> None:
    text = TEXT.replace("\n", newline)
    expected = text.replace(after_line + newline, newline.join([after_line, *new]) + newline)
    assert edit(text, key, value) == expected  # type: ignore[arg-type]


def test_a_block_list_without_comments_becomes_a_flow_list() -> None:
    text = "---\nverification_commands:\n  - a\n  - b\nmode: solo\n---\n"
    assert edit(text, "verification_commands", ["c"]) == "---\nverification_commands: [c]\nmode: solo\n---\n"


@pytest.mark.parametrize("empty", ["git:", "git: null", "git: ~"])
def test_an_empty_parent_is_opened(empty: str) -> None:
    after = edit(f"---\n{empty}\nmode: solo\n---\n", "git.remote", "x")
    assert after == "---\ngit:\n  remote: x\nmode: solo\n---\n"


def test_none_unsets() -> None:
    after = edit(TEXT, "mode", None)
    assert "mode" not in parse(after, "P").raw


@pytest.mark.parametrize("text", ["", "# Only words\n"])
def test_a_file_without_settings_gets_a_block(text: str) -> None:
    assert edit(text, "git.remote", "x") == "---\ngit:\n  remote: x\n---\n" + text


def test_an_empty_block_is_filled() -> None:
    assert edit("---\n---\nbody\n", "mode", "solo") == "---\nmode: solo\n---\nbody\n"


@pytest.mark.parametrize("value", ["yes", "12:30", "a: b", "#x", "- x", "", 'say "hi"', "null", "012", "true", "é"])
def test_texts_come_back_as_texts(value: str) -> None:
    after = edit("---\nmode: solo\n---\n", "custom_instructions", [value, "last"])
    expected = [value, "last"] if value else ["last"]
    assert parse(after, "P").raw["custom_instructions"] == expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("---\nverification_commands:\n  - a # why\n  - b\n---\n", "verification_commands"),
        ("---\nverification_commands: # why\n  - a\n---\n", "verification_commands"),
        ("---\nmode: [\n---\n", "mode"),
        ("---\nmode: solo\n---\n", "mode.x"),
        ("---\nmode: solo\n---\n", "mode x"),
        ("---\nmode: |\n  solo\n---\n", "mode"),
        ("---\na: &x [1]\nb: *x\n---\n", "b"),
        ("---\na: &x\n  - *x\n---\n", "mode"),
        ("## Git\n- isolation: none\n", "git.isolation"),
    ],
)
def test_what_cannot_be_proved_is_refused(text: str, key: str) -> None:
    with pytest.raises(FormatError):
        edit(text, key, "team")
