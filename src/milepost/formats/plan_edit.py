"""One more task in a slice's plan, in the section where the parser looks for tasks.

    - [ ] **T04: Add a retry** `est:30m`
      - Why: asked for while the slice was at work (CAP-1a2b3c4d)
      - Do: add a retry to the fetcher
      - Done when: that holds, and what held before still does

Every other byte stays. Source: spec auto 2.16, 5.15.
"""

import re
from collections.abc import Iterable

from milepost.formats import plan
from milepost.formats._markdown import blank_comments, level, unfenced
from milepost.formats._rows import newline_of

_TITLE = 80


def next_id(text: str, others: Iterable[str] = ()) -> str:
    """`T` and the number after the highest in use, two digits at least. others: ids used outside the plan."""
    ids = (*(task.id for task in plan.tasks(text)), *others)
    numbers = (int(found[1]) for name in ids if (found := re.match(r"T(\d+)", name)))
    return f"T{max(numbers, default=0) + 1:02d}"


def add(text: str, tid: str, wish: str, *, why: str) -> str:
    """`text` with an open task at the end of its `## Tasks`; the section is made when there is none."""
    newline = newline_of(text)
    entry = [
        f"- [ ] **{tid}: {title(wish)}** `est:30m`",
        f"  - Why: {_line(why)}",
        f"  - Do: {_line(wish)}",
        "  - Done when: that holds, and what held before still does",
    ]
    lines = text.rstrip("\r\n").split("\n") if text.strip() else []
    at = _end_of_tasks(lines)
    if at is None:
        return newline.join([*(line.rstrip("\r") for line in lines), "", "## Tasks", "", *entry, ""])
    carriage = newline.removesuffix("\n")
    return "\n".join([*lines[:at], *(line + carriage for line in entry), *_after(lines[at:], carriage)]) + newline


def task_plan(tid: str, wish: str, *, why: str) -> str:
    """`T##-PLAN.md` of such a task."""
    return (
        f"# {tid}: {title(wish)}\n\n## Description\n\n{_line(wish)}\n\n{_line(why)}\n\n## Steps\n\n"
        "1. Look at the code concerned, and at what the slice has done so far.\n"
        "2. Make the change, in the style of the project, with a test where the project has tests.\n"
        "3. Run the project's checks.\n\n## Must-Haves\n\n"
        "- [ ] The description holds\n- [ ] No check that passed fails\n"
    )


def title(wish: str) -> str:
    """A wish as a title: one line, not too long, nothing in it that ends a bold text."""
    text = _line(wish).replace("*", "").replace("`", "").rstrip(".")
    return text if len(text) <= _TITLE else text[: _TITLE - 1].rstrip() + "…"


def _end_of_tasks(lines: list[str]) -> int | None:
    """The number of the line behind the last one of `## Tasks` that says something."""
    plain = [line.rstrip("\r") for line in blank_comments("\n".join(lines)).split("\n")]
    free = unfenced(plain)
    start = next((n for n, line in enumerate(plain) if free[n] and line.strip().lower() == "## tasks"), None)
    if start is None:
        return None
    end = next((n for n in range(start + 1, len(plain)) if free[n] and 0 < level(plain[n]) <= 2), len(plain))
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _after(rest: list[str], carriage: str) -> list[str]:
    return [carriage, *rest] if rest and rest[0].strip() else rest


def _line(text: str) -> str:
    return " ".join(text.split())
