"""`parallel/M###.signal.json`: one order to the worker of a milestone.

    {
      "signal": "pause",
      "sentAt": 1763760000000,
      "from": "coordinator"
    }

`run` is ours and optional: the run that the order is for; empty is for whoever works there. No newline at the end.
Source: parallel PR-303 to PR-305.
"""

from enum import StrEnum

import msgspec

from milepost.formats import _records


class Order(StrEnum):
    """What the worker should do."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    REBASE = "rebase"
    """Declared by the format; no release obeys it."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order."""

    signal: Order
    sent_at: int = msgspec.field(name="sentAt")
    """Epoch milliseconds."""
    sender: str = msgspec.field(name="from")
    """`coordinator` in GSD's files."""
    run: str = ""


def encode(order: Signal) -> bytes:
    """The file's bytes."""
    return _records.encode(order, newline=False)


def decode(data: bytes, path: str = "signal.json") -> Signal:
    """The order in a file's bytes. Raises FormatError."""
    return _records.decode(data, Signal, path)
