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

# Patterns are compiled on first use: most projects have no table, and compiling costs every start of the program.
_ID = r"\b(S\d+)\b"
_REF = r"\b(?:M\d[\w-]*/)?S\d+(?:(?:-|\.\.)S\d+)?\b"
_CHECK = r"\[[xX]\]|[✅☑✓✔]"
_OPEN = r"\[ \]|[⬜☐❌🔲⏳🔄✗✘]"
_DONE_WORD = r"(?i)\b(?:done|completed?)\b"
_OPEN_WORDS = frozenset({"", "-", "—", "–", "no", "pending", "todo", "open", "planned", "not started", "in progress"})
_HEADS = {
    "done": r"(?i)(?:done\??|status|state|completed?)$",
    "depends": r"(?i)(?:depends|deps|depend)",
    "risk": r"(?i)risk",
    "title": r"(?i)(?:slice|title|name|what|description)$",
    "demo": r"(?i)(?:after this|after|done when|demo)",
}
_RISK = r"(?i)\b(high|low|medium|med)\b"
_PLAIN = r"(?i)\[[ xX]\].*|[⬜☐✅☑✓✔❌🔲⏳🔄\s]+|high|medium|med|low|none|—|–|-|S\d+\b.*"


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
        named = re.search(_ID, line)
        if named is None:
            heads = heads or _columns(cells)
            continue
        found.append(Entry(line=number, slice=_slice(line, cells, heads, named[1]), boxed=True, edit=_editor(heads)))
    return found


def row(lines: list[str], entry: Slice) -> str:
    """A row for a new open slice in the table that the last of `lines` belongs to."""
    top = next((n for n in range(len(lines) - 1, 0, -1) if not lines[n - 1].lstrip().startswith("|")), 0)
    last = [cell.text for cell in _cells(lines[-1])]
    heads = _columns(_cells(lines[top])) if re.search(_ID, lines[top]) is None else {}
    made = [""] * len(last)
    values = {"title": entry.title, "risk": entry.risk, "depends": ", ".join(entry.depends) or "—", "done": "⬜"}
    for key, value in {**values, "demo": entry.demo}.items():
        if key in heads and heads[key] < len(made):
            made[heads[key]] = value.replace("|", "/")
    named = next((n for n, text in enumerate(last) if re.search(_ID, text)), 0)
    made[named] = f"{entry.id}: {made[named]}" if made[named] else entry.id
    return "| " + " | ".join(made) + " |"


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
        index = next((n for n, name in enumerate(names) if re.match(pattern, name)), None)
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
        if re.search(_CHECK, cell.text):
            return True
        if re.search(_OPEN, cell.text) or cell.text.lower() in _OPEN_WORDS:
            return False
    if re.search(_CHECK, line):
        return True
    return not re.search(_OPEN, line) and bool(re.search(_DONE_WORD, line))


def _risk(cells: list[_Cell], heads: dict[str, int]) -> str:
    own = _at(cells, heads, "risk")
    for cell in [own] if own else cells:
        if found := re.search(_RISK, cell.text):
            return "medium" if found[1].lower() == "med" else found[1].lower()
    return "medium"


def _depends(cells: list[_Cell], heads: dict[str, int], sid: str) -> tuple[str, ...]:
    own = _at(cells, heads, "depends")
    if own is None:
        own = next((cell for cell in cells if re.search(r"depends|deps", cell.text, re.IGNORECASE)), None)
    listed = re.findall(_REF, own.text) if own else []
    return tuple(entry for entry in dependencies(",".join(listed)) if entry != sid)


def _title(cells: list[_Cell], heads: dict[str, int], sid: str) -> str:
    own = _at(cells, heads, "title")
    texts = [cell.text for cell in ([own] if own else cells)]
    plain = (re.sub(rf"^\W*{sid}\W*(?=\w)", "", text.strip("* ")) for text in texts)
    return next((text for text in plain if text and not re.fullmatch(_PLAIN, text)), sid)


def _editor(heads: dict[str, int]) -> Callable[[str, bool], str]:
    """An edit for rows of this table. A row without any mark gets its tick behind the id."""

    def edit(line: str, done: bool) -> str:
        cells = _cells(line)
        cell = _at(cells, heads, "done") or next((c for c in cells if _is_mark(c.text)), None)
        if cell:
            return line[: cell.start] + _remark(cell.text, done) + line[cell.end :]
        named = re.search(_ID, line)
        at = named.end() if named else len(line)
        return f"{line[:at]} ✅{line[at:]}"

    return edit


def _is_mark(text: str) -> bool:
    plain = text.lower() in _OPEN_WORDS or bool(re.fullmatch(_DONE_WORD, text))
    return bool(re.search(_CHECK, text) or re.search(_OPEN, text)) or (plain and len(text) > 1)


def _remark(text: str, done: bool) -> str:
    """The text of a cell with its mark turned: a box stays a box, everything else becomes a glyph."""
    new, old = ("[x]", _OPEN) if done else ("[ ]", _CHECK)
    glyph = "✅" if done else "⬜"
    found = re.search(old, text)
    if not found:
        return glyph
    if not done and re.search(_ID, text):
        return text[: found.start()].rstrip() + text[found.end() :]
    return text[: found.start()] + (new if found[0].startswith("[") else glyph) + text[found.end() :]
