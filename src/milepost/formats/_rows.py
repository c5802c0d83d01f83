"""Rows of Markdown tables, with `\\|` as a pipe inside a cell, and edits that keep a file's own line ends."""

import re
from collections.abc import Iterable

_RULE = re.compile(r"\|[\s:|-]+\|?\s*\Z")
_PIPE = re.compile(r"(?<!\\)\|")


def cells(line: str) -> tuple[str, ...]:
    """The cells of a table row, unescaped and trimmed; empty for any other line and for the rule below a head."""
    stripped = line.strip()
    if not stripped.startswith("|") or _RULE.match(stripped):
        return ()
    inner = stripped[1:]
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return tuple(part.strip().replace("\\|", "|") for part in _PIPE.split(inner))


def is_rule(line: str) -> bool:
    """Whether a line is the `|---|---|` below a table's head."""
    return _RULE.match(line.strip()) is not None and "-" in line


def row(values: Iterable[str]) -> str:
    """A table row; line breaks become spaces and pipes are escaped, so that it stays one row."""
    return "| " + " | ".join(" ".join(value.split()).replace("|", "\\|") for value in values) + " |"


def newline_of(text: str) -> str:
    """The line end that a text uses: CRLF when most of its lines end so, else LF."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def insert_after(text: str, line_number: int, line: str) -> str:
    """`text` with one more line after the given one (from 0; -1 puts it at the top), in the text's line end."""
    carriage = newline_of(text).removesuffix("\n")
    lines = text.split("\n")
    if line_number == len(lines) - 1:
        # The line has no end of its own yet.
        return f"{text}{carriage}\n{line}{carriage}\n"
    return "\n".join([*lines[: line_number + 1], line + carriage, *lines[line_number + 1 :]])
