"""`CAPTURES.md`: thoughts thrown in while work goes on, and what became of them.

    # Captures

    ### CAP-1a2b3c4d
    **Text:** add retry to the fetcher
    **Captured:** 2026-03-17T10:00:00.000Z
    **Status:** pending

Resolved ones also carry Classification, Resolution, Rationale, Resolved and, once done, Executed. An entry
without Text or Captured is none. The file is always the project root's, never a worktree's. Source: spec auto 2.7.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from milepost.errors import FormatError
from milepost.formats._rows import newline_of

CLASSIFICATIONS: Final = ("quick-task", "inject", "defer", "replan", "note", "stop", "backtrack")
"""What a capture can be; the last two came with 2.61."""

_HEAD: Final = re.compile(r"^### +(\S+)[ \t]*\r?$", re.MULTILINE)
_FIELD: Final = re.compile(r"^\*\*(\w+):\*\*[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_PENDING: Final = re.compile(r"^\*\*Status:\*\*\s*pending\b", re.MULTILINE | re.IGNORECASE)


class Capture(NamedTuple):
    """One entry."""

    id: str
    text: str
    captured: str
    """ISO time."""
    status: str
    """pending, triaged or resolved."""
    classification: str = ""
    """One of CLASSIFICATIONS, else empty."""
    resolution: str = ""
    rationale: str = ""
    resolved: str = ""
    executed: bool = False


def parse(text: str) -> tuple[Capture, ...]:
    """All entries, in the order of the file. Never raises."""
    found = [_capture(head, text[start:end]) for head, start, end in _blocks(text)]
    return tuple(capture for capture in found if capture.text and capture.captured)


def has_pending(text: str) -> bool:
    """Whether something waits for triage; a cheap look without parsing."""
    return _PENDING.search(text) is not None


def append(text: str, *, id: str, said: str, at: str) -> str:  # noqa: A002 -- the field's name
    """`text` with a new pending entry at its end. id: `CAP-` and 8 hex digits; at: ISO time."""
    text = text or "# Captures\n"
    newline = newline_of(text)
    gap = newline if text.endswith("\n") else newline * 2
    fields = {"Text": " ".join(said.split()), "Captured": at, "Status": "pending"}
    return text + gap + newline.join([f"### {id}", *_lines(fields)]) + newline


def resolve(text: str, id: str, *, classification: str, resolution: str, rationale: str, at: str) -> str:  # noqa: A002
    """`text` with an entry marked as resolved. Raises FormatError when there is no such entry."""
    return _with_fields(
        text,
        id,
        {
            "Status": "resolved",
            "Classification": classification,
            "Resolution": resolution,
            "Rationale": rationale,
            "Resolved": at,
        },
    )


def mark_executed(text: str, id: str, *, at: str) -> str:  # noqa: A002
    """`text` with an entry marked as carried out. Raises FormatError when there is no such entry."""
    return _with_fields(text, id, {"Executed": at})


def _blocks(text: str) -> list[tuple[str, int, int]]:
    heads = list(_HEAD.finditer(text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    return [(head[1], head.end(), end) for head, end in zip(heads, ends, strict=True)]


def _capture(identity: str, body: str) -> Capture:
    fields = {found[1].lower(): found[2] for found in reversed(list(_FIELD.finditer(body)))}
    status = fields.get("status", "").lower()
    kind = fields.get("classification", "").lower()
    return Capture(
        id=identity,
        text=fields.get("text", ""),
        captured=fields.get("captured", ""),
        status=status if status in ("resolved", "triaged") else "pending",
        classification=kind if kind in CLASSIFICATIONS else "",
        resolution=fields.get("resolution", ""),
        rationale=fields.get("rationale", ""),
        resolved=fields.get("resolved", ""),
        executed="executed" in fields,
    )


def _with_fields(text: str, identity: str, fields: Mapping[str, str]) -> str:
    for head, start, end in _blocks(text):
        if head == identity:
            return text[:start] + _set(text[start:end], fields, newline_of(text)) + text[end:]
    raise FormatError("CAPTURES.md", 0, f"there is no capture {identity}")


def _set(body: str, fields: Mapping[str, str], newline: str) -> str:
    """The entry's body with each field replaced where it stands, or added after the last one."""
    for name, value in fields.items():
        line = f"**{name}:** {' '.join(value.split())}"
        there = [found for found in _FIELD.finditer(body) if found[1].lower() == name.lower()]
        if there:
            start, end = there[0].span()
            body = body[:start] + line + ("\r" if body[start:end].endswith("\r") else "") + body[end:]
            continue
        at = max((found.end() for found in _FIELD.finditer(body)), default=len(body.rstrip()))
        at = at - 1 if body[at - 1 : at] == "\r" else at
        body = body[:at] + newline + line + body[at:]
    return body


def _lines(fields: Mapping[str, str]) -> list[str]:
    return [f"**{name}:** {value}" for name, value in fields.items()]
