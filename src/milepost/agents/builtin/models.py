"""Which provider, key and address a model's name stands for. Decided before anything is loaded or paid.

    claude-sonnet-5-5                   anthropic/…     ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL
    gpt-5.5, o3                         openai/…        OPENAI_API_KEY, OPENAI_BASE_URL
    gemini-2.5-pro                      google/…        GOOGLE_API_KEY or GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL
    ollama/qwen3                                        OLLAMA_BASE_URL (http://127.0.0.1:11434/v1)
    local/any-id                                        OPENAI_BASE_URL, OPENAI_API_KEY if the server wants one
    openrouter/vendor/id                                OPENROUTER_API_KEY; likewise the providers of `OTHERS`

A prefix is matched without regard to case. Source: spec auto 5.14 (model switch).
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib.util import find_spec
from typing import NamedTuple

from milepost.errors import MilepostError


class UnknownModel(MilepostError):
    """No provider is known for a model's name."""


class NotConfigured(MilepostError):
    """A model cannot be asked: its key, its address or its library is missing."""


class Wire(StrEnum):
    """How a provider is talked to; one library module each."""

    ANTHROPIC = "anthropic"
    OPENAI_RESPONSES = "openai-responses"
    OPENAI_CHAT = "openai-chat"
    COMPATIBLE = "compatible"
    """OpenAI's chat completions, spoken by another server."""
    GOOGLE = "google"
    OTHER = "other"
    """A provider that the library knows by name."""


class Choice(NamedTuple):
    """A model's name, resolved."""

    name: str
    """As the user wrote it."""
    wire: Wire
    provider: str
    model: str
    """As the provider knows it."""
    key: str
    base_url: str | None
    """None: the provider's own."""


OTHERS: Mapping[str, str] = {
    "openrouter": "OPENROUTER_API_KEY",
    "cerebras": "CEREBRAS_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "moonshotai": "MOONSHOTAI_API_KEY",
    "nebius": "NEBIUS_API_KEY",
    "sambanova": "SAMBANOVA_API_KEY",
    "together": "TOGETHER_API_KEY",
    "vercel": "VERCEL_AI_GATEWAY_API_KEY",
    "zai": "ZAI_API_KEY",
}
"""Providers behind OpenAI's wire format, and the variable with their key."""

UNPRICED = frozenset({"ollama", "local"})
"""Servers of one's own: a name says nothing about what a request costs there."""

_OWN = ("anthropic", "openai", "google", "ollama", "local")
_ALIASES = {"gemini": "google", "google-gla": "google", "claude": "anthropic"}
_BARE = ((r"claude-", "anthropic"), (r"(?:gpt|chatgpt|codex)-|o\d", "openai"), (r"gemini-", "google"))
_ACCEPTED = f"A name is claude-…, gpt-…, o3, gemini-… or PROVIDER/MODEL with {', '.join((*_OWN, *OTHERS))}."
_LIBRARY = {Wire.ANTHROPIC: "anthropic", Wire.GOOGLE: "google.genai"}
_EXTRA = {Wire.ANTHROPIC: "anthropic", Wire.GOOGLE: "google"}


def resolve(name: str, env: Mapping[str, str]) -> Choice:
    """The provider behind `name`. Raises UnknownModel, or NotConfigured with the variable that is missing."""
    provider, model = _split(name.strip())
    match provider:
        case "anthropic":
            return Choice(
                name,
                Wire.ANTHROPIC,
                provider,
                model,
                _key(name, env, "ANTHROPIC_API_KEY"),
                env.get("ANTHROPIC_BASE_URL"),
            )
        case "openai":
            base_url = env.get("OPENAI_BASE_URL") or None
            wire = Wire.OPENAI_CHAT if base_url else Wire.OPENAI_RESPONSES
            return Choice(name, wire, provider, model, _key(name, env, "OPENAI_API_KEY"), base_url)
        case "google":
            key = _key(name, env, "GOOGLE_API_KEY", "GEMINI_API_KEY")
            return Choice(name, Wire.GOOGLE, provider, model, key, env.get("GOOGLE_GEMINI_BASE_URL"))
        case "ollama":
            base_url = env.get("OLLAMA_BASE_URL") or "http://127.0.0.1:11434/v1"
            return Choice(name, Wire.COMPATIBLE, provider, model, env.get("OLLAMA_API_KEY") or "none", base_url)
        case "local":
            base_url = _key(name, env, "OPENAI_BASE_URL")
            return Choice(name, Wire.COMPATIBLE, provider, model, env.get("OPENAI_API_KEY") or "none", base_url)
        case _:
            return Choice(name, Wire.OTHER, provider, model, _key(name, env, OTHERS[provider]), None)


def provider_of(name: str) -> tuple[str, str]:
    """The provider behind a name, and the model as the provider knows it; no key is asked for. Raises UnknownModel."""
    return _split(name.strip())


def check(names: Iterable[str], env: Mapping[str, str]) -> None:
    """Raise UnknownModel or NotConfigured for the first of `names` that could not be asked. Loads nothing."""
    for name in names:
        require_library(resolve(name, env))


def require_library(choice: Choice) -> None:
    """Raise NotConfigured when the provider's library is not installed."""
    wanted = ("pydantic_ai", "genai_prices", _LIBRARY.get(choice.wire, "openai"))
    if all(_installed(module) for module in wanted):
        return
    extra = _EXTRA.get(choice.wire, "openai")
    raise NotConfigured(
        f"{choice.name}: the library for {choice.provider} is not installed",
        hint=f"pip install 'milepost[{extra}]'",
    )


def _split(name: str) -> tuple[str, str]:
    prefix, slash, rest = name.partition("/")
    provider = _ALIASES.get(prefix.lower(), prefix.lower())
    if slash and rest and (provider in _OWN or provider in OTHERS):
        return provider, rest
    for pattern, owner in _BARE:
        if not slash and re.match(pattern, name, re.IGNORECASE):
            return owner, name
    raise UnknownModel(f"{name!r} is no model name", hint=_ACCEPTED)


def _key(name: str, env: Mapping[str, str], *variables: str) -> str:
    for variable in variables:
        if value := env.get(variable, "").strip():
            return value
    raise NotConfigured(
        f"{name}: {' or '.join(variables)} is not set", hint=f"export {variables[0]}=…, or: gsd keys set {variables[0]}"
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that should hold it is not there
        return False
