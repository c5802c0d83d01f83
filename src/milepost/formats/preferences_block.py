"""Where in `PREFERENCES.md` the settings stand.

Canonical is frontmatter: the first line is `---`, and so is a later one. Models and people also write, and get
read here with a warning: YAML without the dashes, one fenced `yaml` block, and headings with lists:

    ## Git
    - isolation: none

The block keeps its place: characters before and after it are counted, or lines are kept one for one, so that a
problem is reported at its line in the file. Source: spec auto 2.9 (2.58 there), in-the-wild 9.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

Shape: TypeAlias = Literal["frontmatter", "bare", "fenced", "headings", "prose"]

_FENCE = re.compile(r"^(```+|~~~+)[ \t]*(?:ya?ml)?[ \t]*$", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*$")
_PAIR = re.compile(r"(?:[-*]\s+)?\**([A-Za-z_][\w-]*)\**:(?:\s|$)")


class Block(NamedTuple):
    """The YAML text and where it starts."""

    shape: Shape
    text: str
    at: int = 0
    """Characters of the file before it."""
    line: int = 0
    """Lines of the file before it."""

    @property
    def loose(self) -> bool:
        """Not in the place where GSD itself reads settings; problems in it are warnings."""
        return self.shape != "frontmatter"


def find(text: str, known: Iterable[str]) -> Block:
    """The settings block of a file's text (any line ends); shape `prose` when there is none.

    known: the top-level keys there are.
    """
    front = _frontmatter(text)
    if front is not None:
        return front
    names = frozenset(known)
    fenced = _fenced(text, names)
    if fenced is not None:
        return fenced
    lines = text.splitlines(keepends=True)
    if _says_something(lines, names) and not any(_is_list_line(line) for line in _outside_values(lines)):
        return Block(shape="bare", text=text)
    from_headings = "\n".join(_from_headings(lines, names))
    return Block(shape="headings", text=from_headings) if from_headings.strip() else Block(shape="prose", text="")


def _frontmatter(text: str) -> Block | None:
    blank = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    lines = text[blank:].splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return None
    before = text[:blank].count("\n") + 1
    body = lines[1:]
    end = next((number for number, line in enumerate(body) if line.startswith("---")), None)
    if end is None:
        return None
    return Block(shape="frontmatter", text="".join(body[:end]), at=blank + len(lines[0]), line=before)


def _fenced(text: str, known: frozenset[str]) -> Block | None:
    """The first fenced block that sets something known."""
    lines = text.splitlines(keepends=True)
    at, start, mark = 0, -1, ""
    begin = 0
    for number, line in enumerate(lines):
        at += len(line)
        stripped = line.strip()
        if start < 0 and (opened := _FENCE.match(stripped)):
            start, mark, begin = number + 1, opened[1], at
        elif start >= 0 and stripped == mark:
            if _says_something(lines[start:number], known):
                return Block(shape="fenced", text="".join(lines[start:number]), at=begin, line=start)
            start = -1
    return None


def _says_something(lines: Sequence[str], known: frozenset[str]) -> bool:
    return any((pair := _PAIR.match(line)) and pair[1] in known and line[0] not in "-*" for line in lines)


def _is_list_line(line: str) -> bool:
    return line.startswith(("- ", "* "))


def _outside_values(lines: Sequence[str]) -> Iterator[str]:
    """Lines that are not list items directly below a `key:` at the margin."""
    inside = False
    for line in lines:
        if line[:1].strip() and not _is_list_line(line) and not line.startswith("#"):
            inside = line.rstrip().endswith(":")
        if not (inside and _is_list_line(line)):
            yield line


def _from_headings(lines: Sequence[str], known: frozenset[str]) -> Iterator[str]:
    """The same lines with `## Git` as `git:` and its list as keys; everything else blank."""
    inside = False
    for line in lines:
        heading = _HEADING.match(line)
        if heading:
            name = re.sub(r"[^a-z0-9]+", "_", heading[1].lower()).strip("_")
            inside = name in known
            yield f"{name}:" if inside else ""
        elif inside and line.strip():
            stripped = line.strip()
            pair = _PAIR.match(stripped)
            yield "  " + (re.sub(r"^[-*]\s+|\*\*", "", stripped) if pair else stripped)
        else:
            yield ""
