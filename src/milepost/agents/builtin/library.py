"""The one place that loads the model library: a model of it for a choice, on an HTTP client of ours.

Only the module of the wanted provider is loaded (each costs 0.3 to 1.3 s and 15 to 40 MB), and never by an import of
this file. The SDKs' own retries are off: `exchange` retries, so that each request is counted and paid for once.
"""

import gc
import ssl
import warnings
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, cast

from milepost.agents.builtin import price_table
from milepost.agents.builtin.models import Choice, Wire, resolve
from milepost.agents.tools.catalogue import ToolSchema
from milepost.errors import MilepostError

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings, ThinkingLevel

_CONNECT_TIMEOUT_S = 15.0

_MODULES: Mapping[Wire, tuple[str, ...]] = {
    Wire.ANTHROPIC: ("pydantic_ai.models.anthropic", "pydantic_ai.providers.anthropic"),
    Wire.OPENAI_CHAT: ("pydantic_ai.models.openai", "pydantic_ai.providers.openai"),
    Wire.OPENAI_RESPONSES: ("pydantic_ai.models.openai", "pydantic_ai.providers.openai"),
    Wire.COMPATIBLE: ("pydantic_ai.models.openai", "pydantic_ai.providers.openai_compatible"),
    Wire.GOOGLE: ("pydantic_ai.models.google", "pydantic_ai.providers.google"),
    Wire.OTHER: ("pydantic_ai.models.openai",),
}


def preload(models: Iterable[str], env: Mapping[str, str]) -> None:
    """Load what the first of `models` needs; for a thread, while the rest gets ready.

    A name that cannot be resolved loads nothing and raises nothing: the session will say it.
    """
    for name in models:
        with suppress(MilepostError, ImportError):
            load(resolve(name, env))
        return


def load(choice: Choice) -> None:
    """Import what `choice` needs, and what every session needs: prices, certificates. May take seconds."""
    with _nothing_collected():
        for module in ("pydantic_ai.direct", *_MODULES[choice.wire]):
            import_module(module)
        price_table.ready()
        certificates()
    # its advice on deprecated models would land in the middle of a progress display
    warnings.filterwarnings("ignore", module=r"(pydantic_ai|anthropic|openai|google)\b")


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Look for no garbage meanwhile, nor later in what is there then: it stays, and is a seventh of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@cache
def certificates() -> ssl.SSLContext:
    """The certificates all connections share; reading them takes longer than a whole loopback request."""
    import httpx2

    return httpx2.create_ssl_context()


@asynccontextmanager
async def http_client(silence_s: float) -> "AsyncGenerator[httpx2.AsyncClient, None]":
    """The connections of one session; closed when it ends, so that nothing of it stays behind.

    silence_s: after so long without a byte a connection counts as lost; an answer as a whole may take longer.
    """
    import httpx2

    timeout = httpx2.Timeout(silence_s, connect=min(silence_s, _CONNECT_TIMEOUT_S))
    async with httpx2.AsyncClient(timeout=timeout, verify=certificates(), follow_redirects=True) as client:
        yield client


def build(choice: Choice, client: "httpx2.AsyncClient") -> "Model":
    """The library's model for `choice`, sending through `client`. Keys come from the choice, not from os.environ."""
    match choice.wire:
        case Wire.ANTHROPIC:
            return _anthropic(choice, client)
        case Wire.GOOGLE:
            return _google(choice, client)
        case Wire.OTHER:
            return _other(choice, client)
        case Wire.OPENAI_CHAT | Wire.OPENAI_RESPONSES | Wire.COMPATIBLE:
            return _openai(choice, client)


def settings(choice: Choice, cache_key: str, *, effort: str = "") -> "ModelSettings":
    """What is asked of the provider with every request: no retries of its own, prompt caching where it is a choice.

    effort: of reasoning (`SessionSpec.thinking`); a level that the model lacks becomes the nearest that it has.
    """
    always = _always(choice, cache_key)
    if effort:
        always["thinking"] = False if effort == "off" else cast("ThinkingLevel", effort)
    return always


def _always(choice: Choice, cache_key: str) -> "ModelSettings":
    match choice.wire:
        case Wire.GOOGLE:
            return {}
        case Wire.ANTHROPIC:
            from pydantic_ai.models.anthropic import AnthropicModelSettings

            # Tools come before the system prompt on the wire, so a mark on the prompt covers both.
            return AnthropicModelSettings(
                max_retries=0, anthropic_cache_instructions=True, anthropic_cache_messages=True
            )
        case Wire.OPENAI_RESPONSES if cache_key:
            from pydantic_ai.models.openai import OpenAIResponsesModelSettings

            key = sha256(cache_key.encode()).hexdigest()[:32]  # it may name a directory, which is nobody's business
            return OpenAIResponsesModelSettings(max_retries=0, openai_prompt_cache_key=key)
        case _:
            return {"max_retries": 0}


def offer(tools: Iterable[ToolSchema]) -> "ModelRequestParameters":
    """The tools, as the library sends them with every request."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    definitions = [
        ToolDefinition(name=t.name, description=t.description, parameters_json_schema=t.parameters, strict=False)
        for t in tools
    ]
    return ModelRequestParameters(function_tools=definitions)


def _anthropic(choice: Choice, client: "httpx2.AsyncClient") -> "Model":
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    provider = AnthropicProvider(api_key=choice.key, base_url=choice.base_url, http_client=client)
    return AnthropicModel(choice.model, provider=provider)


def _google(choice: Choice, client: "httpx2.AsyncClient") -> "Model":
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    provider = GoogleProvider(api_key=choice.key, base_url=choice.base_url, http_client=client)
    return GoogleModel(choice.model, provider=provider)


def _openai(choice: Choice, client: "httpx2.AsyncClient") -> "Model":
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    if choice.wire is Wire.COMPATIBLE:
        compatible = OpenAICompatibleProvider(
            choice.provider, base_url=choice.base_url or "", api_key=choice.key, http_client=client
        )
        return OpenAIChatModel(choice.model, provider=compatible)
    provider = OpenAIProvider(api_key=choice.key, base_url=choice.base_url, http_client=client)
    if choice.wire is Wire.OPENAI_CHAT:
        return OpenAIChatModel(choice.model, provider=provider)
    return OpenAIResponsesModel(choice.model, provider=provider)


def _other(choice: Choice, client: "httpx2.AsyncClient") -> "Model":
    from pydantic_ai.models import infer_model
    from pydantic_ai.providers import infer_provider_class

    provider = infer_provider_class(choice.provider)(api_key=choice.key, http_client=client)  # type: ignore[call-arg]
    return infer_model(f"{choice.provider}:{choice.model}", provider_factory=lambda _: provider)
