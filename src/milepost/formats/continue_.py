"""`S##-CONTINUE.md` (older: `continue.md`): where interrupted work was left.

    ---
    milestone: M001
    slice: S02
    task: T03
    step: 2
    total_steps: 5
    status: compacted
    saved_at: 2026-03-17T10:00:00.000Z
    ---

    ## Completed Work
    ## Remaining Work
    ## Decisions Made
    ## Context
    ## Next Action

`totalSteps` and `savedAt` are read too. Source: spec auto 2.21.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from milepost.formats._markdown import Field, frontmatter, scalar, section

_STATUSES: Final = ("in_progress", "interrupted", "compacted")


class Continue(NamedTuple):
    """The note."""

    milestone: str
    slice: str
    task: str
    """Empty when the work was between tasks."""
    step: int
    total_steps: int
    status: str
    """in_progress, interrupted or compacted."""
    saved_at: str
    completed_work: str
    remaining_work: str
    decisions_made: str
    context: str
    next_action: str


def parse(text: str) -> Continue:
    """What the note says; what is missing is empty. Never raises."""
    fields = frontmatter(text)
    task, status = scalar(fields, "task"), scalar(fields, "status")
    return Continue(
        milestone=scalar(fields, "milestone"),
        slice=scalar(fields, "slice"),
        task="" if task.lower() in ("none", "null", "~") else task,
        step=_number(fields, "step"),
        total_steps=_number(fields, "total_steps") or _number(fields, "totalSteps"),
        status=status if status in _STATUSES else _STATUSES[0],
        saved_at=scalar(fields, "saved_at") or scalar(fields, "savedAt"),
        completed_work=section(text, "Completed Work"),
        remaining_work=section(text, "Remaining Work"),
        decisions_made=section(text, "Decisions Made"),
        context=section(text, "Context"),
        next_action=section(text, "Next Action"),
    )


def render(note: Continue) -> str:
    """The file's text."""
    head = (
        f"---\nmilestone: {note.milestone}\nslice: {note.slice}\ntask: {note.task or 'none'}\nstep: {note.step}\n"
        f"total_steps: {note.total_steps}\nstatus: {note.status}\nsaved_at: {note.saved_at}\n---\n"
    )
    parts = {
        "Completed Work": note.completed_work,
        "Remaining Work": note.remaining_work,
        "Decisions Made": note.decisions_made,
        "Context": note.context,
        "Next Action": note.next_action,
    }
    return head + "".join(f"\n## {title}\n{body}\n" for title, body in parts.items())


def _number(fields: Mapping[str, Field], key: str) -> int:
    raw = scalar(fields, key)
    return int(raw) if raw.isdecimal() else 0
