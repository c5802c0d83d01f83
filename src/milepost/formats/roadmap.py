"""`M###-ROADMAP.md`: the slices of one milestone.

    # M001: Feed store

    **Vision:** Feeds are fetched and kept.

    ## Slices

    - [x] **S01: Storage core** `risk:high` `depends:[]`
      > After this: `rss add URL` persists items.
    - [ ] **S02: Fetch loop** `risk:medium` `depends:[S01]`

A slice line is a bullet, a box, `**ID: title**`, then tags in any order. Tables below `## Slices`,
`## Slice Overview` and the like, and headings such as `### S01 — Title`, are read as well; what is struck
out is no slice. Only the mark of one slice is ever edited: its box, its cell, or the tick at the end of its
heading. Source: spec auto 2.11, in-the-wild 4.
"""

import re
from typing import NamedTuple

from milepost.errors import FormatError
from milepost.formats._markdown import (
    LONGEST_LINE,
    blank_comments,
    bold_field,
    bullets,
    h1,
    lf,
    section,
    sections,
    unfenced,
    without_id,
)
from milepost.formats._roadmap_entry import Entry, Slice, dependencies

__all__ = ["Boundary", "Roadmap", "Slice", "add", "boundaries", "parse", "tick", "title", "untick"]

# Patterns are compiled on first use: a project needs few of them, and compiling costs every start of the program.
_SECTION = r"## Slice(?:s| Overview| Table| Summary| Status| Roadmap)\b"
_BOX = r"\s*(?:[-*+]|\d+[.)])\s+\[([ xX])\]\s+(\S.*)"
_STRICT = r"\*\*(\w+(?:\.\w+)*):\s+(.+?)\*\*(.*)"
_LOOSE = r"(\*{0,2})\[?(?:M\d[\w-]*/)?(S\d[\w.]*?)\]?(?:\*\*)?\s*(?:[:.—–|]|-{1,2}\s|\s(?=\S)|$)(?:\*\*)?\s*(.*)"
_HEADING = (
    r"\s*#{1,4}\s+(\*{0,2}[✓✅]\s+)?\*{0,2}(?:\d+[.)]\s+)?(?:\(\d+\)\s+)?(?:Slice\s+)?\[?(S\d+)(?!\d)\]?\*{0,2}"
    r"[:\s.—–-]*\s*(.+)"
)
_RISK = r"(?i)\brisk\s*:\s*(\w+)"
_DEPENDS = r"\bdepends\s*:\s*(?:\[([^\]]*)\]|([SM][\w/, .-]*))"
_PROSE_DEPENDS = r"(?i)Depends\s+on:?\*{0,2}:?\s*(.+)"


class Roadmap(NamedTuple):
    """What a milestone builds. `slices` are in the order of the file, ids unique."""

    title: str
    vision: str
    success_criteria: tuple[str, ...]
    slices: tuple[Slice, ...]

    def slice(self, sid: str) -> Slice | None:
        """The slice of that id."""
        return next((entry for entry in self.slices if entry.id == sid), None)

    @property
    def complete(self) -> bool:
        """Whether there are slices and all are done."""
        return bool(self.slices) and all(entry.done for entry in self.slices)


class Boundary(NamedTuple):
    """What one slice hands to another (`### S01 → S02` of the Boundary Map)."""

    source: str
    target: str
    text: str


def title(text: str) -> str:
    """The milestone's name without its id; empty when the heading holds nothing else. Reads only the heading."""
    return without_id(h1(lf(text)), "M")


def parse(text: str) -> Roadmap:
    """The roadmap; one without readable slices has an empty `slices`. Never raises."""
    text = lf(text)
    vision = bold_field(text, "Vision") or section(text, "Vision")
    criteria = bullets(section(text, "Success Criteria") or _criteria_block(text))
    return Roadmap(
        title=title(text),
        vision="" if vision.startswith("## ") else vision,
        success_criteria=criteria,
        slices=slices(text),
    )


def slices(text: str) -> tuple[Slice, ...]:
    """The slices alone, for callers that need no prose. An id listed twice is done when every line says so."""
    found: dict[str, Slice] = {}
    for entry in _entries(text):
        seen = found.get(entry.slice.id)
        if seen is None:
            found[entry.slice.id] = entry.slice
        elif entry.boxed and seen.done and not entry.slice.done:
            found[seen.id] = seen._replace(done=False)
    return tuple(found.values())


