"""`T##-SUMMARY.md`, `S##-SUMMARY.md`, `M###-SUMMARY.md`: what was done.

    ---
    id: T01
    provides:
      - schema with three tables
    key_files:
      - src/db.py
    blocker_discovered: false
    ---
    # T01: Schema and migrations

    **Added versioned SQLite schema with forward migrations**

    ## What Happened

The one-liner is the first line below the heading when it is bold from end to end. A milestone with a summary is
complete, unless the summary says of itself that it failed. Source: spec auto 2.15, 2.18, 2.19, 4.4.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from milepost.formats._markdown import (
    Fields,
    front_scalar,
    frontmatter,
    h1,
    scalar,
    sections,
    split,
    strings,
    without_id,
)

_FAILED = (
    r"(?im)^[ \t]*#[ \t]*BLOCKER\b|auto-mode recovery failed|verification\s+failed"
    r"|^[ \t]*(?:status|verdict|outcome|result)\s*[:=-]\s*not complete\b"
)
_HINTS = ("# blocker", "#blocker", "failed", "not complete")
_CLOSED = frozenset({"complete", "completed", "done", "skipped", "closed"})
_OPEN = frozenset({"active", "pending", "blocked", "failed", "failure", "incomplete"})


class Summary(NamedTuple):
    """A summary. `front` are the raw frontmatter fields; `sections` the text below each `## ` heading by its name."""

    front: Fields
    title: str
    one_liner: str
    sections: Mapping[str, str]
    status: str
    provides: tuple[str, ...]
    key_files: tuple[str, ...]
    key_decisions: tuple[str, ...]
    patterns_established: tuple[str, ...]
    blocker_discovered: bool
    verification_result: str

    @property
    def diagnostics(self) -> str:
        """How to look into what was built; empty when the summary has no such section."""
        return self.sections.get("Diagnostics", "")


def parse(text: str) -> Summary:
    """The summary; fields that are not there are empty. Never raises."""
    fields, body = frontmatter(text), split(text)[1]
    return Summary(
        front=fields,
        title=title(text),
        one_liner=_one_liner(body),
        sections=dict(reversed(sections(body, 2))),
        status=scalar(fields, "status").lower(),
        provides=strings(fields, "provides"),
        key_files=tuple(entry for entry in strings(fields, "key_files") if "{{" not in entry),
        key_decisions=strings(fields, "key_decisions"),
        patterns_established=strings(fields, "patterns_established"),
        blocker_discovered=scalar(fields, "blocker_discovered").lower() == "true",
        verification_result=scalar(fields, "verification_result") or "untested",
    )


def title(text: str) -> str:
    """The heading without the id in front; the id alone when that is all, empty without a heading."""
    head = h1(split(text)[1])
    return next((name for letter in "MST" if (name := without_id(head, letter)) != head), head) or head


def blocker_discovered(text: str) -> bool:
    """Whether the task found that the plan cannot hold."""
    return front_scalar(text, "blocker_discovered").lower() == "true"


def reports_failure(text: str) -> bool:
    """Whether a milestone's summary says that the milestone is not complete. A summary without status succeeds."""
    status = front_scalar(text, "status").lower()
    if status in _CLOSED:
        return False
    lowered = text.lower()
    return status in _OPEN or (any(hint in lowered for hint in _HINTS) and bool(re.search(_FAILED, text)))


def _one_liner(body: str) -> str:
    lines = iter(body.split("\n"))
    for line in lines:
        if line.startswith("# "):
            break
    first = next((line.strip() for line in lines if line.strip()), "")
    whole = len(first) > 4 and first.startswith("**") and first.endswith("**")
    return first[2:-2].strip() if whole else ""
