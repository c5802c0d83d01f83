"""How much of a document goes into a prompt, and where it is cut.

A document is cut where a section begins (`## `, `### ` or a rule of dashes, outside of code fences and frontmatter);
whole sections stay while they fit, the first one at least in part, and a note names what was left out and where to
read it. Limits are characters, four to a token of the model's window. Source: spec auto 5.17.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from milepost.formats._markdown import unfenced

DEFAULT_WINDOW = 200_000
"""Tokens; used when nobody knows the model's window."""
CHARS_PER_TOKEN = 4
PREAMBLE_CHARS = 30_000
"""Most that is inlined in one prompt, whatever the window (GSD #1619)."""
VERIFICATION_CHARS = 10_000
LOOKED_AT = 2_000_000
"""Of a longer document only this much is looked at: the rest could not be kept, and only its names would be lost."""

_RULE = re.compile(r"-{3,}\s*$")
_NAMES_SHOWN = 8
_NAME_CHARS = 60


class Budgets(NamedTuple):
    """Limits that follow from a model's window."""

    inlined: int
    """Characters of all inlined documents together."""
    summaries: int
    """Characters of the summaries among them."""
    verification: int
    """Characters of command output that one session should spend on verification."""
    failure: int
    """Characters of a verification failure that is handed back."""
    max_tasks: int
    """Tasks in one slice plan."""


def budgets(window_tokens: int) -> Budgets:
    """The limits for a window; one that is zero or less counts as unknown."""
    window = window_tokens if window_tokens > 0 else DEFAULT_WINDOW
    chars = window * CHARS_PER_TOKEN
    steps = ((500_000, 8), (200_000, 6), (128_000, 5))
    return Budgets(
        inlined=min(chars * 40 // 100, PREAMBLE_CHARS),
        summaries=min(chars * 15 // 100, PREAMBLE_CHARS),
        verification=chars // 10,
        failure=min(chars // 10, VERIFICATION_CHARS),
        max_tasks=next((tasks for least, tasks in steps if window >= least), 3),
    )


class Section(NamedTuple):
    """A stretch of a document from one border to the next."""

    name: str
    """Its first words; empty for one that is only a rule of dashes."""
    text: str


class Shrunk(NamedTuple):
    """A document as far as it fits."""

    text: str
    """What is kept, with the note."""
    kept: int
    """Characters of the document in it."""
    left_out: tuple[str, ...]
    """Names of the sections that are missing, wholly or in part."""


def sections(text: str) -> tuple[Section, ...]:
    """The document in pieces that add up to it again."""
    lines = text.splitlines(keepends=True) if "\r" not in text else text.replace("\r\n", "\n").splitlines(keepends=True)
    free = unfenced(lines)
    start = _after_frontmatter(lines)
    borders = [n for n in range(start, len(lines)) if free[n] and n > 0 and _is_border(lines[n])]
    edges = [0, *borders, len(lines)]
    return tuple(_section(lines[a:b]) for a, b in pairwise(edges) if a < b)


def _after_frontmatter(lines: Sequence[str]) -> int:
    """Index of the first line that may begin a section: the block on top is never cut off from the title."""
    if not lines or not lines[0].startswith("---"):
        return 1
    return next((n + 1 for n in range(1, len(lines)) if lines[n].startswith("---")), 1)


def _is_border(line: str) -> bool:
    return line.startswith(("## ", "### ")) or _RULE.match(line) is not None


def _section(lines: Sequence[str]) -> Section:
    words = (line.strip().lstrip("#").strip() for line in lines if not _RULE.match(line))
    name = next((word for word in words if word), "")
    return Section(name=name[:_NAME_CHARS], text="".join(lines))


def shrink(text: str, limit: int, source: str) -> Shrunk:
    """`text` cut to about `limit` characters, the note included.

    source: the path that the note sends the reader to; empty for a text without a file. The first section is kept at
    least in part; with a limit too small even for the note, only the note remains.
    """
    if len(text) <= limit:
        return Shrunk(text=text, kept=len(text), left_out=())
    pieces = sections(text[:LOOKED_AT])
    room = max(limit - _note_room(source, limit), 0)
    count = _fitting(pieces, room)
    kept = "".join(piece.text for piece in pieces[:count]) if count else pieces[0].text[:room]
    left_out = tuple(piece.name for piece in pieces[count:] if piece.name) or ("the end",)
    if len(text) > LOOKED_AT:
        left_out = (*left_out, "the rest of the file")
    note = _note(left_out, source, limit - len(kept))
    return Shrunk(text=f"{_closed(kept.rstrip())}\n\n{note}".lstrip(), kept=len(kept), left_out=left_out)


def _closed(text: str) -> str:
    """`text` with a code fence that the cut left open closed, so that it cannot swallow what follows."""
    marks = [line.strip() for line in text.splitlines() if line.lstrip().startswith("```")]
    return f"{text}\n```" if len(marks) % 2 else text


def _fitting(pieces: Sequence[Section], room: int) -> int:
    used = 0
    for number, piece in enumerate(pieces):
        used += len(piece.text)
        if used > room:
            return number
    return len(pieces)


def _note_room(source: str, limit: int) -> int:
    return min(len(source) + 80 + _NAMES_SHOWN * 40, limit // 3)


def _note(left_out: Sequence[str], source: str, room: int) -> str:
    """`[… 3 sections left out: A; B; C. Read `path`.]`, with as many names as there is room for."""
    where = f" Read `{source}` for the rest." if source else ""
    count = f"{len(left_out)} section{'s' if len(left_out) > 1 else ''} left out"
    names = "; ".join(left_out[:_NAMES_SHOWN]) + ("; …" if len(left_out) > _NAMES_SHOWN else "")
    full = f"[… {count}: {names}.{where}]"
    return full if len(full) + 2 <= room else f"[… {count}.{where}]"


def share(sizes: Sequence[int], limit: int) -> tuple[int, ...]:
    """How many characters each of several documents gets: small ones all they need, the rest equal parts."""
    granted = [0] * len(sizes)
    left, waiting = max(limit, 0), sorted(range(len(sizes)), key=lambda n: sizes[n])
    for done, number in enumerate(waiting):
        granted[number] = min(sizes[number], left // (len(waiting) - done))
        left -= granted[number]
    return tuple(granted)
