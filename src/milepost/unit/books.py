"""Milepost's own entries in the plan: ticking a box, taking a tick back, setting a rejected summary aside.

The model writes content, the program keeps the books, and only after verification. Every edit changes the box and
nothing else, byte for byte. Source: DESIGN rule 3, spec auto 8.3.
"""

from collections.abc import Callable
from pathlib import Path

from milepost.formats import plan, replan, roadmap
from milepost.formats.tree import Tree, milestone_file, slice_file, task_file
from milepost.model import work
from milepost.model.units import Unit, UnitKind
from milepost.rules._derive_slice import blockers
from milepost.store import atomic
from milepost.unit.before import Before, roadmap_of, tasks_of


def settle_box(unit: Unit, tree: Tree, state: Path) -> None:
    """Tick what the unit completed: a task in its plan, a slice in its roadmap; other kinds have no box."""
    slice_id, task_id = unit.slice or "", unit.task or ""
    if unit.kind is UnitKind.EXECUTE_TASK:
        _edit(state, slice_file(tree, unit.milestone, slice_id, "PLAN"), lambda text: plan.tick(text, task_id))
    elif unit.kind is UnitKind.COMPLETE_SLICE:
        _edit(state, milestone_file(tree, unit.milestone, "ROADMAP"), lambda text: roadmap.tick(text, slice_id))
    elif unit.kind is UnitKind.REPLAN_SLICE:
        _answer(unit.milestone, slice_id, tree, state)


def _answer(milestone: str, slice_id: str, tree: Tree, state: Path) -> None:
    """Write down what a replan took up: it is not asked for again, and what comes later is."""
    reported = [task.id for task in tasks_of(tree, milestone, slice_id)]
    found = blockers(tree, milestone, slice_id, reported)
    _edit(state, slice_file(tree, milestone, slice_id, "REPLAN"), lambda text: replan.with_answers(text, found))
    if trigger := slice_file(tree, milestone, slice_id, "REPLAN-TRIGGER"):
        (state / trigger).unlink()


def restore_boxes(before: Before, tree: Tree, state: Path, milestone: str) -> tuple[str, ...]:
    """Put every box back to what it was before the unit; the ids whose box had been changed.

    A box of an id that is new (a plan just written) starts unticked.
    """
    changed: list[str] = []
    found = roadmap_of(tree, milestone)
    for part in found.slices if found else ():
        if part.done != (part.id in before.slices):
            _set_slice(tree, state, milestone, part.id, done=not part.done)
            changed.append(part.id)
        for task in tasks_of(tree, milestone, part.id):
            if task.done != (f"{part.id}/{task.id}" in before.tasks):
                _set_task(tree, state, milestone, part.id, task.id, done=not task.done)
                changed.append(f"{part.id}/{task.id}")
    return tuple(changed)


def set_aside(unit: Unit, tree: Tree, state: Path, shelf: Path) -> None:
    """Move the summary of a task whose gate did not pass out of the plan, so that the files say it is not done."""
    path = task_file(tree, unit.milestone, unit.slice or "", unit.task or "", "SUMMARY")
    if unit.kind is UnitKind.QUICK and tree.text(found := work.document(unit.id, "SUMMARY.md")) is not None:
        path = found
    if path is not None:
        target = shelf / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (state / path).replace(target)


def bring_back(state: Path, shelf: Path) -> None:
    """Put what `set_aside` moved back in its place, unless something newer is there."""
    for held in sorted(p for p in shelf.rglob("*.md") if p.is_file()) if shelf.is_dir() else ():
        place = state / held.relative_to(shelf)
        if place.exists():
            held.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            held.replace(place)


def _set_slice(tree: Tree, state: Path, milestone: str, slice_id: str, *, done: bool) -> None:
    edit = roadmap.tick if done else roadmap.untick
    _edit(state, milestone_file(tree, milestone, "ROADMAP"), lambda text: edit(text, slice_id))


def _set_task(tree: Tree, state: Path, milestone: str, slice_id: str, task_id: str, *, done: bool) -> None:
    edit = plan.tick if done else plan.untick
    _edit(state, slice_file(tree, milestone, slice_id, "PLAN"), lambda text: edit(text, task_id))


def _edit(state: Path, path: str | None, change: Callable[[str], str]) -> None:
    if path is None:
        return
    file = state / path
    raw = file.read_bytes()
    new = change(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if new != raw:
        atomic.replace(file, new, within=state)
