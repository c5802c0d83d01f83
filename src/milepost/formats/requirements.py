"""`REQUIREMENTS.md`: what the project must do, by state.

    ## Active

    ### R001 — Feeds are readable offline
    - Class: core-capability
    - Status: active
    - Primary owning slice: M001/S02

Sections Active, Validated, Deferred and Out of Scope hold entries `### R001 — Title`; a dash or a colon separates.
Traceability and the coverage table that follow are not read. Source: spec auto 2.3, in-the-wild 9.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from milepost.formats._markdown import LONGEST_LINE, LONGEST_TITLE, level, lf, unfenced
from milepost.model.state import Counts

__all__ = ["Counts", "Requirement", "counts", "parse"]

_ENTRY = r"###\s+([A-Z][\w-]*\d+)\s*(?:[—–:]|-+\s)\s*(.*)"
_FIELD = r"[-*]\s+\*{0,2}([A-Za-z][\w /]*?):\*{0,2}\s*(.*)"
_STATES = {"active": "active", "validated": "validated", "deferred": "deferred", "out of scope": "out-of-scope"}


class Requirement(NamedTuple):
    """One entry; `state` is that of its section, field names are lower case."""

    id: str
    title: str
    state: str
    fields: Mapping[str, str]

    @property
    def owner(self) -> str:
        """The slice that owns it (`M001/S02`), empty when none is named."""
        for key in ("primary owning slice", "primary owner", "primary slice"):
            if value := self.fields.get(key, ""):
                return "" if value.lower().startswith("none") else value
        return ""


def counts(text: str) -> Counts:
    """The numbers; all 0 for an empty text. Never raises."""
    if not text:
        return Counts()
    found = dict.fromkeys(_STATES.values(), 0)
    blocked, state = 0, ""
    for line in lf(text).split("\n"):
        if line.startswith("#") and len(line) < LONGEST_TITLE:
            depth = level(line)
            state = _STATES.get(line[depth:].strip().lower(), "") if 0 < depth <= 2 else state
            if state and depth == 3 and re.match(_ENTRY, line):
                found[state] += 1
        elif line.startswith("-") and _is_blocked(line):
            blocked += 1
    return Counts(
        active=found["active"],
        validated=found["validated"],
        deferred=found["deferred"],
        out_of_scope=found["out-of-scope"],
        blocked=blocked,
    )


def parse(text: str) -> tuple[Requirement, ...]:
    """Every entry of the four sections; an id given twice is merged, the earlier non-empty field wins."""
    lines = lf(text).split("\n")
    lines = [line if len(line) < LONGEST_LINE else "" for line in lines]
    free = unfenced(lines)
    found: dict[str, Requirement] = {}
    state, current = "", ""
    for number, line in enumerate(lines):
        depth = level(line) if free[number] else 0
        if 0 < depth <= 2:
            state, current = _state_of(line[depth:].strip().lower()), ""
        elif depth == 3:
            entry = re.match(_ENTRY, line) if state else None
            current = entry[1] if entry else ""
            if entry:
                found.setdefault(current, Requirement(id=current, title=entry[2].strip(), state=state, fields={}))
        elif current and (pair := re.match(_FIELD, line)):
            known = found[current]
            fields = {**known.fields}
            fields[pair[1].lower()] = fields.get(pair[1].lower()) or pair[2].strip()
            found[current] = known._replace(fields=fields)
    return tuple(found.values())


def _state_of(heading: str) -> str:
    return next((state for name, state in _STATES.items() if heading.startswith(name)), "")


def _is_blocked(line: str) -> bool:
    key, _, value = line[1:].strip().partition(":")
    return key.lower() == "status" and value.strip().lower() == "blocked"
