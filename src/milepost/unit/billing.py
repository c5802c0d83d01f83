"""What a request is booked at, whichever agent made it: the user's own prices and flat rates come before the agent's.

Applied to the event itself, so that the journal, the transcript, the display and the worker's status file agree.
Source: issue "Money".
"""

import msgspec

from milepost.agents.session import Event, Usage
from milepost.formats.journal import UsageReported
from milepost.formats.preferences import Preferences
from milepost.rules import billing


def billed(event: Event, preferences: Preferences) -> Event:
    """An event of a session; a request's with what it really costs."""
    if not isinstance(event, Usage):
        return event
    if billing.is_flat(preferences, event.model):
        return msgspec.structs.replace(event, micro_usd=None, flat=True)
    price = billing.own_price(preferences.prices, event.model)
    if price is None:
        return event
    micro_usd = billing.cost(
        price, fresh=event.input, output=event.output, cache_read=event.cache_read, cache_write=event.cache_write
    )
    return msgspec.structs.replace(event, micro_usd=micro_usd)


def booked(usage: Usage, *, run: str, attempt: str, at_ms: int) -> UsageReported:
    """A request as the journal has it."""
    return UsageReported(
        at_ms=at_ms,
        run=run,
        attempt=attempt,
        model=usage.model,
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        micro_usd=usage.micro_usd,
        flat=usage.flat,
    )
