"""A slice as a roadmap names it, and where in the text it stands."""

import re
from collections.abc import Callable
from typing import NamedTuple

_RANGE = r"([A-Za-z]+)(\d+)(?:-|\.\.)+([A-Za-z]+)(\d+)$"
_NOTHING = frozenset({"none", "—", "–", "-", "n/a", "nothing"})
_MOST = 1000


class Slice(NamedTuple):
    """One slice of a milestone. `depends` are slice ids, or `M009/S02` for one of another milestone."""

    id: str
    title: str
    risk: str
    depends: tuple[str, ...]
    done: bool
    demo: str


class Entry(NamedTuple):
    """A line that stands for a slice.

    line: from 0. boxed: whether the line carries a mark of its own. edit: (line, done) to the line with its
    mark set; only called when that changes it.
    """

    line: int
    slice: Slice
    boxed: bool
    edit: Callable[[str, bool], str]


def dependencies(listed: str) -> tuple[str, ...]:
    """Ids of a comma separated list; `S01-S04` and `S01..S04` are expanded, `none` and dashes are nothing."""
    found: dict[str, None] = {}
    for raw in re.split(r"[,;]", listed)[:_MOST]:
        part = raw.strip(" `*.\t")
        if part and part.lower() not in _NOTHING:
            found.update(dict.fromkeys(_expand(part)))
    return tuple(found)


def _expand(part: str) -> list[str]:
    """A range that runs backwards, mixes letters or is absurdly long stays as it is written."""
    span = re.match(_RANGE, part)
    if not span or span[1].upper() != span[3].upper():
        return [part]
    first, last = int(span[2]), int(span[4])
    if first > last or last - first > _MOST:
        return [part]
    return [f"{span[1].upper()}{number:0{len(span[2])}d}" for number in range(first, last + 1)]
