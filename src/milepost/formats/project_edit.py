"""Edits of PROJECT.md's Milestone Sequence that keep every line of it that is about something else.

Source: spec auto 2.2 (rows in a new order: complete ones keep `✅ Complete`, the first open one is `📋 Next`, others
`📋 Queued`), 7 (queue).
"""

from collections.abc import Mapping, Sequence

from milepost.formats import project
from milepost.formats._rows import cells, newline_of, row


def arrange(text: str, order: Sequence[str], titles: Mapping[str, str]) -> str:
    """`text` with the milestones in `order`; those of `order` that are not listed come at the end.

    titles: milestone → title, for new lines and for one that is still a form. Without a sequence: the very same text.
    """
    places = project.places(text)
    if not places:
        return text
    lines = text.split("\n")
    found = {entry.id: lines[number] for number, entry in places}
    rank = {mid: place for place, mid in enumerate(order)}
    ids = sorted(found, key=lambda mid: rank.get(mid, len(rank)))
    table = bool(cells(lines[places[0][0]]))
    for (number, _), mid in zip(places, ids, strict=True):
        lines[number] = _renamed(found[mid], titles.get(mid, ""))
    end = newline_of(text).removesuffix("\n")
    new = [_line(mid, titles.get(mid, ""), table) + end for mid in order if mid not in found]
    last = places[-1][0]
    lines[last + 1 : last + 1] = new
    return _restated("\n".join(lines)) if table else "\n".join(lines)


def without(text: str, mid: str) -> str:
    """`text` in which the sequence does not list `mid`."""
    gone = {number for number, entry in project.places(text) if entry.id == mid}
    return "\n".join(line for number, line in enumerate(text.split("\n")) if number not in gone)


def settled(text: str, mid: str) -> str:
    """`text` after `mid` has landed: its box is ticked, and a milestone that two sides listed is listed once, done if
    either says so.
    """
    places = project.places(text)
    done = {entry.id for _, entry in places if entry.done} | {mid}
    seen, gone = set[str](), set[int]()
    for number, entry in places:
        if entry.id in seen:
            gone.add(number)
        seen.add(entry.id)
    text = "\n".join(line for number, line in enumerate(text.split("\n")) if number not in gone)
    for each in seen & done:
        text = project.tick(text, each)
    return text


def _line(mid: str, title: str, table: bool) -> str:
    return row((mid, title or mid, "📋 Queued")) if table else f"- [ ] {mid}: {title or mid}"


def _renamed(line: str, title: str) -> str:
    """The form that `gsd init` writes gets its title once there is one."""
    return line.replace("(title) — (one line)", title) if title else line


def _restated(text: str) -> str:
    lines, first = text.split("\n"), True
    for number, entry in project.places(text):
        values = cells(lines[number])
        if not entry.done and len(values) > 2:
            end = "\r" if lines[number].endswith("\r") else ""
            lines[number] = row((*values[:-1], "📋 Next" if first else "📋 Queued")) + end
            first = False
    return "\n".join(lines)
