"""`DECISIONS.md`: the register of decisions, one row each, never rewritten.

    # Decisions Register

    <!-- Append-only. … -->

    | # | When | Scope | Decision | Choice | Rationale | Revisable? | Made By |
    |---|------|-------|----------|--------|-----------|------------|---------|
    | D001 | M001/S01 | storage | Where do feeds live | SQLite | one writer | Yes | agent |
    | D002 | M002 | storage | WAL mode (amends D001) | WAL | readers never block | No | agent |

Seven columns or eight (`Made By`); a new row has as many as the table. `\\|` is a pipe inside a cell. `(amends
D001)` marks D001 as superseded. Bare numbers as ids, and headings `## D001 — Title`, occur and are read; headings
are never written.
Source: spec auto 2.4, in-the-wild 9.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from milepost.formats._markdown import blank_comments, sections
from milepost.formats._rows import cells, insert_after, is_rule, newline_of, row

_ID = re.compile(r"(D-?)?(\d+)\Z")
_HEADING = re.compile(r"(D-?\d+)\s*(?:[:.—–-]+)\s*(.*)")
_AMENDS = re.compile(r"\(\s*(?:amends|supersedes)\s+(D?-?\d+)\s*\)", re.IGNORECASE)
_FIELD = re.compile(r"(?:[-*]\s+)?\*\*([^*:]+):?\*\*:?\s*(.*)")

_COLUMNS: Final = ("#", "When", "Scope", "Decision", "Choice", "Rationale", "Revisable?", "Made By")
_HEAD: Final = (
    "# Decisions Register\n\n"
    "<!-- Append-only. Rows are never changed or removed.\n"
    "     To reverse a decision, add a row that amends it. -->\n\n"
)


class Decision(NamedTuple):
    """One row."""

    id: str
    when: str = ""
    """Milestone, slice or task during which it was made."""
    scope: str = ""
    decision: str = ""
    choice: str = ""
    rationale: str = ""
    revisable: str = ""
    made_by: str = ""
    """agent, human or collaborative; empty in tables of seven columns."""
    amends: str | None = None
    """The decision that this one takes the place of."""
    superseded_by: str | None = None
    """The later decision that took this one's place."""


def parse(text: str) -> tuple[Decision, ...]:
    """All decisions in the order of the file. Rows that are none are passed over; never raises."""
    found = list(_rows(text))
    found.extend(_prose(text, {decision.id for decision in found}))
    later = {decision.amends: decision.id for decision in found if decision.amends}
    return tuple(decision._replace(superseded_by=later.get(decision.id)) for decision in found)


def next_id(text: str) -> str:
    """The id after the highest, `D001` for an empty register; a bare number where all ids are."""
    ids = [found for decision in parse(text) if (found := _ID.match(decision.id))]
    highest = max((int(found[2]) for found in ids), default=0)
    return str(highest + 1) if ids and not any(found[1] for found in ids) else f"D{highest + 1:03d}"


def append(text: str, decision: Decision) -> str:
    """`text` with the decision as the last row of its table; an empty text becomes a register of its own.

    All else stays byte for byte. The id is the caller's (`next_id`).
    """
    if not text.strip():
        text = _HEAD
    last = _last_row(text)
    if last is None:
        newline = newline_of(text)
        gap = "" if text.endswith(newline * 2) else newline if text.endswith("\n") else newline * 2
        table = [row(_COLUMNS), "|" + "|".join("---" for _ in _COLUMNS) + "|", row(_values(decision, len(_COLUMNS)))]
        return text + gap + newline.join(table) + newline
    number, width = last
    return insert_after(text, number, row(_values(decision, width)))


def supersede(text: str, old_id: str, decision: Decision) -> str:
    """`text` with a decision that takes the place of `old_id`, whose own row stays as it is."""
    note = f"(amends {old_id})"
    said = decision.decision if note in decision.decision else f"{decision.decision} {note}".strip()
    return append(text, decision._replace(decision=said))


def _rows(text: str) -> Iterator[Decision]:
    for line in blank_comments(text).split("\n"):
        values = cells(line)
        if len(values) >= 7 and _ID.match(values[0]):
            eighth = values[7] if len(values) > 7 else ""
            amended = _AMENDS.search(values[3])
            number, when, scope, decision, choice, rationale, revisable = values[:7]
            yield Decision(
                id=number,
                when=when,
                scope=scope,
                decision=decision,
                choice=choice,
                rationale=rationale,
                revisable=revisable,
                made_by=eighth,
                amends=amended[1] if amended else None,
            )


def _prose(text: str, taken: set[str]) -> Iterator[Decision]:
    for heading, body in sections(text, 2):
        found = _HEADING.match(heading)
        if found and found[1] not in taken:
            fields = {pair[1].strip().lower(): pair[2] for line in body.split("\n") if (pair := _FIELD.match(line))}
            yield Decision(
                id=found[1],
                when=fields.get("slice", fields.get("date", "")),
                decision=found[2].strip(),
                choice=fields.get("decision", fields.get("choice", "")),
                rationale=fields.get("rationale", fields.get("context", "")),
            )


def _last_row(text: str) -> tuple[int, int] | None:
    """Line number (from 0) of the last row of the decision table, and how many columns it has; None without one."""
    found, width = None, 0
    previous: tuple[str, ...] = ()
    for number, line in enumerate(blank_comments(text).split("\n")):
        values = cells(line)
        if is_rule(line) and len(previous) >= 7 and previous[0].strip("*").lower() in ("#", "id"):
            found, width = number, len(previous)
        elif values and found is not None and number == found + 1:
            found = number
        previous = values
    return (found, min(width, len(_COLUMNS))) if found is not None else None


def _values(decision: Decision, width: int) -> tuple[str, ...]:
    row_of = (decision.id, decision.when, decision.scope, decision.decision, decision.choice, decision.rationale)
    return (*row_of, decision.revisable, decision.made_by)[:width]
