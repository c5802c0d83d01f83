"""Slices of a roadmap written as a table.

    | ID | Slice | Risk | Depends | Done | After this |
    |----|-------|------|---------|------|------------|
    | S01 | Storage core | high | — | ✅ | Items persist. |

The done column decides when it says something; without one, a check mark, `[x]` or the words done or complete
anywhere in the row do. Source: spec auto 2.11, in-the-wild 4.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from milepost.formats._roadmap_entry import Entry, Slice, dependencies

_ID = re.compile(r"\b(S\d+)\b")
_REF = re.compile(r"\b(?:M\d[\w-]*/)?S\d+(?:(?:-|\.\.)S\d+)?\b")
_CHECK = re.compile(r"\[[xX]\]|[✅☑✓✔]")
_OPEN = re.compile(r"\[ \]|[⬜☐❌🔲⏳🔄✗✘]")
_DONE_WORD = re.compile(r"\b(?:done|completed?)\b", re.IGNORECASE)
_OPEN_WORDS = frozenset({"", "-", "—", "–", "no", "pending", "todo", "open", "planned", "not started", "in progress"})
_HEADS = {
    "done": re.compile(r"(?:done\??|status|state|completed?)$", re.IGNORECASE),
    "depends": re.compile(r"(?:depends|deps|depend)", re.IGNORECASE),
    "risk": re.compile(r"risk", re.IGNORECASE),
    "title": re.compile(r"(?:slice|title|name|what|description)$", re.IGNORECASE),
    "demo": re.compile(r"(?:after this|after|done when|demo)", re.IGNORECASE),
}
_RISK = re.compile(r"\b(high|low|medium|med)\b", re.IGNORECASE)
_PLAIN = re.compile(r"\[[ xX]\].*|[⬜☐✅☑✓✔❌🔲⏳🔄\s]+|high|medium|med|low|none|—|–|-|S\d+\b.*", re.IGNORECASE)


class _Cell(NamedTuple):
    """Text of a cell and where it stands in the line, without the blanks around it."""

    text: str
    start: int
    end: int


def entries(lines: list[str], rows: list[int]) -> list[Entry]:
    """The rows of `rows` (line numbers) that name a slice; empty when there is no table of slices."""
    heads: dict[str, int] = {}
    found: list[Entry] = []
    for number in rows:
        line = lines[number]
        if not line.lstrip().startswith("|"):
            continue
        cells = _cells(line)
        named = _ID.search(line)
        if named is None:
            heads = heads or _columns(cells)
            continue
        found.append(Entry(line=number, slice=_slice(line, cells, heads, named[1]), boxed=True, edit=_editor(heads)))
    return found


def _cells(line: str) -> list[_Cell]:
    """The cells between pipes; `\\|` is no border."""
    borders = [found.start() for found in re.finditer(r"(?<!\\)\|", line)]
    if not line.rstrip().endswith("|"):
        borders.append(len(line))
    cells = []
    for number, left in enumerate(borders[:-1]):
        right = borders[number + 1]
        raw = line[left + 1 : right]
        start = left + 1 + len(raw) - len(raw.lstrip())
        cells.append(_Cell(text=raw.strip(), start=start, end=start + len(raw.strip())))
    return cells


def _columns(cells: list[_Cell]) -> dict[str, int]:
    names = [cell.text.strip("* ") for cell in cells]
    found = {}
    for key, pattern in _HEADS.items():
        index = next((n for n, name in enumerate(names) if pattern.match(name)), None)
        if index is not None:
            found[key] = index
    return found


def _slice(line: str, cells: list[_Cell], heads: dict[str, int], sid: str) -> Slice:
    return Slice(
        id=sid,
        title=_title(cells, heads, sid),
        risk=_risk(cells, heads),
        depends=_depends(cells, heads, sid),
        done=_done(line, _at(cells, heads, "done")),
        demo=(_at(cells, heads, "demo") or _Cell("", 0, 0)).text,
    )


def _at(cells: list[_Cell], heads: dict[str, int], key: str) -> _Cell | None:
    index = heads.get(key)
    return cells[index] if index is not None and index < len(cells) else None


def _done(line: str, cell: _Cell | None) -> bool:
    if cell:
        if _CHECK.search(cell.text):
            return True
        if _OPEN.search(cell.text) or cell.text.lower() in _OPEN_WORDS:
            return False
    if _CHECK.search(line):
        return True
    return not _OPEN.search(line) and bool(_DONE_WORD.search(line))


def _risk(cells: list[_Cell], heads: dict[str, int]) -> str:
    own = _at(cells, heads, "risk")
    for cell in [own] if own else cells:
        if found := _RISK.search(cell.text):
            return "medium" if found[1].lower() == "med" else found[1].lower()
    return "medium"


def _depends(cells: list[_Cell], heads: dict[str, int], sid: str) -> tuple[str, ...]:
    own = _at(cells, heads, "depends")
    if own is None:
        own = next((cell for cell in cells if re.search(r"depends|deps", cell.text, re.IGNORECASE)), None)
    listed = _REF.findall(own.text) if own else []
    return tuple(entry for entry in dependencies(",".join(listed)) if entry != sid)


def _title(cells: list[_Cell], heads: dict[str, int], sid: str) -> str:
    own = _at(cells, heads, "title")
    texts = [cell.text for cell in ([own] if own else cells)]
    plain = (re.sub(rf"^\W*{sid}\W*(?=\w)", "", text.strip("* ")) for text in texts)
    return next((text for text in plain if text and not _PLAIN.fullmatch(text)), sid)


def _editor(heads: dict[str, int]) -> Callable[[str, bool], str]:
    """An edit for rows of this table. A row without any mark gets its tick behind the id."""

    def edit(line: str, done: bool) -> str:
        cells = _cells(line)
        cell = _at(cells, heads, "done") or next((c for c in cells if _is_mark(c.text)), None)
        if cell:
            return line[: cell.start] + _remark(cell.text, done) + line[cell.end :]
        named = _ID.search(line)
        at = named.end() if named else len(line)
        return f"{line[:at]} ✅{line[at:]}"

    return edit


def _is_mark(text: str) -> bool:
    plain = text.lower() in _OPEN_WORDS or bool(_DONE_WORD.fullmatch(text))
    return bool(_CHECK.search(text) or _OPEN.search(text)) or (plain and len(text) > 1)


def _remark(text: str, done: bool) -> str:
    """The text of a cell with its mark turned: a box stays a box, everything else becomes a glyph."""
    new, old = ("[x]", _OPEN) if done else ("[ ]", _CHECK)
    glyph = "✅" if done else "⬜"
    found = old.search(text)
    if not found:
        return glyph
    if not done and _ID.search(text):
        return text[: found.start()].rstrip() + text[found.end() :]
    return text[: found.start()] + (new if found[0].startswith("[") else glyph) + text[found.end() :]
