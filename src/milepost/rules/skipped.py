"""What persons have skipped, as a fold over the journal. Source: spec auto 7 (skip), 8.15."""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats.journal import AnyEvent, UnitSkipped


class Skip(NamedTuple):
    """One thing that is not to be done."""

    kind: str
    unit: str
    reason: str


def skips(events: Iterable[AnyEvent], milestone: str = "") -> tuple[Skip, ...]:
    """What is skipped now, in the order of the first word on it. milestone: of that one only."""
    found: dict[tuple[str, str], Skip] = {}
    for event in events:
        if isinstance(event, UnitSkipped) and milestone in ("", event.unit.split("/")[0]):
            found.pop((event.kind, event.unit), None)
            if not event.taken_back:
                found[event.kind, event.unit] = Skip(event.kind, event.unit, event.reason)
    return tuple(found.values())
