"""Markdown as people and models write it into `.gsd/`: frontmatter, sections, bold fields, bullets.

    ---
    id: T01
    provides:
      - a schema with `three` tables: read from disk
    requires:
      - slice: S01
        provides: storage
    ---
    # T01: Title

Frontmatter is read line by line and not as YAML: in a quarter of real slice summaries an item starts with a
backtick or holds an unquoted colon. Values stay strings. Headings inside code fences are not headings. Line
ends are LF or CRLF. Source: spec auto 2.1, in-the-wild 6.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

Item = str | Mapping[str, str]
"""One entry of a frontmatter list: text as written without outer quotes, or a small map (`requires`)."""
Field = str | tuple[Item, ...]
Fields = Mapping[str, Field]

_ITEM_KEY = r"([A-Za-z_]\w*):\s+(.*)$"
_LONGEST_ITEM = 5_000
LONGEST_LINE = 20_000
"""No line of a format is longer; what is, is skipped, so that a pattern never meets a megabyte."""
LONGEST_TITLE = 1_000
_MAP_KEYS = frozenset({"requires", "requirement_outcomes"})


def lf(text: str) -> str:
    """`text` with every line end as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def split(text: str) -> tuple[str, str]:
    """Frontmatter block and body, both LF; the block is empty when there is none or it never ends."""
    text = lf(text).removeprefix("\ufeff")
    lead = text.lstrip()
    if not lead.startswith("---"):
        return "", text
    lines = lead.split("\n")
    for number in range(1, len(lines)):
        if lines[number].startswith("---"):
            rest = [lines[number][3:], *lines[number + 1 :]]
            return "\n".join(lines[1:number]), "\n".join(rest).lstrip("\n")
    return "", text


def frontmatter(text: str) -> Fields:
    """The fields of a document's frontmatter; empty when it has none. Never raises."""
    block = split(text)[0]
    return _fields(block.split("\n")) if block else {}


def _fields(lines: Sequence[str]) -> Fields:
    """`key: scalar`, `key: [a, b]`, `key:` with items below; what is none of these is skipped."""
    found: dict[str, Field] = {}
    key, items = "", list[Item]()
    for line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("- ") or stripped == "-":
            items.extend(_item(key, stripped[1:].strip()))
        elif line[:1] in (" ", "\t"):
            _continue(items, stripped)
        elif head := _key(line):
            _close(found, key, items)
            key, items = head, list[Item]()
            found[key] = _value(stripped.partition(":")[2].strip())
    _close(found, key, items)
    return found


def _key(line: str) -> str:
    """The name before `: ` or a closing colon, empty for a line that is no field."""
    name, colon, rest = line.partition(":")
    name = name.rstrip()
    return name if colon and rest[:1] in ("", " ", "\t") and name.replace("-", "_").isidentifier() else ""


def _close(found: dict[str, Field], key: str, items: list[Item]) -> None:
    if key and items:
        found[key] = tuple(items)


def _value(raw: str) -> Field:
    if raw in ("", "[]"):
        return ()
    if raw.startswith("[") and raw.endswith("]"):
        return tuple(inline_list(raw))
    return unquote(_without_comment(raw))


def _item(key: str, raw: str) -> Iterator[Item]:
    """One list entry; `["a", "b"]` inside a single entry is what some models write for two."""
    if raw.startswith('["') and raw.endswith("]"):
        yield from inline_list(raw)
    elif key in _MAP_KEYS and (pair := re.match(_ITEM_KEY, raw)):
        yield {pair[1]: unquote(pair[2].strip())}
    elif raw:
        yield unquote(raw)


def _continue(items: list[Item], stripped: str) -> None:
    """A deeper line below an entry: another key of its map, or more of its text."""
    if not items:
        return
    last, pair = items[-1], re.match(_ITEM_KEY, stripped)
    if isinstance(last, str):
        items[-1] = f"{last} {stripped}" if len(last) < _LONGEST_ITEM else last
    elif pair:
        items[-1] = {**last, pair[1]: unquote(pair[2].strip())}


def inline_list(raw: str) -> list[str]:
    """Entries of `[a, "b, c"]`; commas inside quotes do not separate."""
    parts, quote, current = list[str](), "", ""
    for char in raw.strip()[1:-1]:
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and not current.strip():
            quote = char
        elif char == ",":
            parts.append(current)
            current = ""
            continue
        current += char
    return [value for part in (*parts, current) if (value := unquote(part.strip()))]


def unquote(raw: str) -> str:
    """`raw` without one pair of outer quotes."""
    if len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in "\"'":
        return raw[1:-1]
    return raw


def _without_comment(raw: str) -> str:
    return raw if raw[:1] in "\"'" else raw.split(" #", 1)[0].rstrip()


def front_scalar(text: str, key: str) -> str:
    """One scalar of a document's frontmatter without reading the others; empty when absent."""
    block = split(text)[0]
    for line in block.split("\n") if key in block else ():
        if line.startswith(key) and _key(line) == key:
            value = _value(line.partition(":")[2].strip())
            return value if isinstance(value, str) else ""
    return ""


