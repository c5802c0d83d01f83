"""One setting taken out, every other byte kept; and words of a person as values."""

import pytest

from milepost.errors import FormatError
from milepost.formats.preferences_unset import unset
from milepost.formats.preferences_words import BadValue, UnknownKey, leaves, read

TEXT = """---
# the head
mode:   'solo'   # who
git:
  # inside
  isolation: worktree # keep
models: {planning: opus, execution: {model: a}}
verification_commands:
  - pytest -q
  - "ruff check ."   # lint
phases:
  skip_research: true

# tail
custom_instructions: |
  two
  lines
budget_ceiling:
---

# Nötes — mode: team
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("key", "gone", "instead"),
    [
        ("mode", "mode:   'solo'   # who\n", ""),
        ("git.isolation", "  isolation: worktree # keep\n", ""),
        ("models.planning", "planning: opus, ", ""),
        ("models.execution", ", execution: {model: a}", ""),
        ("models.execution.model", ", execution: {model: a}", ""),
        ("verification_commands", 'verification_commands:\n  - pytest -q\n  - "ruff check ."   # lint\n', ""),
        ("phases.skip_research", "phases:\n  skip_research: true\n", ""),
        ("custom_instructions", "custom_instructions: |\n  two\n  lines\n", ""),
        ("budget_ceiling", "budget_ceiling:\n", ""),
        ("git.remote", "", ""),
        ("mode.x", "", ""),
        ("parallel.ports", "", ""),
    ],
)
def test_only_that_key_goes(newline: str, key: str, gone: str, instead: str) -> None:
    text = TEXT.replace("\n", newline)
    assert gone == "" or gone in TEXT
    assert unset(text, key) == TEXT.replace(gone, instead, 1).replace("\n", newline) if gone else text


@pytest.mark.parametrize("text", ["", "# Only words\n", "---\n---\n"])
def test_nothing_to_take_out(text: str) -> None:
    assert unset(text, "mode") == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("---\nmode: solo\nmode: team\n---\n", "mode"),
        ("---\nmode: &x solo\nb: *x\n---\n", "mode"),
        ("---\nmode: [\n---\n", "mode"),
        ("## Git\n- isolation: none\n", "git.isolation"),
    ],
)
def test_what_cannot_be_proved_stays(text: str, key: str) -> None:
    with pytest.raises(FormatError):
        unset(text, key)


@pytest.mark.parametrize(
    ("key", "words", "value"),
    [
        ("mode", ["team"], "team"),
        ("git.auto_push", ["true"], True),
        ("budget_ceiling", ["12.50"], 12.5),
        ("verification_max_retries", ["2.9"], 2),
        ("git.pre_merge_check", ["make test"], "make test"),
        ("verification_commands", ["a b"], ["a b"]),
        ("verification_commands", ["a: b", "null"], ["a: b", "null"]),
        ("verification_commands", ["[a, 'b c']"], ["a", "b c"]),
        ("models.planning", ["openai/gpt-5.5"], "openai/gpt-5.5"),
        ("models.planning.thinking", ["low"], "low"),
        ("version", ["1"], 1),
    ],
)
def test_words_are_values(key: str, words: list[str], value: object) -> None:
    assert read(key, words) == value


@pytest.mark.parametrize(
    ("key", "words", "says"),
    [
        ("mode", ["duo"], "mode must be one of: solo, team, not 'duo'"),
        ("git.auto_push", ["yes"], "git.auto_push must be true or false; 'yes' is a text in YAML 1.2: write true"),
        ("version", ["2"], "version must be one of: 1, not '2'"),
        ("budget_ceiling", ["-1"], "budget_ceiling must be a number from 0 up, not '-1'"),
        ("mode", ["null"], "not set"),
        ("mode", ["solo", "team"], "takes one value, not 2"),
        ("verification_commands", ["[a"], "not YAML"),
        ("git", ["x"], "is an object"),
        ("post_unit_hooks", ["x"], "holds objects"),
        ("prices", ["x"], "holds objects"),
    ],
)
def test_words_that_are_refused(key: str, words: list[str], says: str) -> None:
    with pytest.raises(BadValue) as error:
        read(key, words)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("key", "hint"), [("isolation", "git.isolation"), ("mod", "mode"), ("cmux", "gsd prefs"), ("zzz", "gsd prefs")]
)
def test_no_such_key(key: str, hint: str) -> None:
    with pytest.raises(UnknownKey) as error:
        read(key, ["x"])
    assert hint in error.value.hint


def test_every_value_has_one_row() -> None:
    paths = [leaf.path for leaf in leaves()]
    assert len(paths) == len(set(paths))
    assert {"mode", "git.isolation", "models.planning", "prices", "post_unit_hooks", "parallel.ports"} <= set(paths)
    assert not {"git", "models", "models.planning.model", "prices.*.input", "post_unit_hooks[].name"} & set(paths)
