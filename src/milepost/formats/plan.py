"""`S##-PLAN.md`: the tasks of one slice.

    # S01: Storage core

    **Goal:** Items persist.
    **Demo:** `rss add` then `rss list` shows rows.

    ## Tasks

    - [x] **T01: Schema and migrations** `est:30m`
      - Files: `src/db.py`, `src/migrate.py`
      - Verify: pytest tests/test_schema.py

A task line is a box at the start of a line, `**ID: title**`, then anything. `**T01:** title`, `**T01**: title`,
`T01: title` and headings `### T01 — Title` are read as well, in the whole body, because detail headings split the
section in many real plans. Only the box is ever edited. Source: spec auto 2.16, in-the-wild 5.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from milepost.errors import FormatError
from milepost.formats._markdown import (
    LONGEST_LINE,
    blank_comments,
    bold_field,
    bullets,
    h1,
    level,
    section,
    split,
    unfenced,
    without_id,
)

# Patterns are compiled on first use: a project needs few of them, and compiling costs every start of the program.
_BOX = r"[-*+]\s+\[([ xX])\]\s+(\S.*)"
_STRICT = r"\*\*(\w+(?:\.\w+)*):\s+(.+?)\*\*\s*(.*)"
_LOOSE = r"(\*{0,2})(T\d[\w.]*?)(?:\*\*)?\s*(?:[:—–]|-{1,2}\s)(?:\*\*)?\s*(\S.*)"
_HEADING = r"#{2,4}\s+([✓✅]\s+)?\*{0,2}(T\d[\w.]*?)\*{0,2}\s*(?:--|—|–|:)\s*\*{0,2}\s*(.+)"
_ESTIMATE = r"`est:([^`]+)`|_\(([^)]*)\)_\s*$"
_DETAIL = r"\s*(?:[-*]\s+)?\*{0,2}(Files|Verify|Estimate):\*{0,2}\s*(.*)"
_ID = r"\w+(?:\.\w+)*"


class Task(NamedTuple):
    """One task. `verify` is the rest of its Verify line as written; `estimate` like `45m`, empty when absent."""

    id: str
    title: str
    done: bool
    estimate: str
    files: tuple[str, ...]
    verify: str
    description: str


class Plan(NamedTuple):
    """What a slice consists of. `tasks` are in the order of the file, ids unique."""

    id: str
    title: str
    goal: str
    demo: str
    must_haves: tuple[str, ...]
    verification: str
    tasks: tuple[Task, ...]
    files_likely_touched: tuple[str, ...]

    def task(self, tid: str) -> Task | None:
        """The task of that id."""
        return next((entry for entry in self.tasks if entry.id == tid), None)


class _Entry(NamedTuple):
    """A line that stands for a task; `line` from 0 in the text as it is."""

    line: int
    task: Task
    boxed: bool
    edit: Callable[[str, bool], str]


def parse(text: str) -> Plan:
    """The plan; one without readable tasks has an empty `tasks`. Never raises."""
    body = split(text)[1]
    head = h1(body)
    named = re.match(_ID, head)
    return Plan(
        id=named[0] if named and head[named.end() : named.end() + 1] == ":" else "",
        title=without_id(head, "S") or head,
        goal=bold_field(body, "Goal") or section(body, "Goal"),
        demo=bold_field(body, "Demo"),
        must_haves=bullets(section(body, "Must-Haves")),
        verification=section(body, "Verification"),
        tasks=tasks(text),
        files_likely_touched=tuple(entry.replace("`", "") for entry in bullets(section(body, "Files Likely Touched"))),
    )


def tasks(text: str) -> tuple[Task, ...]:
    """The tasks alone. An id listed twice counts once: its first box decides, or its first line if none has one."""
    return tuple(entry.task for entry in _unique(text))


def tick(text: str, tid: str) -> str:
    """`text` with task `tid` marked done; raises FormatError when the plan does not list it."""
    return _mark(text, tid, done=True)


def untick(text: str, tid: str) -> str:
    """`text` with task `tid` marked open; raises FormatError when the plan does not list it."""
    return _mark(text, tid, done=False)


def _mark(text: str, tid: str, *, done: bool) -> str:
    entry = next((found for found in _unique(text) if found.task.id == tid), None)
    if entry is None:
        raise FormatError("PLAN", 0, f"task {tid} is not listed", hint="Add it as `- [ ] **ID: title**`.")
    if entry.task.done == done:
        return text
    lines = text.split("\n")
    body = lines[entry.line].removesuffix("\r")
    lines[entry.line] = entry.edit(body, done) + lines[entry.line][len(body) :]
    return "\n".join(lines)


def _unique(text: str) -> list[_Entry]:
    """Tasks of `## Tasks` first, then those outside it, each id once."""
    lines = [line.rstrip("\r") if len(line) < LONGEST_LINE else "" for line in blank_comments(text).split("\n")]
    free = unfenced(lines)
    entries = _entries(lines, free)
    inside = _tasks_section(lines, free)
    entries.sort(key=lambda entry: (entry.line not in inside, entry.line))
    boxed = {entry.task.id: entry for entry in reversed(entries) if entry.boxed}
    chosen = {entry.task.id: boxed.get(entry.task.id, entry) for entry in entries}
    return list(chosen.values())


def _tasks_section(lines: list[str], free: list[bool]) -> range:
    start = next((n for n, line in enumerate(lines) if free[n] and line.strip().lower() == "## tasks"), None)
    if start is None:
        return range(0)
    later = range(start + 1, len(lines))
    return range(start, next((n for n in later if free[n] and 0 < level(lines[n]) <= 2), len(lines)))


def _entries(lines: list[str], free: list[bool]) -> list[_Entry]:
    found: list[_Entry] = []
    details: list[list[str]] = []
    for number, line in enumerate(lines):
        entry = _task_line(number, line) if free[number] else None
        if entry:
            found.append(entry)
            details.append([])
        elif found and line.strip() and not line.startswith("#"):
            details[-1].append(line)
    return [entry._replace(task=_with_details(entry.task, below)) for entry, below in zip(found, details, strict=True)]


def _task_line(number: int, line: str) -> _Entry | None:
    if line[:1] in "-*+" and (box := re.match(_BOX, line)):
        task = _task(box[2].rstrip(), done=box[1] != " ")
        return _Entry(line=number, task=task, boxed=True, edit=_edit_box) if task else None
    if line[:1] == "#" and (head := re.match(_HEADING, line)):
        name = head[3].rstrip(" *")
        done = bool(head[1]) or name.endswith("✅")
        estimate = re.search(_ESTIMATE, name)
        name = re.sub(_ESTIMATE, "", name).strip(" *✅")
        task = _made(head[2], name, done, (estimate[1] or estimate[2]) if estimate else "")
        return _Entry(line=number, task=task, boxed=False, edit=_edit_heading)
    return None


def _task(rest: str, *, done: bool) -> Task | None:
    """The task of a line after its box; None for a box that belongs to something else."""
    if strict := re.match(_STRICT, rest):
        tid, name, tail = strict[1], strict[2], strict[3]
    elif loose := re.match(_LOOSE, rest):
        tid, name, tail = loose[2], loose[3], ""
    else:
        return None
    estimate = re.search(_ESTIMATE, tail or name)
    name = re.sub(_ESTIMATE, "", name).strip(" *")
    tail = re.sub(_ESTIMATE, "", tail).strip(" —–-")
    return _made(tid, name or tid, done, (estimate[1] or estimate[2]) if estimate else "", tail)


def _made(tid: str, name: str, done: bool, estimate: str, description: str = "") -> Task:
    return Task(id=tid, title=name, done=done, estimate=estimate, files=(), verify="", description=description)


def _with_details(task: Task, lines: list[str]) -> Task:
    """The task with what the lines below it say; the first Files, Verify and Estimate count, the rest describes."""
    said: dict[str, str] = {}
    rest = [task.description] if task.description else []
    for line in lines:
        detail = re.match(_DETAIL, line) if ":" in line else None
        if detail and detail[1] not in said:
            said[detail[1]] = detail[2].strip()
        else:
            rest.append(line.strip())
    return task._replace(
        files=_files(said.get("Files", "")),
        verify=said.get("Verify", ""),
        estimate=task.estimate or said.get("Estimate", ""),
        description=" ".join(rest),
    )


def _files(listed: str) -> tuple[str, ...]:
    """Paths of a Files line: what stands in backticks, else a bare comma list; prose alone names none."""
    marked = re.findall(r"`([^`]+)`", listed)
    parts = marked or [part.strip() for part in listed.split(",")]
    return tuple(part for part in parts if part and (marked or not re.search(r"\s", part)))


def _edit_box(line: str, done: bool) -> str:
    at = line.index("[") + 1
    return f"{line[:at]}{'x' if done else ' '}{line[at + 1 :]}"


def _edit_heading(line: str, done: bool) -> str:
    if done:
        return f"{line.rstrip()} ✅"
    return re.sub(r"^(#{2,4}\s+)[✓✅]\s+", r"\1", re.sub(r"\s*✅\s*$", "", line))
