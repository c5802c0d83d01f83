"""How many tokens a model can hold at once, from the price table that is installed; nothing is asked of the network."""

from functools import cache
from importlib.util import find_spec

DEFAULT = 200_000
"""For a model that nobody lists (spec auto 10.2)."""
FEW = 1_000
"""So many tokens fill the window of no model that can work with tools, and the table takes longer to load than they."""
_UNLISTED = (("gemini-", 1_000_000),)
"""Families that the table lists without a window."""


@cache
def window(name: str) -> int:
    """The context window of a model by the name people use (`claude-sonnet-5-5`, `openai/gpt-5.5`), in tokens."""
    provider, slash, model = name.partition("/")
    provider, model = (provider.lower(), model) if slash else ("", name)
    return _listed(model, provider) or _listed(name, "") or _family(model)


def percent(tokens: int, name: str) -> int:
    """How full the window of a model is with a request and its answer of so many tokens."""
    return 100 * tokens // window(name) if tokens >= FEW else 0


def _listed(model: str, provider: str) -> int | None:
    if find_spec("genai_prices") is None:
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider or None, None)[1].context_window
    except LookupError:
        return None


def _family(model: str) -> int:
    return next((tokens for prefix, tokens in _UNLISTED if model.startswith(prefix)), DEFAULT)
