"""How much a model can hold, from the installed table."""

import pytest

from milepost.agents.builtin import windows


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("claude-sonnet-4-5", 200_000),
        ("anthropic/claude-sonnet-4-5", 200_000),
        ("claude-sonnet-5-5", 1_000_000),
        ("openai/gpt-5.5", 1_000_000),
        ("gemini-2.5-pro", 1_000_000),
        ("google/gemini-2.5-pro", 1_000_000),
        ("openrouter/anthropic/claude-sonnet-4.5", 1_000_000),
        ("ollama/made-up", windows.DEFAULT),
        ("scripted", windows.DEFAULT),
        ("", windows.DEFAULT),
    ],
)
def test_windows(name: str, tokens: int) -> None:
    assert windows.window(name) == tokens


def test_without_the_table_a_window_is_supposed(monkeypatch: pytest.MonkeyPatch) -> None:
    windows.window.cache_clear()
    monkeypatch.setattr(windows, "find_spec", lambda _name: None)
    assert windows.window("claude-sonnet-5-5") == windows.DEFAULT
    windows.window.cache_clear()


@pytest.mark.parametrize(
    ("tokens", "name", "full"),
    [
        (140_000, "claude-sonnet-4-5", 70),
        (140_000, "openai/gpt-5.5", 14),
        (windows.FEW, "ollama/made-up", 0),
        (2_000, "", 1),
    ],
)
def test_how_full_a_window_is(tokens: int, name: str, full: int) -> None:
    assert windows.percent(tokens, name) == full


def test_a_few_tokens_need_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "window", lambda name: pytest.fail(f"the window of {name} was looked up"))
    assert windows.percent(windows.FEW - 1, "claude-sonnet-4-5") == 0
