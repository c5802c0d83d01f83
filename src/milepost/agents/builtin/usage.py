"""What one request cost, in the same words for every provider.

The library counts cached tokens inside the input; here they are apart, as GSD's ledger has them. The price is the
list price of exactly that model; a model nobody lists has none. Source: DESIGN rule 8, spec auto 5.12.
"""

from typing import TYPE_CHECKING

from milepost.agents.builtin import price_table
from milepost.agents.builtin.models import Choice, Wire
from milepost.agents.session import Usage
from milepost.model import money

if TYPE_CHECKING:
    from pydantic_ai.usage import RequestUsage


def usage(choice: Choice, counted: "RequestUsage") -> Usage:
    """The increment of one request. `counted`: as the library has it, cached tokens included in the input."""
    cached = counted.cache_read_tokens + counted.cache_write_tokens
    return Usage(
        model=choice.name,
        input=max(0, counted.input_tokens - cached),
        output=counted.output_tokens,
        cache_read=counted.cache_read_tokens,
        cache_write=counted.cache_write_tokens,
        micro_usd=_price(choice, counted),
    )


def _price(choice: Choice, counted: "RequestUsage") -> int | None:
    if choice.wire is Wire.COMPATIBLE or not (counted.input_tokens or counted.output_tokens):
        return None
    from genai_prices import calc_price

    price_table.ready()
    try:
        price = calc_price(counted, choice.model, provider_id=choice.provider)
    except (LookupError, ValueError):
        return None
    return money.from_usd(float(price.total_price))
