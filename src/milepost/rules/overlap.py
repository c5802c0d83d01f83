"""Which files a milestone will touch, and which of them another touches too.

    ## Files Likely Touched            - [ ] **T01: Schema**
    - `src/db.py` (new)                  - Files: `src/db.py`, `src/migrations/`
    - src/api/*.py: the routes

Plans are written by people and models: ticks, notes behind a path, lists in one line, globs and directories are
understood. Planning files do not count, each milestone has its own. What is shared is a warning, so a line that
names no path for certain is left out. Pure. Source: parallel PR-042, PR-346, DV-28, section 8; in-the-wild 5.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from milepost.formats import plan, roadmap
from milepost.formats._markdown import blank_comments, bullets, section
from milepost.formats.tree import Tree, milestone_file, read, slice_file

LONGEST_PATH: Final = 500
LONGEST_LINE: Final = 4_000
_STATE: Final = frozenset({".gsd", ".sf"})
_NO_PATH: Final = frozenset({"none", "nothing", "n/a", "na", "tbd", "various", "unknown"})

_LEAD = re.compile(
    r"(?:\[[ xX]\]\s+|\d+[.)]\s+)?"
    r"(?:(?:new|creat|add|modif|edit|updat|chang|delet|remov|mov|renam)\w*(?: files?)?:\s+)?",
    re.IGNORECASE,
)
_TICKED = re.compile(r"`([^`]+)`")
_BETWEEN = re.compile(r"\s*(?:[,;&|+→]|->|=>|and\b|to\b)?\s*(?:and\s)?\s*")
_PARENTHESIS = re.compile(r"(?<=[^/])\([^()]*\)")
_NOTE = re.compile(r"\s[—–-]+\s|:\s|:$")
_SEPARATOR = re.compile(r",(?![^{]*\})|;|\s(?:→|->|=>|and|&)\s")
_READ_ONLY = re.compile(r"(?:\(|\s[—–-]+\s+)(?:read[ -]only\b|read\)|unchanged\b)", re.IGNORECASE)
_LIKE_A_FILE = re.compile(r"(?:\.\w{1,12}|/|\*)\Z")
_LINES = re.compile(r":\d+(?:-\d+)?\Z")
_NO_NAME = re.compile(r"[<>|\"\x00-\x1f\x7f]|://|\(\)|\A-|\A[^\w*]+\Z")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


def touched(tree: Tree, mid: str) -> tuple[str, ...]:
    """Paths, directories and globs that the slice plans of a milestone name, sorted, each once.

    Paths are relative to the repository, with `/`. Slices count that the roadmap lists, finished ones as well: their
    work lies on the same branch. Raises FormatError only where `tree` does.
    """
    found: set[str] = set()
    for entry in roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP"))):
        text = read(tree, slice_file(tree, mid, entry.id, "PLAN"))
        found.update(path for said in _said(text) for path in _normal(said))
    return tuple(sorted(found))


def shared(a: Iterable[str], b: Iterable[str]) -> tuple[str, ...]:
    """What both sides touch, sorted: of a path and the glob or directory that it lies in, the path."""
    found: dict[str, str] = {}
    sides = frozenset(a), frozenset(b)
    for one, other in (sides, sides[::-1]):
        plain = {path.rstrip("/") for path in other if not _is_glob(path)}
        for path in one:
            for hit in _hits(path, other, plain):
                name = hit.rstrip("/")
                found[name] = max(hit, found.get(name, ""))
    return tuple(sorted(found.values()))


def _hits(path: str, other: frozenset[str], plain: set[str]) -> Iterator[str]:
    """What `path` has in common with the other side; globs are tried against all, plain paths are looked up."""
    if _is_glob(path):
        yield from (_nearer(path, entry) for entry in other if _meet(path, entry))
        return
    names = path.rstrip("/").split("/")
    if any("/".join(names[:depth]) in plain for depth in range(1, len(names) + 1)):
        yield path


def _said(text: str) -> Iterator[str]:
    """Every path as the plan writes it."""
    for line in bullets(section(blank_comments(text), "Files Likely Touched")):
        listed = tuple(_listed(_LEAD.sub("", line, count=1))) if len(line) <= LONGEST_LINE else ()
        if not (len(listed) == 1 and _READ_ONLY.search(line)):
            yield from listed
    for task in plan.tasks(text):
        yield from task.files


def _listed(line: str) -> Iterator[str]:
    """The paths of one line: what stands in ticks up to the first note, else what stands before the note."""
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    if _TICKED.search(line) and ("`" in first or not _LIKE_A_FILE.search(first.rstrip(":,"))):
        yield from _ticked(line)
        return
    told = _NOTE.split(_PARENTHESIS.sub("", line.replace("`", "")), maxsplit=1)[0]
    yield from (word for part in _SEPARATOR.split(told) if (word := _word(part.split())))


def _ticked(line: str) -> Iterator[str]:
    end = 0
    for mark in _TICKED.finditer(line):
        if end and not _BETWEEN.fullmatch(_PARENTHESIS.sub("", line[end : mark.start()])):
            return
        yield mark[1]
        end = mark.end()


def _word(words: Sequence[str]) -> str:
    """The path among words without ticks: the first word if it looks like one, else all if they end like one."""
    if len(words) > 1 and not _LIKE_A_FILE.search(words[0]):
        return " ".join(words) if _LIKE_A_FILE.search(words[-1]) else ""
    return words[0] if words else ""


def _normal(said: str) -> Iterator[str]:
    """A path in one spelling; nothing for what is none, or lies in the state directory."""
    path = said.strip().strip("'") if len(said) <= LONGEST_PATH else ""
    prose = " " in path and not _LIKE_A_FILE.search(path)
    if not path or prose or path.lower() in _NO_PATH or _NO_NAME.search(path):
        return
    path = _LINES.sub("", re.sub(r"(?:[,;:]|(?<=\w)\.)\Z", "", path)).replace("\\", "/")
    path = re.sub(r"\A(?:\./+)+", "", re.sub(r"/(?:\.?/)+", "/", path))
    if path and path.split("/")[0] not in _STATE:
        yield from _expanded(path)


def _expanded(path: str) -> Iterator[str]:
    """`src/{a,b}.py` as two paths; more than one pair of braces stay as they are."""
    braces = _BRACES.findall(path)
    if len(braces) != 1:
        yield path
        return
    before, after = _BRACES.split(path)[::2]
    yield from (f"{before}{part.strip()}{after}" for part in braces[0].split(","))


def _is_glob(path: str) -> bool:
    """Brackets are no wildcard: `app/[id]/page.tsx` is a file."""
    return "*" in path or "?" in path


def _nearer(one: str, other: str) -> str:
    """The one that says more: fixed further down from the root, or reaching further down."""
    return max(one, other, key=lambda path: (_fixed(path), path.strip("/").count("/"), path))


def _fixed(path: str) -> int:
    names = path.strip("/").split("/")
    return next((depth for depth, name in enumerate(names) if _is_glob(name)), len(names))


def _meet(one: str, other: str) -> bool:
    """Whether some path is covered by both. What is fixed in a pattern shows that a plain path is a directory."""
    names, others = _names(one, other), _names(other, one)
    return _cross(names, others, "**", _names_meet)


def _names(path: str, other: str) -> tuple[str, ...]:
    """The names on the way, with all that lies below a directory."""
    names = tuple(path.strip("/").split("/"))
    holds = path.endswith("/") or (not _is_glob(path) and other.startswith(f"{path}/"))
    return (*names, "**") if holds else names


def _names_meet(one: str, other: str) -> bool:
    return one == other or _cross(one, other, "*", lambda x, y: x == y or "?" in (x, y))


def _cross(one: Sequence[str], other: Sequence[str], many: str, meet: Callable[[str, str], bool]) -> bool:
    """Whether two patterns match a common sequence; `many` stands for any number of parts."""
    todo, seen = [(0, 0)], set[tuple[int, int]]()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        i, j = at
        if i == len(one) and j == len(other):
            return True
        left, right = one[i : i + 1], other[j : j + 1]
        if many in (*left, *right):
            todo += [(i + 1, j)] * bool(left) + [(i, j + 1)] * bool(right)
        elif left and right and meet(one[i], other[j]):
            todo.append((i + 1, j + 1))
    return False
