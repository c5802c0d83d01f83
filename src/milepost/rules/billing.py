"""How a request is paid for: at a price of the user's, at a flat rate, or at the list price.

A flat rate has no price for one request, so it is counted in tokens; to write $0 would let every money limit pass.
USD per million tokens is micro-USD per token. Source: issue "Money", field-reports #11, #37.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from milepost.formats.preferences import Preferences, Price


def matching(patterns: Iterable[str], model: str) -> str | None:
    """The pattern that speaks of `model`: its very name before a pattern, a long pattern before a short one."""
    name = model.lower()
    found = [pattern for pattern in patterns if fnmatchcase(name, pattern.lower())]
    return max(found, key=lambda pattern: (pattern.lower() == name, len(pattern)), default=None)


def is_flat(preferences: Preferences, model: str) -> bool:
    """Whether a model is at a flat rate."""
    return matching(preferences.billing.flat_rate, model) is not None


def all_flat(preferences: Preferences, models: Iterable[str]) -> bool:
    """Whether no model of a line-up costs money; an empty line-up may cost any."""
    names = tuple(models)
    return bool(names) and all(is_flat(preferences, name) for name in names)


def own_price(prices: Mapping[str, Price], model: str) -> Price | None:
    """The price that the user set for a model; None: the table's counts."""
    pattern = matching(prices, model)
    return None if pattern is None else prices[pattern]


def cost(price: Price, *, fresh: int, output: int, cache_read: int, cache_write: int) -> int:
    """Micro-USD of some tokens; `fresh` ones are input that was not cached."""
    read = price.input if price.cache_read is None else price.cache_read
    written = price.input if price.cache_write is None else price.cache_write
    return round(fresh * price.input + output * price.output + cache_read * read + cache_write * written)
