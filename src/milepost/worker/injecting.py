"""Captures that change the plan of the slice at work: one more task, or a wish to have it planned again.

The capture's id stands in what is written, so that doing it twice does nothing. Source: spec auto 5.15, 2.22.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from milepost.formats import plan, plan_edit, roadmap
from milepost.formats.captures import Capture
from milepost.formats.replan import Trigger, render_trigger
from milepost.formats.tree import (
    Tree,
    milestone_file,
    read,
    slice_file,
    slice_home,
    slice_path,
    task_path,
)
from milepost.git.commits import commit_planning
from milepost.model.moments import iso
from milepost.model.state import State
from milepost.rules import secrets
from milepost.store import atomic
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.worker import carry
from milepost.worker.shift import Shift


def inject(entry: Capture, state: State, bench: Bench, shift: Shift) -> bool:
    """Add a task with its plan to the active slice; False while there is no plan that it could be added to."""
    tree, mid = tree_of(bench), bench.workspace.milestone
    if _mentioned(entry.id, tree, mid):
        return True
    sid = state.active_slice.id if state.active_slice else ""
    path = slice_file(tree, mid, sid, "PLAN") if sid else None
    text = raw(bench, path)
    if path is None or not plan.tasks(text):
        return False
    tid = plan_edit.next_id(text, _ids(tree, mid, sid))
    why = f"{entry.resolution or entry.rationale or 'asked for while the slice was at work'} ({entry.id})"
    own = task_path(tree, mid, sid, tid, "PLAN")
    # The task's plan first: a task that is listed without one would be planned by a session.
    write(bench, own, plan_edit.task_plan(tid, entry.text, why=why))
    write(bench, path, plan_edit.add(text, tid, entry.text, why=why))
    commit((own, path), f"docs({sid}): add {tid}, from {entry.id}\n", bench, shift)
    bench.watcher.note(f"{entry.id} became {mid}/{sid}/{tid}")
    return True


def replan(entry: Capture, state: State, bench: Bench, shift: Shift) -> bool:
    """Ask for the active slice to be planned again; False while it has no open task that could be changed."""
    tree, mid = tree_of(bench), bench.workspace.milestone
    sid = state.active_slice.id if state.active_slice else ""
    path = slice_path(tree, mid, sid, "REPLAN-TRIGGER")
    before = raw(bench, path) if sid else ""
    if entry.id in before:
        return True
    tasks = plan.tasks(read(tree, slice_file(tree, mid, sid, "PLAN"))) if sid else ()
    if all(task.done for task in tasks):
        return False
    wish = Trigger(source=entry.id, text=entry.text, rationale=entry.rationale, at=iso(shift.now_ms()))
    write(bench, path, "\n".join(part for part in (before, render_trigger(sid, wish)) if part))
    commit((path,), f"docs({sid}): replan, from {entry.id}\n", bench, shift)
    bench.watcher.note(f"{entry.id} has {mid}/{sid} planned again")
    return True


def _mentioned(capture: str, tree: Tree, mid: str) -> bool:
    slices = roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
    return any(capture in read(tree, slice_file(tree, mid, entry.id, "PLAN")) for entry in slices)


def _ids(tree: Tree, mid: str, sid: str) -> Iterable[str]:
    names = tree.names(f"{slice_home(tree, mid, sid)}/tasks")
    return [found[0] for name in names if (found := re.match(r"T\d+", name))]


def raw(bench: Bench, path: str | None) -> str:
    """A document with the line ends that it has; empty when there is none."""
    try:
        return (bench.workspace.state / path).read_bytes().decode("utf-8", "surrogateescape") if path else ""
    except FileNotFoundError:
        return ""


def write(bench: Bench, path: str, text: str) -> None:
    """Replace a document of the milestone's home."""
    state = bench.workspace.state
    atomic.replace(state / path, text.encode("utf-8", "surrogateescape"), within=state)


def commit(paths: Iterable[str], message: str, bench: Bench, shift: Shift) -> None:
    """Commit documents as they are on disk, where the project commits its plan; a missing one is a deletion."""
    place = bench.workspace
    if not carry.needed(place.milestone, shift):
        said = secrets.redact(message, bench.secrets)
        commit_planning(place.cwd, [str(Path(place.state_dir, path)) for path in paths], said)
