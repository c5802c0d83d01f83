"""What earlier work left, in few lines: the carry-forward of done tasks and the excerpt of a slice plan.

Source: spec auto 5.17 (execute-task).
"""

from collections.abc import Iterable

from milepost.formats import plan, summary
from milepost.formats._markdown import section

_LINE_CHARS = 1_200
_DIAGNOSTICS_CHARS = 600


def carried(path: str, text: str) -> str:
    """One task's summary in one list entry: what it did, provides, decided, where it lies.

    path: as the session sees it. An entry has at most some 1,800 characters, however long the summary is.
    """
    told = summary.parse(text)
    parts = (
        _some("provides", told.provides, 2),
        _some("decisions", told.key_decisions, 2),
        _some("patterns", told.patterns_established, 2),
        _some("key files", told.key_files, 3),
    )
    title = _flat(told.title) or path
    line = ". ".join([f"**{title}**: {_flat(told.one_liner) or 'no one-liner'}", *(part for part in parts if part)])
    diagnostics = _flat(told.diagnostics)[:_DIAGNOSTICS_CHARS]
    lines = (f"- {line[:_LINE_CHARS]} (`{path}`)", f"  Diagnostics: {diagnostics}" if diagnostics else "")
    return "\n".join(entry for entry in lines if entry)


def _some(label: str, values: Iterable[str], count: int) -> str:
    chosen = [_flat(value) for value in values if value.strip()][:count]
    return f"{label}: {'; '.join(chosen)}" if chosen else ""


def _flat(text: str) -> str:
    return " ".join(text.split())


def excerpt(text: str, tid: str) -> str:
    """What a task needs of its slice plan: goal, demo, how the slice is verified, and the task's own entry."""
    told = plan.parse(text)
    task = told.task(tid)
    parts = (
        f"**Goal:** {told.goal}" if told.goal else "",
        f"**Demo:** {told.demo}" if told.demo else "",
        f"**Entry of {tid}:** {_entry(task)}" if task else "",
        _block("Verification", told.verification),
        _block("Observability", section(text, "Observability / Diagnostics") or section(text, "Observability")),
    )
    return "\n\n".join(part for part in parts if part)


def _entry(task: plan.Task) -> str:
    parts = (
        task.title,
        task.description,
        f"Files: {', '.join(f'`{path}`' for path in task.files)}" if task.files else "",
        f"Verify: {task.verify}" if task.verify else "",
    )
    return "\n".join(part for part in parts if part)


def _block(heading: str, text: str) -> str:
    return f"**{heading}:**\n{text}" if text else ""
