"""`OVERRIDES.md`: orders of the user that the plan has not taken up yet.

    # GSD Overrides

    ## Override: 2026-03-17T10:00:00.000Z

    **Change:** use PostgreSQL instead of SQLite
    **Scope:** active
    **Applied-at:** M001/S02/T01

    ---

A change may run over many lines, code included. An override is open while its scope is `active`.
Source: spec auto 2.23.
"""

import re
from collections.abc import Container, Iterable
from typing import NamedTuple

from milepost.formats._markdown import lf

_HEAD = r"(?m)^## Override:[ \t]*(.*)$"
_CHANGE = r"(?ms)^\*\*Change:\*\*[ \t]*(.*?)(?=^\*\*(?:Scope|Applied-at):\*\*|\Z)"
_SCOPE = r"(?m)^\*\*Scope:\*\*[ \t]*(\w+)"
_APPLIED = r"(?m)^\*\*Applied-at:\*\*[ \t]*(.*)$"
_ACTIVE = r"(?mi)^(\*\*Scope:\*\*[ \t]*)active\b"


class Override(NamedTuple):
    """One order. `applied_at` is the unit that was current, such as `M001/S02/T01`; `at` an ISO time."""

    at: str
    change: str
    scope: str
    applied_at: str


def parse(text: str) -> tuple[Override, ...]:
    """All overrides in the order of the file. Never raises."""
    text = lf(text)
    heads = list(re.finditer(_HEAD, text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    return tuple(_override(head[1].strip(), text[head.end() : end]) for head, end in zip(heads, ends, strict=True))


def active(text: str) -> tuple[Override, ...]:
    """The overrides that are still open."""
    if "active" not in text.lower():
        return ()
    return tuple(entry for entry in parse(text) if entry.scope == "active")


def resolve_all(text: str) -> str:
    """`text` with every open override marked resolved; nothing else differs."""
    return re.sub(_ACTIVE, r"\1resolved", text)


def added(text: str, entries: Iterable[Override]) -> str:
    """`text` with these at its end; as it is when there are none."""
    new = [render(entry) for entry in entries]
    return "\n".join([text.rstrip("\n") + "\n" if text else "# GSD Overrides\n", *new]) if new else text


def only(text: str, known: Container[tuple[str, str]]) -> str:
    """`text` without the overrides of another time or change; nothing else differs."""
    heads = [head.start() for head in re.finditer(_HEAD, text)]
    pieces = [text[start:end] for start, end in zip(heads, [*heads, len(text)][1:], strict=True)]
    kept = [piece for piece in pieces if all((e.at, e.change) in known for e in parse(piece))]
    return "".join((text[: heads[0]], *kept)) if heads else text


def render(entry: Override) -> str:
    """One override as it is appended to the file."""
    return (
        f"## Override: {entry.at}\n\n**Change:** {entry.change}\n**Scope:** {entry.scope}\n"
        f"**Applied-at:** {entry.applied_at}\n\n---\n"
    )


def _override(at: str, body: str) -> Override:
    change, scope, applied = re.search(_CHANGE, body), re.search(_SCOPE, body), re.search(_APPLIED, body)
    return Override(
        at=at,
        change=change[1].strip() if change else "",
        scope=scope[1].lower() if scope else "",
        applied_at=applied[1].strip() if applied else "",
    )
