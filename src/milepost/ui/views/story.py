"""An explanation: what is so, why, the evidence, and what to type. As text for a terminal and as JSON for programs."""

import textwrap
from dataclasses import dataclass, field

from milepost.ui.views.parallel_text import plain

LABEL = 11
"""Columns of the labels on the left."""
_NARROWEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    """Label and words; an empty label goes on with the one above."""
    table: tuple[str, ...] = ()
    """Lines that are aligned already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The whole of it."""

    says: str
    """The answer in one sentence."""
    sections: tuple[Section, ...] = ()
    next: str = ""
    """What to type."""
    document: dict[str, object] = field(default_factory=dict)
    """The same for programs."""


def text(told: Story, width: int = 0) -> str:
    """For a terminal; ends with a newline. width: columns; 0: lines are not broken."""
    blocks = ["\n".join(wrapped("", told.says, width, indent=0))]
    blocks += ["\n".join(_section(section, width)) for section in told.sections]
    if told.next:
        blocks.append("\n".join(wrapped("→ ", told.next, width, indent=2)))
    return "\n\n".join(blocks) + "\n"


def facts(rows: tuple[tuple[str, str], ...], width: int = 0, *, left: str = "") -> list[str]:
    """Labels and words, aligned; a label that is longer makes the column wider for all."""
    lines: list[str] = []
    column = max(LABEL, *(len(label) + 1 for label, _ in rows), 0)
    for label, words in rows:
        lines += wrapped(f"{left}{label.ljust(column)}", words, width, indent=len(left) + column)
    return lines


def wrapped(head: str, words: str, width: int, *, indent: int) -> list[str]:
    """`head` and words, broken at the width, the rest below the words."""
    line = f"{head}{plain(words)}".rstrip()
    if not width:
        return [line]
    made = textwrap.wrap(
        line, max(width, _NARROWEST), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return made or [line]


def _section(section: Section, width: int) -> list[str]:
    head = wrapped("", section.title, width, indent=2) if section.title else []
    return [*head, *facts(section.facts, width, left="  " if section.title else ""), *section.table]
