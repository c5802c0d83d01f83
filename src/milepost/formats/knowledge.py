"""`KNOWLEDGE.md`: what was learnt, in three tables that every session is given.

    ## Rules

    | # | Scope | Rule | Why | Added |
    |---|-------|------|-----|-------|
    | K001 | global | Never log tokens | — | manual |

    ## Patterns          | # | Pattern | Where | Notes |
    ## Lessons Learned   | # | What Happened | Root Cause | Fix | Scope |

Ids are K, P and L with a number; a new row goes to the end of its section's table. Notes outside the tables are
left alone. Source: spec auto 2.5, in-the-wild 9.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from milepost.formats._markdown import blank_comments, level, unfenced
from milepost.formats._rows import cells, insert_after, is_rule, newline_of, row


class Kind(StrEnum):
    """Which table."""

    RULE = "rule"
    PATTERN = "pattern"
    LESSON = "lesson"


class _Table(NamedTuple):
    heading: str
    letter: str
    columns: tuple[str, ...]


_TABLES: Final[Mapping[Kind, _Table]] = {
    Kind.RULE: _Table("Rules", "K", ("#", "Scope", "Rule", "Why", "Added")),
    Kind.PATTERN: _Table("Patterns", "P", ("#", "Pattern", "Where", "Notes")),
    Kind.LESSON: _Table("Lessons Learned", "L", ("#", "What Happened", "Root Cause", "Fix", "Scope")),
}
_ROW_ID: Final = re.compile(r"([KPL]?)(\d+)\Z")


class Entry(NamedTuple):
    """One row."""

    id: str
    kind: Kind
    text: str
    """The rule, the pattern, or what happened."""
    scope: str
    """`M001/S02`, `M001` or `global`; for a pattern, its last column."""


def parse(text: str) -> tuple[Entry, ...]:
    """The rows of the three tables, in the order of the file. Never raises."""
    return tuple(entry for kind in Kind for entry in _entries(text, kind))


def next_id(text: str, kind: Kind) -> str:
    """The id after the highest of its letter anywhere in the file; a bare number in a table that counts so."""
    own = [found for entry in _entries(text, kind) if (found := _ROW_ID.match(entry.id))]
    if own and not any(found[1] for found in own):
        return str(max(int(found[2]) for found in own) + 1)
    letter = _TABLES[kind].letter
    rows = (cells(line) for line in blank_comments(text).split("\n"))
    ids = (found for values in rows if values and (found := _ROW_ID.match(values[0])))
    return f"{letter}{max((int(found[2]) for found in ids if found[1] == letter), default=0) + 1:03d}"


def append(text: str, kind: Kind, said: str, *, scope: str) -> str:
    """`text` with one more row in its table; a missing section is added at the end, an empty text becomes a file.

    scope: `M001/S02`, `M001` or `global`.
    """
    if not text.strip():
        text = _fresh()
    values = _values(next_id(text, kind), kind, said, scope)
    place = _end_of_table(text, kind)
    if place is not None:
        return insert_after(text, place, row(values))
    newline = newline_of(text)
    gap = newline if text.endswith("\n") else newline * 2
    return text + gap + newline.join([*_section(kind), row(values)]) + newline


def _values(identity: str, kind: Kind, said: str, scope: str) -> tuple[str, ...]:
    match kind:
        case Kind.RULE:
            return (identity, scope, said, "—", "manual")
        case Kind.PATTERN:
            return (identity, said, "—", scope)
        case Kind.LESSON:
            return (identity, said, "—", "—", scope)


def _entries(text: str, kind: Kind) -> list[Entry]:
    lines = blank_comments(text).split("\n")
    said, scope = (2, 1) if kind is Kind.RULE else (1, -1)
    found = []
    for number in _body(lines, kind):
        values = cells(lines[number])
        if len(values) >= len(_TABLES[kind].columns) and _ROW_ID.match(values[0]):
            found.append(Entry(id=values[0], kind=kind, text=values[said], scope=values[scope]))
    return found


def _body(lines: list[str], kind: Kind) -> range:
    """Numbers of the lines below the kind's heading."""
    free = unfenced(lines)
    heads = [number for number, line in enumerate(lines) if free[number] and 0 < level(line) <= 2]
    for start, end in zip(heads, [*heads, len(lines)][1:], strict=True):
        if lines[start].lstrip("#").strip().casefold() == _TABLES[kind].heading.casefold():
            return range(start + 1, end)
    return range(0)


def _end_of_table(text: str, kind: Kind) -> int | None:
    """The last line of the section's table, None when it has none."""
    lines = blank_comments(text).split("\n")
    rows = [number for number in _body(lines, kind) if cells(lines[number]) or is_rule(lines[number])]
    return rows[-1] if rows else None


def _section(kind: Kind) -> list[str]:
    table = _TABLES[kind]
    return [f"## {table.heading}", "", row(table.columns), "|" + "|".join("---" for _ in table.columns) + "|"]


def _fresh() -> str:
    parts = ["# Project Knowledge", "", "What every session should know. Rows are added, not rewritten.", ""]
    for kind in Kind:
        parts.extend([*_section(kind), ""])
    return "\n".join(parts)