def boundaries(text: str) -> tuple[Boundary, ...]:
    """The Boundary Map's pairs; empty when it is missing or written in another shape."""
    arrow = re.compile(r"(\S+)\s*(?:→|->)\s*(\S+)")
    pairs = ((arrow.match(head), body) for head, body in sections(section(text, "Boundary Map"), 3))
    return tuple(Boundary(source=found[1], target=found[2], text=body) for found, body in pairs if found)


def tick(text: str, sid: str) -> str:
    """`text` with slice `sid` marked done; raises FormatError when the roadmap does not list it."""
    return _mark(text, sid, done=True)


def untick(text: str, sid: str) -> str:
    """`text` with slice `sid` marked open; raises FormatError when the roadmap does not list it."""
    return _mark(text, sid, done=False)


def add(text: str, entry: Slice, *, after: str) -> str:
    """`text` with a new open slice behind slice `after`, all other lines as they are.

    In a table or among headings it gets the form of the line there. Raises FormatError when the roadmap does not list
    `after`, lists the new id already, or is written in a way that cannot take another slice.
    """
    before = {known.id: known for known in slices(text)}
    if after not in before or entry.id in before:
        raise FormatError("ROADMAP", 0, f"slice {entry.id} cannot be added behind {after}", hint="Add it by hand.")
    at = max(known.line for known in _entries(text) if known.slice.id == after)
    lines = text.split("\n")
    place, new = _written(lines, at, entry)
    end = "\r" if lines[at].endswith("\r") else ""
    made = "\n".join([*lines[:place], *(line + end for line in new), *lines[place:]])
    found = {known.id: known for known in slices(made)}
    there = found.pop(entry.id, None)
    if there is None or there.done or found != before:
        raise FormatError("ROADMAP", 0, f"slice {entry.id} cannot be added in this form", hint="Add it by hand.")
    return made


def _written(lines: list[str], at: int, entry: Slice) -> tuple[int, list[str]]:
    """Where a new slice goes behind the one in line `at`, and its lines in the same form."""
    line = lines[at].strip()
    if line.startswith("|"):
        from milepost.formats import _roadmap_table

        return at + 1, [_roadmap_table.row(lines[: at + 1], entry)]
    if line.startswith("#"):
        depth = len(line) - len(line.lstrip("#"))
        after = range(at + 1, len(lines))
        place = next((n for n in after if re.match(rf"\s*#{{1,{depth}}}\s", lines[n])), len(lines))
        needs = [f"Depends on: {', '.join(entry.depends)}", ""] if entry.depends else []
        return place, [f"{'#' * depth} {entry.id}: {entry.title}", "", *needs, entry.demo, ""]
    place = at + 1
    while place < len(lines) and re.match(r"\s*>|\s+\S", lines[place]):
        place += 1
    tags = f"`risk:{entry.risk}` `depends:[{','.join(entry.depends)}]`"
    demo = [f"  > After this: {entry.demo}"] if entry.demo else []
    return place, [f"- [ ] **{entry.id}: {entry.title}** {tags}", *demo]


def _mark(text: str, sid: str, *, done: bool) -> str:
    entries = [entry for entry in _entries(text) if entry.slice.id == sid]
    if not entries:
        raise FormatError("ROADMAP", 0, f"slice {sid} is not listed", hint="Add it as `- [ ] **ID: title**`.")
    lines = text.split("\n")
    for entry in entries[:1] + [other for other in entries[1:] if other.boxed]:
        if entry.slice.done != done:
            line = lines[entry.line]
            body = line.removesuffix("\r")
            lines[entry.line] = entry.edit(body, done) + line[len(body) :]
    return "\n".join(lines)


def _entries(text: str) -> list[Entry]:
    """Every line that stands for a slice. Line numbers count from 0 in `text` as it is, CRLF or LF."""
    lines = [line.rstrip("\r") if len(line) < LONGEST_LINE else "" for line in blank_comments(text).split("\n")]
    free = unfenced(lines)
    start = next((n for n, line in enumerate(lines) if free[n] and re.match(_SECTION, line)), -1)
    if start >= 0:
        after = range(start + 1, len(lines))
        end = next((n for n in after if free[n] and lines[n].startswith(("## ", "##\t"))), len(lines))
        rows = [n for n in range(start + 1, end) if free[n]]
        if found := _table(lines, rows) or _checklist(lines, rows):
            return found
    return _headings(lines, [n for n in range(len(lines)) if free[n]])


def _table(lines: list[str], rows: list[int]) -> list[Entry]:
    if not any(lines[number].lstrip().startswith("|") for number in rows):
        return []
    from milepost.formats import _roadmap_table  # most roadmaps are no table

    return _roadmap_table.entries(lines, rows)


