"""Which files are built and not written, by patterns as in `.gitignore`.

    *.map               at any depth
    __pycache__/        the whole directory, at any depth
    dist/*.js           a slash inside: from the repository's root
    dist/**/*.css       any number of directories
    !vendor.map         not this one, though an earlier pattern said so; the last that fits decides

As in git, nothing inside a directory that fits is looked at again. Pure. Source: parallel FM-98; gitignore(5).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple


class _Pattern(NamedTuple):
    expression: re.Pattern[str]
    directory: bool
    """Fits directories only."""
    generated: bool
    """False for one that takes back what an earlier pattern said."""


def is_generated(path: str, patterns: Sequence[str]) -> bool:
    """Whether a file is a built one.

    path: relative to the repository's root, with `/`. patterns: as in `.gitignore`; an odd one fits nothing.
    """
    compiled = _compiled(tuple(patterns))
    if not compiled:
        return False
    ends = [at for at, letter in enumerate(path) if letter == "/"]
    return any(_fits(path[:end], True, compiled) for end in ends) or _fits(path, False, compiled)


def _fits(path: str, directory: bool, patterns: tuple[_Pattern, ...]) -> bool:
    for pattern in reversed(patterns):
        if (directory or not pattern.directory) and pattern.expression.fullmatch(path):
            return pattern.generated
    return False


@lru_cache(maxsize=32)
def _compiled(patterns: tuple[str, ...]) -> tuple[_Pattern, ...]:
    return tuple(found for found in map(_pattern, patterns) if found is not None)


def _pattern(line: str) -> _Pattern | None:
    text = re.sub(r"(?<!\\)[ \t\r\n]+\Z", "", line)
    generated = not text.startswith("!")
    text = text if generated else text[1:]
    directory = text.endswith("/")
    text = text.rstrip("/") if directory else text
    if not text or line.startswith("#"):
        return None
    anchored = "/" in text
    try:
        body = re.compile(("" if anchored else "(?:.*/)?") + _expression(text.removeprefix("/")), re.DOTALL)
    except re.error:
        return None
    return _Pattern(body, directory, generated)


def _expression(text: str) -> str:
    """A pattern without its leading and trailing slash as a regular expression for a whole path."""
    found, at = "", 0
    while at < len(text):
        piece, at = _piece(text, at)
        found += piece
    return found


_STARS = re.compile(r"(?:(?<=/)|\A)\*\*/|(?<=/)\*\*\Z|\*+")
_SET = re.compile(r"\[(!|\^)?(\]?(?:\\.|\[:[a-z]+:\]|[^\]\\])*)\]", re.DOTALL)
_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "lower": "a-z", "space": r"\s", "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}  # fmt: skip


def _piece(text: str, at: int) -> tuple[str, int]:
    """The expression for what stands at `at`, and where the next begins."""
    if stars := _STARS.match(text, at):
        said = stars[0]
        return ("(?:.*/)?" if said == "**/" else ".*" if _whole(text, stars) else "[^/]*"), stars.end()
    if chosen := _SET.match(text, at):
        return f"(?!/)[{'^' if chosen[1] else ''}{_inside(chosen[2])}]", chosen.end()
    if text[at] == "?":
        return "[^/]", at + 1
    if text[at] == "\\" and at + 1 < len(text):
        return re.escape(text[at + 1]), at + 2
    return re.escape(text[at]), at + 1


def _whole(text: str, stars: re.Match[str]) -> bool:
    """Whether two stars stand for everything below: at the end, after a slash."""
    return stars[0] == "**" and stars.end() == len(text) and text[: stars.start()].endswith("/")


def _inside(members: str) -> str:
    named = re.sub(r"\[:([a-z]+):\]", lambda name: _CLASSES.get(name[1], ""), members)
    return re.sub(r"(?<!\\)([\[&~|^])|(\A\])", lambda bare: "\\" + bare[0], named)
