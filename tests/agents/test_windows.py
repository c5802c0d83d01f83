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