def _checklist(lines: list[str], rows: list[int]) -> list[Entry]:
    found: list[Entry] = []
    for number in rows:
        line = lines[number]
        box = re.match(_BOX, line)
        entry = _line(box[2].strip()) if box else None
        if box and entry:
            entry = entry._replace(done=box[1] != " ")
            found.append(Entry(line=number, slice=entry, boxed=True, edit=_edit_box))
        elif found and line.lstrip().startswith(">"):
            demo = re.sub(r"^>\s*(?:\*\*)?(?:After(?: this)?:\s*)?(?:\*\*)?\s*", "", line.strip(), flags=re.IGNORECASE)
            found[-1] = found[-1]._replace(slice=found[-1].slice._replace(demo=demo))
    return found


def _line(rest: str) -> Slice | None:
    """The slice of a line after its box; None for text that names none or is struck out."""
    if rest.startswith("~~"):
        return None
    if strict := re.match(_STRICT, rest):
        sid, name, tail = strict[1], strict[2], strict[3]
    elif loose := re.match(_LOOSE, rest):
        sid, tail = loose[2], loose[3]
        if not loose[1] and not re.match(r"[^\s]*\s*[:.—–|-]", rest[rest.index(sid) + len(sid) - 1 :]):
            return None
        name, _, more = tail.partition("**") if loose[1] else _cut_tags(tail)
        tail = tail if "|" in tail else more
        name = "" if name.strip().startswith(("risk:", "depends:")) else name
    else:
        return None
    if tail.lstrip().startswith("~~"):
        return None
    risk, depends = re.search(_RISK, tail), re.search(_DEPENDS, tail)
    return Slice(
        id=sid,
        title=name.strip(" *|") or sid,
        risk=risk[1].lower() if risk else "low",
        depends=dependencies(depends[1] or depends[2] or "") if depends else (),
        done=False,
        demo="",
    )


def _cut_tags(tail: str) -> tuple[str, str, str]:
    cut = min((tail.index(mark) for mark in (" `", " | ") if mark in tail), default=len(tail))
    return tail[:cut], "", tail[cut:]


def _edit_box(line: str, done: bool) -> str:
    at = line.index("[") + 1
    return f"{line[:at]}{'x' if done else ' '}{line[at + 1 :]}"


def _headings(lines: list[str], rows: list[int]) -> list[Entry]:
    """Slices written as headings, the last resort: `## Slice S01: Title`, `### ✅ S02 — Title`."""
    found: list[Entry] = []
    heads = [n for n in rows if re.match(r"\s*#{1,4}\s", lines[n])]
    for number, end in zip(heads, [*heads, len(lines)][1:], strict=True):
        head = re.match(_HEADING, lines[number])
        if not head or head[3].lstrip().startswith(("→", "->", ">")):
            continue
        name = re.sub(r"\*{1,2}$", "", head[3].strip()).strip()
        plain = re.sub(r"^[✓✅]\s*|\s*✅\s*$|\s*\(Complete\)\s*$", "", name, flags=re.IGNORECASE)
        below = "\n".join(lines[number + 1 : end])
        entry = Slice(
            id=head[2],
            title=plain.strip(" *") or head[2],
            risk=_first(_RISK, below) or "medium",
            depends=_prose_depends(below),
            done=bool(head[1]) or plain != name,
            demo="",
        )
        if name:
            found.append(Entry(line=number, slice=entry, boxed=False, edit=_edit_heading))
    return found


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1].lower() if found else ""


def _prose_depends(below: str) -> tuple[str, ...]:
    if tag := re.search(_DEPENDS, below):
        return dependencies(tag[1] or tag[2] or "")
    said = re.search(_PROSE_DEPENDS, below)
    return tuple(re.findall(r"\bS\d+\b", " ".join(dependencies(said[1])))) if said else ()


def _edit_heading(line: str, done: bool) -> str:
    if done:
        return f"{line.rstrip()} ✅"
    line = re.sub(r"\s*(?:✅|\(Complete\))\s*$", "", line, flags=re.IGNORECASE)
    return re.sub(r"^(\s*#{1,4}\s+(?:\*{0,2})(?:.*?S\d+[\]*:\s.—–-]*)??)[✓✅]\s*", r"\1", line)


def _criteria_block(text: str) -> str:
    _, found, rest = text.partition("**Success Criteria:**")
    return rest.split("\n---")[0] if found else ""
