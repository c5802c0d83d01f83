"""`M###-PARKED.md`: the milestone is set aside; it is neither worked on nor complete.

    ---
    parked_at: 2026-03-17T10:00:00.000Z
    reason: "waiting for the vendor"
    ---

Its existence is what counts. Source: spec auto 2.25.
"""

from typing import NamedTuple

from milepost.formats._markdown import frontmatter, scalar


class Parked(NamedTuple):
    """When and why; both empty when the file does not say."""

    parked_at: str
    reason: str


def parse(text: str) -> Parked:
    """What the note says. Never raises."""
    fields = frontmatter(text)
    return Parked(parked_at=scalar(fields, "parked_at"), reason=scalar(fields, "reason"))


def render(mid: str, note: Parked) -> str:
    """The file's text."""
    quoted = note.reason.replace('"', "'")
    return f'---\nparked_at: {note.parked_at}\nreason: "{quoted}"\n---\n\n# {mid}: parked\n\n{note.reason}\n'
