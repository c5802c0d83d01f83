"""Whether the last dispatches go round in circles.

A window of the last six entries (unit key, error): the same error twice in a row, the same key three times in a
row or three times in the window, or A B A B. Entries of a gate's retries are left out, they have their own cap.
Source: spec auto 5.6 (2.39+).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CapReset, Redone, Result
from milepost.model.units import ERRANDS

WINDOW = 6


class Entry(NamedTuple):
    """One attempt that ended: which unit, and its error (empty: it went well)."""

    key: str
    error: str


def window(events: Iterable[AnyEvent]) -> tuple[Entry, ...]:
    """The last seven ended attempts that say something about progress, oldest first.

    A person's `--retry`, or a hook that wants a unit done again, forgets those of its unit. Errands (hooks, triage,
    quick tasks) go round by themselves and have caps of their own.
    """
    started: dict[str, AttemptStarted] = {}
    entries: list[Entry] = []
    for event in events:
        match event:
            case AttemptStarted() if event.kind.partition("/")[0] not in ERRANDS:
                started[event.attempt] = event
            case AttemptEnded(result=Result.VERIFY_FAILED | Result.INTERRUPTED | Result.PROVIDER_ERROR):
                pass
            case AttemptEnded(attempt=attempt) if attempt in started:
                of = started[attempt]
                error = "" if event.result is Result.COMMITTED else event.reason or str(event.result)
                entries.append(Entry(f"{of.kind}/{of.unit}", error))
            case CapReset(unit=unit) | Redone(unit=unit):
                entries = [entry for entry in entries if unit not in (entry.key, "*")]
            case _:
                pass
    return tuple(entries[-WINDOW - 1 :])


def level(entries: Sequence[Entry], key: str) -> tuple[int, str]:
    """0 all is well; 1 the first signal: one more try, with a deep diagnostic; 2 again: stop. And the words.

    `entries`: up to seven, so that the window one dispatch ago can be seen too. `key`: the unit that is due now; when
    it is none of those that went round, the circle is broken.
    """
    now = circling(entries[-WINDOW:])
    if now is None or key not in _round(entries):
        return 0, ""
    before = circling(entries[:-1][-WINDOW:])
    return (2 if before is not None else 1), now


def _round(entries: Sequence[Entry]) -> set[str]:
    keys = [entry.key for entry in entries]
    return set(keys[-2:] if keys[-4:-2] == keys[-2:] else keys[-1:])


def circling(entries: Sequence[Entry]) -> str | None:
    """What the window shows, in words; None: nothing. Pure."""
    last = entries[-1] if entries else None
    if last is None:
        return None
    if len(entries) >= 2 and last.error and entries[-2] == last:
        return f"the same failure twice in a row: {'; '.join(last.error.splitlines())}"
    keys = [entry.key for entry in entries]
    if keys.count(last.key) >= 3:
        return f"{last.key} was run {keys.count(last.key)} times in the last {len(keys)} units"
    if len(keys) >= 4 and keys[-1] == keys[-3] != keys[-2] == keys[-4]:
        return f"{keys[-2]} and {keys[-1]} take turns without getting further"
    return None