def scalar(fields: Fields, key: str) -> str:
    """A field as one string; the first entry of a list, empty when absent."""
    value = fields.get(key, "")
    if isinstance(value, str):
        return value
    return value[0] if value and isinstance(value[0], str) else ""


def strings(fields: Fields, key: str) -> tuple[str, ...]:
    """A field as strings; a scalar counts as one entry, a map as its values joined by `: `."""
    value = fields.get(key, ())
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(item if isinstance(item, str) else ": ".join(item.values()) for item in value)


def blank_comments(text: str) -> str:
    """`text` with HTML comments overwritten by spaces, so that lines and columns stay where they are."""
    parts, at = list[str](), 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        blank = (char if char in "\r\n" else " " for char in text[start : end + 3])
        parts += (text[at:start], *blank)
        at = end + 3
    return "".join((*parts, text[at:])) if parts else text


def unfenced(lines: Sequence[str]) -> list[bool]:
    """For each line whether it lies outside a code fence; a fence that never closes fences nothing."""
    free = [True] * len(lines)
    opened, mark = -1, ""
    for number, line in enumerate(lines):
        stripped = line.strip()
        if not stripped.startswith(("```", "~~~")):
            continue
        if opened >= 0 and stripped.rstrip(stripped[0]) == "" and stripped[0] == mark:
            free[opened : number + 1] = [False] * (number + 1 - opened)
            opened = -1
        elif opened < 0 or stripped[0] == mark:
            opened, mark = number, stripped[0]
    return free


def level(line: str) -> int:
    """How many `#` a heading line starts with; 0 for a line that is no heading."""
    depth = len(line) - len(line.lstrip("#"))
    return depth if depth and line[depth : depth + 1] in (" ", "\t") else 0


def section(text: str, heading: str, depth: int = 2) -> str:
    """Text below `## heading`, up to the next heading of that level or above; empty when absent.

    The heading's case and a trailing colon do not matter.
    """
    lines = lf(text).split("\n")
    free = unfenced(lines)
    wanted = heading.casefold()
    start = -1
    for number, line in enumerate(lines):
        found = level(line) if free[number] else 0
        if start >= 0 and 0 < found <= depth:
            return "\n".join(lines[start:number]).strip()
        if start < 0 and found == depth and line[depth:].strip().rstrip(":").casefold() == wanted:
            start = number + 1
    return "\n".join(lines[start:]).strip() if start >= 0 else ""


def sections(text: str, depth: int) -> tuple[tuple[str, str], ...]:
    """(heading, text below) of every heading of exactly this level, in order."""
    lines = lf(text).split("\n")
    free = unfenced(lines)
    heads = [n for n, line in enumerate(lines) if free[n] and 0 < level(line) <= depth]
    found = []
    for number, end in zip(heads, [*heads, len(lines)][1:], strict=True):
        if level(lines[number]) == depth:
            found.append((lines[number][depth:].strip(), "\n".join(lines[number + 1 : end]).strip()))
    return tuple(found)


def bullets(block: str) -> tuple[str, ...]:
    """Every non-blank line without its bullet; headings are left out, plain paragraphs count."""
    lines = (line.strip() for line in block.split("\n"))
    return tuple(
        text
        for line in lines
        if line and not line.startswith("#") and (text := (line[1:].strip() if line[:2] in ("- ", "* ") else line))
    )


def bold_field(text: str, key: str) -> str:
    """The value of the first `**Key:** value` line; when nothing follows, the next line that is not blank."""
    mark = f"**{key}:**"
    lines = lf(text).split("\n")
    for number, line in enumerate(lines):
        if not line.startswith(mark):
            continue
        value = line[len(mark) :].strip()
        following = (rest.strip() for rest in lines[number + 1 :])
        return value or next((rest for rest in following if rest and not rest.startswith(("#", "**"))), "")
    return ""


def h1(text: str) -> str:
    """The text of the first `# ` line, empty when there is none."""
    for line in text.split("\n"):
        if line.startswith("# "):
            return line[2 : LONGEST_TITLE + 2].strip()
    return ""


def without_id(title: str, letter: str) -> str:
    """A title without the ids in front of it: `M002: M002: Name`, `S01 — Name` and `M004 Roadmap: Name` are `Name`.

    letter: `M`, `S` or `T`. Returns an empty string for a title that is only an id.
    """
    if letter not in title:
        return title.strip()
    pattern = (
        rf"(?:Slice\s+|Milestone\s+|Task\s+)?{letter}\d+(?:\.\w+)*(?:-[a-z0-9]{{6}}\b)?"
        r"(?:\s+(?:Roadmap|Plan|Context|Summary|Validation)\b)?\s*(?:[:—–]|-{1,2}(?=\s|$)|$)\s*"
    )
    while (found := re.match(pattern, title)) and found.end():
        title = title[found.end() :]
    return title.strip()
