"""Model names: who is asked, with which key, at which address; said before anything is paid."""

import pytest

from milepost.agents.builtin import library
from milepost.agents.builtin.agent import BuiltinAgent
from milepost.agents.builtin.models import OTHERS, NotConfigured, UnknownModel, Wire, check, require_library, resolve

ENV = {
    "ANTHROPIC_API_KEY": "a-key",
    "OPENAI_API_KEY": "o-key",
    "GEMINI_API_KEY": "g-key",
    **{variable: f"{name}-key" for name, variable in OTHERS.items()},
}
LOCAL = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}


@pytest.mark.parametrize(
    ("name", "env", "expected"),
    [
        ("claude-sonnet-4-5", ENV, (Wire.ANTHROPIC, "anthropic", "claude-sonnet-4-5", "a-key", None)),
        ("Anthropic/claude-opus-5-5", ENV, (Wire.ANTHROPIC, "anthropic", "claude-opus-5-5", "a-key", None)),
        (
            "claude-x",
            ENV | {"ANTHROPIC_BASE_URL": "http://a"},
            (Wire.ANTHROPIC, "anthropic", "claude-x", "a-key", "http://a"),
        ),
        ("gpt-5.1", ENV, (Wire.OPENAI_RESPONSES, "openai", "gpt-5.1", "o-key", None)),
        ("o3", ENV, (Wire.OPENAI_RESPONSES, "openai", "o3", "o-key", None)),
        ("openai/whatever", ENV | LOCAL, (Wire.OPENAI_CHAT, "openai", "whatever", "o-key", "http://127.0.0.1:1/v1")),
        ("gemini-2.5-pro", ENV, (Wire.GOOGLE, "google", "gemini-2.5-pro", "g-key", None)),
        ("gemini/gemini-x", ENV | {"GOOGLE_API_KEY": "first"}, (Wire.GOOGLE, "google", "gemini-x", "first", None)),
        ("ollama/qwen3:8b", {}, (Wire.COMPATIBLE, "ollama", "qwen3:8b", "none", "http://127.0.0.1:11434/v1")),
        (
            "local/meta-llama/llama-4",
            LOCAL,
            (Wire.COMPATIBLE, "local", "meta-llama/llama-4", "none", "http://127.0.0.1:1/v1"),
        ),
        (
            "openrouter/anthropic/claude-x",
            ENV,
            (Wire.OTHER, "openrouter", "anthropic/claude-x", "openrouter-key", None),
        ),
    ],
)
def test_resolve(name: str, env: dict[str, str], expected: tuple[object, ...]) -> None:
    assert resolve(name, env) == (name, *expected)


@pytest.mark.parametrize("name", ["", "qwen3", "meta-llama/llama-4", "anthropic/", "/", "oracle", "claude", "gpt"])
def test_unknown_names_are_told_what_is_accepted(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve(name, ENV)
    assert repr(name) in str(caught.value)
    assert "openrouter" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("claude-opus-5-5", "ANTHROPIC_API_KEY"),
        ("gpt-5.1", "OPENAI_API_KEY"),
        ("gemini-2.5-pro", "GOOGLE_API_KEY or GEMINI_API_KEY"),
        ("local/x", "OPENAI_BASE_URL"),
        ("deepseek/deepseek-chat", "DEEPSEEK_API_KEY"),
    ],
)
def test_what_is_missing_is_named(name: str, variable: str) -> None:
    for env in ({}, {variable.split()[0]: "  "}):
        with pytest.raises(NotConfigured, match=f"{name}: {variable} is not set"):
            BuiltinAgent(env).check([name])


def test_check_takes_every_name() -> None:
    check(["claude-opus-5-5", "gpt-5.1", "gemini-2.5-pro", "ollama/x"], ENV)
    with pytest.raises(UnknownModel):
        check(["claude-opus-5-5", "nobody"], ENV)


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "milepost.agents.builtin.models.find_spec", lambda name: None if name == "anthropic" else object()
    )
    require_library(resolve("gpt-5.1", ENV))
    with pytest.raises(NotConfigured) as caught:
        require_library(resolve("claude-opus-5-5", ENV))
    assert caught.value.hint == "pip install 'milepost[anthropic]'"


def test_preload_raises_nothing() -> None:
    for names in ([], ["nobody"], ["claude-opus-5-5"]):
        library.preload(names, {})


@pytest.mark.anyio
@pytest.mark.parametrize("name", OTHERS)
async def test_every_other_provider_can_be_built(name: str) -> None:
    choice = resolve(f"{name}/some/model", ENV)
    library.load(choice)
    async with library.http_client(300) as client:
        model = library.build(choice, client)
    assert model.model_name == "some/model"
