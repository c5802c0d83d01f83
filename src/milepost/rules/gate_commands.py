"""A gate's text as argument lists, without a shell: words, quotes, `&&`, and nothing else.

    cd packages/cli && CI=1 python -m pytest "tests/with space" -k 'a and b'

What only a shell can do (`;`, `|`, redirections, substitution, variables) makes a part unrunnable, with the
reason; it is never dropped and never run as something else. Understood are `$PWD`, and a lone `2>&1` or a last
`| tail -20`, which change nothing where both streams are kept; patterns like `tests/*.py` are left to the runner.
Source: spec auto 5.13, 8.7.
"""

import re
from typing import NamedTuple


class Word(NamedTuple):
    """One word, quotes removed. `start` and `end` are its place in the text."""

    text: str
    start: int
    end: int
    quoted: bool
    """Whether some of it stood in quotes or behind a backslash."""
    pattern: bool
    """Whether it holds an unquoted `*`, `?` or `[`."""


class Part(NamedTuple):
    """What stands between two `&&`."""

    text: str
    words: tuple[Word, ...]
    problem: str
    """Why it cannot be run without a shell; empty when it can."""


_SHAPES = (
    ("space", r"\s+"),
    ("and", r"&&"),
    ("merge", r"(?<!\S)2>&1(?!\S)"),
    ("shorten", r"\|\s*(?:tail|head)(?:\s+-\S+|\s+\d+)*(?=\s*(?:$|&&))"),
    ("pwd", r"\$PWD\b|\$\{PWD\}"),
    ("single", r"'([^']*)'"),
    ("double", r'"((?:[^"\\]|\\.)*)"'),
    ("escape", r"\\(.)"),
    ("ellipsis", r"(?<!/)\.\.\.|…"),
    ("substitution", r"\$\(|`"),
    ("variable", r"\$(?:\w+|\{[^}]*\}?|[?#!@*$-])"),
    ("control", r"[;|&<>()]+"),
    ("home", r"(?<!\S)~(?=/|\s|$)"),
    ("braces", r"\{[^{}\s]*,[^{}\s]*\}"),
    ("unbalanced", r"['\"]"),
    ("glob", r"[*?\[]"),
    ("plain", r"[^\s'\"\\&|;<>()`$*?\[~{.…]+|."),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in _SHAPES), re.DOTALL)
_EXPANDS = re.compile(r"(?<!\\)(?:\\\\)*(`|\$\(|\$(?:\w+|\{[^}]*\}?|[?#!@*$-]))")
_PLACEHOLDER = re.compile(r"[({\[](?:\.\.\.|…)[)}\]]")
_PWD = re.compile(r"\$PWD\b|\$\{PWD\}")
_UNESCAPE = re.compile(r'\\([\\"$`])')
_PROBLEMS = {
    "ellipsis": "has a placeholder ({})",
    "substitution": "needs a shell ({})",
    "variable": "needs a shell ({})",
    "control": "needs a shell ({})",
    "home": "needs a shell ({})",
    "braces": "needs a shell ({})",
    "unbalanced": "has an unbalanced quote ({})",
}


class _Scanner:
    """The words of one text, part by part."""

    def __init__(self, text: str, worktree: str) -> None:
        self.text = text
        self.worktree = worktree
        self.parts: list[Part] = []
        self._begin = 0
        self._words: list[Word] = []
        self._problem = ""
        self._open = False
        self._at, self._value, self._quoted, self._pattern = 0, "", False, False

    def scan(self) -> tuple[Part, ...]:
        for token in _TOKEN.finditer(self.text):
            kind, found = token.lastgroup or "plain", token.group()
            if kind in {"space", "and", "merge", "shorten"}:
                self._end_word(token.start())
                if kind == "and":
                    self._end_part(token.start(), token.end())
                continue
            if not self._open:
                self._clear(token.start())
            self._open = True
            if kind in _PROBLEMS:
                self._problem = self._problem or _PROBLEMS[kind].format(found)
                self._value += found
            else:
                self._take(kind, token)
        self._end_word(len(self.text))
        self._end_part(len(self.text), len(self.text))
        return tuple(self.parts)

    def _take(self, kind: str, token: re.Match[str]) -> None:
        found = token.group()
        match kind:
            case "single":
                self._value, self._quoted = self._value + self._verbatim(found[1:-1]), True
            case "double":
                self._value, self._quoted = self._value + self._inside(found[1:-1]), True
            case "escape":
                self._value, self._quoted = self._value + found[1:], True
            case "pwd":
                self._value += self.worktree
            case "glob":
                self._value, self._pattern = self._value + found, True
            case _:
                self._value += found

    def _inside(self, text: str) -> str:
        text = _PWD.sub(self.worktree.replace("\\", r"\\"), text)
        if found := _EXPANDS.search(text):
            self._problem = self._problem or f"needs a shell ({found.group(1)})"
        return self._verbatim(_UNESCAPE.sub(r"\1", text))

    def _verbatim(self, text: str) -> str:
        if found := _PLACEHOLDER.search(text):
            self._problem = self._problem or _PROBLEMS["ellipsis"].format(found.group())
        return text

    def _clear(self, at: int) -> None:
        self._at, self._value, self._quoted, self._pattern = at, "", False, False

    def _end_word(self, end: int) -> None:
        if self._open:
            word = Word(text=self._value, start=self._at, end=end, quoted=self._quoted, pattern=self._pattern)
            self._words.append(word)
            self._open = False

    def _end_part(self, end: int, after: int) -> None:
        text = self.text[self._begin : end].strip()
        if text:
            self.parts.append(Part(text=text, words=tuple(self._words), problem=self._problem))
        self._begin, self._words, self._problem = after, [], ""


def parts(text: str, *, worktree: str = ".") -> tuple[Part, ...]:
    """The parts of `text` between unquoted `&&`, empty ones left out. Never raises.

    worktree: the absolute directory `$PWD` stands for.
    """
    return _Scanner(text, worktree).scan()
