"""What is wrong with a plan that was just written, beyond whether it can be read.

    error:   a session could not carry it out, or nobody could tell whether it did; it goes back to the agent
    warning: a person should know: large tasks, no files named, a success criterion that no slice seems to meet

Only a plan that a unit of ours wrote is held to this; what is there already is worked with as it is.
Pure. Source: spec auto 2.11, 2.16, 2.17, 5.17; field-reports (plan lint).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from milepost.formats import plan, roadmap
from milepost.formats._markdown import frontmatter, scalar, sections
from milepost.formats.tree import Tree, milestone_path, read, slice_path, task_path
from milepost.model.units import Unit, UnitKind
from milepost.rules._derive_slice import task_reported

MOST_SLICES = 8
MOST_STEPS, MOST_FILES = 10, 12
"""From so many estimated steps or files on a task is too large for one session (spec auto 2.17)."""
_TASK_ID = re.compile(r"T\d+(?:\.\d+)*\Z")
_SLICE_ID = re.compile(r"S\d+(?:\.\d+)*\Z")
_BOXED = re.compile(r"^[ \t]*[-*+][ \t]+\[[ xX]\][ \t]+\*\*\[?([A-Za-z][\w.]*?)\]?(?:\*\*)?:", re.MULTILINE)
_QUOTED = re.compile(r"`([^`\s]+)`")
_STEP = re.compile(r"^[ \t]*\d+[.)][ \t]", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]{4,}")


class Finding(NamedTuple):
    """One thing. path: relative to the state directory; problem: ends the sentence that begins with the path."""

    path: str
    problem: str
    error: bool


def _error(path: str, problem: str) -> Finding:
    return Finding(path, problem, error=True)


def _warning(path: str, problem: str) -> Finding:
    return Finding(path, problem, error=False)


def lint(unit: Unit, tree: Tree, *, max_tasks: int, gate: bool = False) -> tuple[Finding, ...]:
    """The findings about what `unit` planned; none for a unit that plans nothing.

    max_tasks: what the executor's window allows in one slice. gate: the preferences name commands that judge each task.
    """
    if unit.kind is UnitKind.PLAN_MILESTONE:
        return tuple(_roadmap(tree, unit.milestone))
    if unit.kind in (UnitKind.PLAN_SLICE, UnitKind.REPLAN_SLICE):
        return tuple(_plan(tree, unit.milestone, unit.slice or "", max_tasks, gate))
    return ()


def document(unit: Unit, tree: Tree) -> str:
    """Path of what is linted for `unit`; when it is as before, nobody wrote anything."""
    if unit.kind is UnitKind.PLAN_MILESTONE:
        return milestone_path(tree, unit.milestone, "ROADMAP")
    return slice_path(tree, unit.milestone, unit.slice or "", "PLAN")


def _roadmap(tree: Tree, mid: str) -> Iterator[Finding]:
    path = milestone_path(tree, mid, "ROADMAP")
    text = read(tree, path)
    found = roadmap.parse(text)
    yield from _ids(path, text, [entry.id for entry in found.slices], _SLICE_ID, "slice", "S01")
    silent = [entry.id for entry in found.slices if not entry.demo]
    if silent and not found.success_criteria:
        yield _error(path, f"lets nobody see when {', '.join(silent)} works: add `> After this: …` to each")
    elif silent:
        yield _warning(path, f"has no `> After this: …` for {', '.join(silent)}")
    if not found.success_criteria:
        yield _warning(path, "has no Success Criteria")
    if len(found.slices) > MOST_SLICES:
        yield _warning(path, f"has {len(found.slices)} slices; more than {MOST_SLICES} look like two milestones")
    for criterion in found.success_criteria:
        if not _meets(criterion, found.slices):
            yield _warning(path, f"has a success criterion that no slice seems to meet: {criterion}")


def _meets(criterion: str, slices: tuple[roadmap.Slice, ...]) -> bool:
    """Whether some slice speaks of the same thing: a hint, no proof."""
    wanted = _words(criterion)
    return not wanted or any(wanted & _words(f"{entry.title} {entry.demo}") for entry in slices)


def _words(text: str) -> set[str]:
    return {word.casefold()[:6] for word in _WORD.findall(text)}


def _plan(tree: Tree, mid: str, sid: str, max_tasks: int, gate: bool) -> Iterator[Finding]:
    path = slice_path(tree, mid, sid, "PLAN")
    text = read(tree, path)
    found = plan.parse(text)
    yield from _ids(path, text, [task.id for task in found.tasks], _TASK_ID, "task", "T01")
    if not (found.must_haves or found.verification or found.demo or found.goal):
        yield _error(path, "says nowhere what the slice is to hold: add Goal, Demo and Must-Haves")
    new = [task for task in found.tasks if not task.done and not task_reported(tree, mid, sid, task.id)]
    if len(new) > max_tasks:
        graded = _error if len(new) > 2 * max_tasks else _warning
        yield graded(path, f"has {len(new)} open tasks; at most {max_tasks} fit a slice")
    own = {task.id: (task_path(tree, mid, sid, task.id, "PLAN")) for task in new}
    for task in new:
        yield from _task(path, task, own[task.id], read(tree, own[task.id]), gate)
    yield from _order({tid: read(tree, where) for tid, where in own.items()}, own)


def _ids(path: str, text: str, ids: list[str], grammar: re.Pattern[str], what: str, like: str) -> Iterator[Finding]:
    for odd in (each for each in ids if not grammar.match(each)):
        yield _error(path, f"has a {what} id {odd!r}; ids look like {like}")
    boxed = [each for each in _BOXED.findall(text) if grammar.match(each)]
    for twice in dict.fromkeys(each for each in boxed if boxed.count(each) > 1):
        yield _error(path, f"lists {twice} more than once")
    numbers = [[int(part) for part in each[1:].split(".")] for each in ids if grammar.match(each)]
    if numbers != sorted(numbers):
        yield _warning(path, f"has its {what} ids out of order: {', '.join(ids)}")


def _task(path: str, task: plan.Task, where: str, text: str, gate: bool) -> Iterator[Finding]:
    parts = {heading.casefold(): body for heading, body in sections(text, 2)}
    proved = task.verify or "done when" in task.description.casefold() or gate
    if not (proved or parts.get("verification") or parts.get("must-haves")):
        yield _error(path, f"gives {task.id} no acceptance: add `- Verify: <command>` or `- Done when: …`")
    if not task.files and not _QUOTED.search(text):
        yield _warning(path, f"names no file for {task.id}")
    steps = max(len(_STEP.findall(parts.get("steps", ""))), _number(text, "estimated_steps"))
    files = max(len(task.files), _number(text, "estimated_files"))
    if steps >= MOST_STEPS:
        yield _warning(where, f"has {steps} steps; from {MOST_STEPS} on a task should be two")
    if files >= MOST_FILES:
        yield _warning(where, f"is about {files} files; from {MOST_FILES} on a task should be two")


def _number(text: str, key: str) -> int:
    value = scalar(frontmatter(text), key)
    return int(value) if value.isdecimal() else 0


def _order(texts: dict[str, str], where: dict[str, str]) -> Iterator[Finding]:
    """A task that takes what only a later one makes."""
    made = {tid: _paths(text, "expected output") for tid, text in texts.items()}
    ids = list(texts)
    for position, tid in enumerate(ids):
        earlier = {name for each in ids[: position + 1] for name in made[each]}
        for name in sorted(_paths(texts[tid], "inputs") - earlier):
            if maker := next((each for each in ids[position + 1 :] if name in made[each]), ""):
                yield _warning(where[tid], f"takes `{name}`, which only {maker} makes, after it")


def _paths(text: str, heading: str) -> set[str]:
    body = next((body for head, body in sections(text, 2) if head.casefold() == heading), "")
    return {name for name in _QUOTED.findall(body) if "/" in name or "." in name}
