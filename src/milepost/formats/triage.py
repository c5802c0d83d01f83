"""`M###-TRIAGE.json`: what a triage session made of the captured thoughts, until the program has written it down.

    [{"captureId": "CAP-1a2b3c4d", "classification": "inject", "resolution": "a task for it", "rationale": "in scope"}]

Read liberally, since a model writes it: one object or a list, also below a key, in a code fence or in prose. An entry
needs an id and a known class. `"milestone": "M002"` (also the beginning of a `targetSlice`) hands it to another one.
Source: spec auto 5.15.
"""

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from milepost.formats.captures import CLASSIFICATIONS
from milepost.model.ids import is_milestone

_FENCE: Final = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_MOST = 200_000


class Decision(NamedTuple):
    """What one capture is."""

    capture: str
    classification: str
    """One of `CLASSIFICATIONS`."""
    resolution: str
    rationale: str
    milestone: str = ""
    """Where it belongs; empty: where it was sorted."""


def parse(text: str) -> tuple[Decision, ...]:
    """The usable entries, the first for each capture. Never raises."""
    found: dict[str, Decision] = {}
    for value in _values(text[:_MOST]):
        for entry in _entries(value):
            if decision := _decision(entry):
                found.setdefault(decision.capture, decision)
        if found:
            break
    return tuple(found.values())


def _values(text: str) -> Iterator[object]:
    """The text as JSON, else what its fences hold, else the first balanced value in it that is an object or a list."""
    for part in (text, *(fence[1] for fence in _FENCE.finditer(text))):
        try:
            yield json.loads(part)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder()
    for start in re.finditer(r"[\[{]", text):
        try:
            yield decoder.raw_decode(text, start.start())[0]
        except (ValueError, RecursionError):
            continue


def _entries(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item
    elif isinstance(value, dict):
        below = [item for item in value.values() if isinstance(item, list)]
        yield from _entries(below[0]) if below and "classification" not in value else (value,)


def _decision(entry: dict[str, object]) -> Decision | None:
    identity = _word(entry, "captureId", "capture_id", "capture", "id")
    kind = _word(entry, "classification", "class").lower().replace("_", "-").replace(" ", "-")
    if not identity or kind not in CLASSIFICATIONS:
        return None
    return Decision(
        capture=identity,
        classification=kind,
        resolution=_word(entry, "resolution", "action"),
        rationale=_word(entry, "rationale", "reason", "why"),
        milestone=_milestone(entry),
    )


def _milestone(entry: dict[str, object]) -> str:
    named = _word(entry, "milestone", "targetMilestone", "targetSlice").partition("/")[0]
    return named if is_milestone(named) else ""


def _word(entry: dict[str, object], *names: str) -> str:
    said = next((entry[name] for name in names if isinstance(entry.get(name), str)), "")
    return " ".join(str(said).split())
