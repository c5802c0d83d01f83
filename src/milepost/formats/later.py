"""`M###-LATER.md`: what a discussion found to be milestones of their own, to come after this one.

    # After M001

    ## Reader UI

    **Depends on:** M001

    A keyboard driven list of what was fetched.

Each gets an id and a draft of its own from Milepost. `Depends on`: this milestone's id, titles of others in the file,
or `nothing`; when it is not said, this milestone. Source: spec auto 1.2 (multi-milestone discussion).
"""

import re
from typing import NamedTuple

from milepost.formats._markdown import sections

_DEPENDS = re.compile(r"^[ \t]*(?:[-*]\s+)?\**Depends on:?\**:?[ \t]*(.*)$\n?", re.IGNORECASE | re.MULTILINE)


class Later(NamedTuple):
    """One milestone to come."""

    title: str
    text: str
    """Empty when nothing but the title is there."""
    needs: tuple[str, ...]
    """As written: ids or titles."""


def parse(text: str, mid: str) -> tuple[Later, ...]:
    """The milestones, in order; a title says enough for a draft. mid: what they come after. Never raises."""
    found = (_later(heading, body, mid) for heading, body in sections(text, 2))
    return tuple(entry for entry in found if entry.title)


def _later(heading: str, body: str, mid: str) -> Later:
    title = re.sub(r"^M\d+[^:]*:\s*", "", heading.strip("#* ")).strip()
    said = _DEPENDS.search(body)
    needs = (mid,) if said is None else tuple(part for part in map(_name, re.split(r"[,;]", said[1])) if part)
    return Later(title=title, text=_DEPENDS.sub("", body, count=1).strip(), needs=needs)


def _name(raw: str) -> str:
    name = raw.strip().strip("*`[]\"'. ")
    return "" if name.casefold() in ("nothing", "none", "-", "") else name
