"""What a request is booked at: the user's price and flat rate before what the agent says."""

import pytest

from milepost.agents.session import Text, Usage
from milepost.formats.preferences import Billing, Preferences, Price
from milepost.rules import billing
from milepost.unit.billing import billed

OWN = Preferences(
    billing=Billing(flat_rate=("plan/*", "Local")),
    prices={
        "ollama/*": Price(input=0, output=0),
        "ollama/dear": Price(input=2, output=10, cache_read=0.5),
        "*": Price(input=1, output=1),
    },
)


def usage(model: str, micro_usd: int | None = 77) -> Usage:
    return Usage(model=model, input=1_000, output=100, cache_read=10, cache_write=4, micro_usd=micro_usd)


@pytest.mark.parametrize(
    ("model", "micro_usd", "flat"),
    [
        ("ollama/qwen3", 0, False),
        ("Ollama/Dear", 3_013, False),
        ("anything", 1_114, False),
        ("plan/large", None, True),
        ("local", None, True),
    ],
)
def test_what_is_booked(model: str, micro_usd: int | None, flat: bool) -> None:
    found = billed(usage(model), OWN)
    assert isinstance(found, Usage)
    assert (found.micro_usd, found.flat) == (micro_usd, flat)


def test_without_settings_nothing_changes() -> None:
    for event in (usage("m"), usage("m", None), Text(text="x")):
        assert billed(event, Preferences()) is event


def test_a_line_up_is_flat_when_all_of_it_is() -> None:
    assert billing.all_flat(OWN, ("plan/a", "plan/b"))
    assert not billing.all_flat(OWN, ("plan/a", "gpt-x"))
    assert not billing.all_flat(OWN, ())
