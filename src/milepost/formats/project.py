"""`PROJECT.md`: what the project is; machine-read is only its Milestone Sequence.

    ## Milestone Sequence

    - [x] M001: Fetch and store — feeds land in SQLite
    - [ ] M002: Reader UI — keyboard driven list

    | ID | Title | Status |            (older form)
    |----|-------|--------|
    | M001 | Fetch and store | ✅ Complete |

Only a box, or a status cell, is ever edited. Source: spec auto 2.2.
"""

import re
from typing import Final, NamedTuple

from milepost.formats._markdown import blank_comments, level, unfenced
from milepost.formats._rows import cells

_ID: Final = r"M\d{3,}(?:-[a-z0-9]{6}(?![a-z0-9]))?"
_LINE: Final = re.compile(rf"([-*]\s+\[)([ xX])(\]\s+\**)({_ID})\**(?::|\s+[—–-])\**\s*(.*)")
_CELL: Final = re.compile(rf"\**({_ID})\**\Z")
_DONE: Final = re.compile(r"✅|\b(?:complete|completed|done)\b", re.IGNORECASE)
_ONE_LINER: Final = re.compile(r"\s+(?:—|–|--)\s+")


class Entry(NamedTuple):
    """One milestone of the sequence."""

    id: str
    title: str
    one_liner: str
    done: bool


def sequence(text: str) -> tuple[Entry, ...]:
    """The milestones in the order of the file; empty when there is no such section. Never raises."""
    return tuple(entry for _, entry in places(text))


def places(text: str) -> tuple[tuple[int, Entry], ...]:
    """The same with the number of each line, from 0 in the text split at LF."""
    lines = blank_comments(text).split("\n")
    found = ((number, _entry(lines[number])) for number in _body(lines))
    return tuple((number, entry) for number, entry in found if entry is not None)


def tick(text: str, mid: str) -> str:
    """`text` with one milestone marked as done; the very same text when it is, or is not listed."""
    raw = text.split("\n")
    shown = blank_comments(text).split("\n")
    for number in _body(shown):
        entry = _entry(shown[number])
        if entry is not None and entry.id == mid and not entry.done:
            raw[number] = _ticked(raw[number])
            return "\n".join(raw)
    return text


def _body(lines: list[str]) -> range:
    free = unfenced(lines)
    heads = [number for number, line in enumerate(lines) if free[number] and 0 < level(line) <= 2]
    for start, end in zip(heads, [*heads, len(lines)][1:], strict=True):
        if lines[start].lstrip("#").strip().casefold() == "milestone sequence":
            return range(start + 1, end)
    return range(0)


def _entry(line: str) -> Entry | None:
    found = _LINE.match(line)
    if found:
        title, _, rest = _partition(found[5].replace("**", ""))
        return Entry(id=found[4], title=title, one_liner=rest, done=found[2] in "xX")
    values = cells(line)
    identity = _CELL.match(values[0]) if values else None
    if identity is None:
        return None
    title = values[1].strip("*") if len(values) > 1 else ""
    return Entry(id=identity[1], title=title, one_liner="", done=len(values) > 2 and bool(_DONE.search(values[-1])))


def _partition(text: str) -> tuple[str, str, str]:
    cut = _ONE_LINER.search(text)
    return (text[: cut.start()].strip(), cut[0], text[cut.end() :].strip()) if cut else (text.strip(), "", "")


def _ticked(line: str) -> str:
    found = _LINE.match(line)
    if found:
        return f"{line[: found.start(2)]}x{line[found.end(2) :]}"
    values = cells(line)
    start = line.rstrip().rstrip("|").rfind("|")
    end = len(line.rstrip().removesuffix("|"))
    return f"{line[: start + 1]} ✅ Complete {line[end:]}" if len(values) > 2 else line
