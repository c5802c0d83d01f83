"""A unit whose run was killed before its gate: its files may say done, and nobody has verified that.

What would be said or done on the strength of those files waits until the unit is settled. Source: DESIGN rules 2, 10.
"""

from collections.abc import Iterable

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import AnyEvent
from milepost.model.work import is_quick
from milepost.rules.attempts import open_attempts


def settles(command: str = "gsd auto") -> str:
    """What to type, and what it does."""
    return f"{command} settles it first: what holds is kept, the rest is done again."


class NotSettled(MilepostError):
    """Nobody knows yet whether the unit is done; nothing was touched."""

    exit_code = ExitCode.BLOCKED


def require_settled(events: Iterable[AnyEvent], unit: str = "") -> None:
    """Raise NotSettled when an attempt has no end. unit: ask for this one alone (`M001/S01/T02`)."""
    for started in open_attempts(events):
        if unit in ("", started.unit) and not is_quick(started.unit):  # The plan does not wait for a quick task.
            raise NotSettled(f"{started.kind} {started.unit} was begun and is not settled yet", hint=settles())
