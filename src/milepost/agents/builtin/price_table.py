"""The price table: the one that is shipped with genai-prices, or newer data that somebody asked for.

`gsd prices update` fetches the data that the same project publishes, checks it and keeps it below the directory of
global settings; nothing is ever fetched by itself. The library holds one table for the whole process, so which file
counts is chosen once, by the door, and read when the first price is asked for. Source: issue "Money".
"""

import importlib
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from milepost.errors import MilepostError
from milepost.store import atomic, regular

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import Provider

FILE: Final = "prices.json"
"""Its name below the directory of global settings."""
_LARGEST: Final = 64_000_000
_TIMEOUT_S: Final = 30.0


class BadPrices(MilepostError):
    """Prices that could not be fetched, or are none."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The file on disk."""

    fetched_at: int
    """Epoch milliseconds."""
    source: str
    """The address it came from."""
    providers: msgspec.Raw
    """As it was published."""


class Table(NamedTuple):
    """Which data counts."""

    library: str
    """Version of genai-prices."""
    models: int
    fetched_ms: int | None = None
    """When it was fetched, epoch milliseconds; None: it is the shipped one."""
    source: str = ""
    problem: str = ""
    """Why data that was fetched does not count."""


class Listed(NamedTuple):
    """What the table says of a model, USD per million tokens; None: nothing."""

    provider: str
    model: str
    input: float | None
    output: float | None
    cache_read: float | None
    cache_write: float | None
    tiers: bool
    """Whether long prompts cost more; the figures are those of short ones."""


class _Chosen:
    """What the process works with."""

    path: Path | None = None
    table: Table | None = None
    lock = threading.Lock()


def choose(path: Path | None) -> None:
    """Let the data kept in `path` count, when there is any. Reads nothing yet."""
    with _Chosen.lock:
        if path != _Chosen.path:
            _Chosen.path, _Chosen.table = path, None


def ready() -> Table:
    """Load the table, once. Data that cannot be read does not count, and is named."""
    with _Chosen.lock:
        if _Chosen.table is None:
            _Chosen.table = _load(_Chosen.path)
        return _Chosen.table


def fetch(url: str, path: Path, *, now_ms: int) -> Table:
    """Fetch newer data from `url` (empty: the library's own address) and keep it in `path`.

    Raises BadPrices with nothing changed when it cannot be fetched, or is no price table; OSError for the disk.
    """
    import httpx2
    from genai_prices import update_prices

    url = url or update_prices.DEFAULT_UPDATE_URL
    try:
        answer = httpx2.get(url, timeout=_TIMEOUT_S, follow_redirects=True)
        answer.raise_for_status()
        data = answer.content
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise BadPrices(f"no prices from {url}: {words}", hint="The table of before stays in use.") from None
    try:
        _providers(data)
    except ValueError as error:
        raise BadPrices(f"what {url} sent is no price table: {error}", hint="The table of before counts.") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = Kept(fetched_at=now_ms, source=url, providers=msgspec.Raw(data))
    atomic.replace(path, msgspec.json.encode(kept) + b"\n")
    choose(None)
    choose(path)
    return ready()


def listed(provider: str, model: str) -> Listed | None:
    """What the table says of a model; None: it does not list it."""
    ready()
    try:
        found, info = _snapshot().find_provider_model(model, None, provider, None)
        prices = info.get_prices(datetime.now(tz=UTC))
    except (LookupError, ValueError):
        return None
    figures = {name: getattr(prices, f"{name}_mtok", None) for name in ("input", "output", "cache_read", "cache_write")}
    return Listed(
        provider=found.id,
        model=info.id,
        input=_base(figures["input"]),
        output=_base(figures["output"]),
        cache_read=_base(figures["cache_read"]),
        cache_write=_base(figures["cache_write"]),
        tiers=any(hasattr(figure, "tiers") for figure in figures.values()),
    )


def _base(price: object) -> float | None:
    """The figure for short prompts."""
    base = getattr(price, "base", price)
    return None if base is None else float(str(base))


def _load(path: Path | None) -> Table:
    from importlib import metadata  # It loads the whole of `email`.

    from genai_prices import data_snapshot

    data_snapshot.set_custom_snapshot(None)
    version = metadata.version("genai-prices")
    if path is None or not path.exists():
        return Table(version, _count(_snapshot().providers))
    try:
        kept = msgspec.json.decode(regular.read(path), type=Kept)
        providers = _providers(bytes(kept.providers))
    except (OSError, ValueError) as error:
        return Table(version, _count(_snapshot().providers), problem=f"{path} cannot be read: {error}")
    providers = _over_shipped(providers)
    at = datetime.fromtimestamp(kept.fetched_at / 1000)  # noqa: DTZ006 (the library compares it with local time)
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers, from_auto_update=True, timestamp=at))
    return Table(version, _count(providers), kept.fetched_at, kept.source)


def _over_shipped(newer: "Iterable[Provider]") -> "list[Provider]":
    """Newer prices over the shipped ones. How usage is read from an answer stays as shipped: tokens hang on it."""
    merged = {provider.id: provider for provider in _snapshot().providers}
    for provider in newer:
        shipped = merged.get(provider.id)
        merged[provider.id] = replace(provider, extractors=shipped.extractors) if shipped else provider
    return list(merged.values())


def _snapshot() -> "DataSnapshot":
    from genai_prices import data_snapshot

    return data_snapshot.get_snapshot()


def _count(providers: "Iterable[Provider]") -> int:
    return sum(len(provider.models) for provider in providers)


def _providers(data: bytes) -> "list[Provider]":
    """The published form, checked. Raises ValueError with one line."""
    if len(data) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    try:
        plain = msgspec.json.decode(data)
        # The library reads the published form in one place only, without a public name for it.
        found: list[Provider] = importlib.import_module("genai_prices.types")._providers_from_raw(plain)  # noqa: SLF001
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if not _count(found):
        raise ValueError("it lists no model")
    return found
