"""What an agent did that is not its to do, found and put right before anything is verified.

It commits by itself, leaves the branch, ticks boxes, writes summaries of other units or files of other milestones:
each is undone without losing a byte (the former state is pinned first) and said so. Every step may run twice.
Source: DESIGN rules 3, 5 and 7; issue acceptance 6.
"""

from pathlib import Path
from typing import NamedTuple

from milepost.formats.journal import Corrected, SessionEnded
from milepost.formats.tree import Tree, milestone_file, slice_file
from milepost.git import anchor, refs, special_files, status
from milepost.git.put_right import put_right_branch, take_back
from milepost.git.snapshots import snapshot
from milepost.git.status import Change
from milepost.model import work
from milepost.model.units import Unit, UnitKind
from milepost.rules import claims
from milepost.store.snapshot import Snapshot
from milepost.unit import books, in_their_name
from milepost.unit.before import Before, artifacts, take
from milepost.unit.bench import Bench

_PLANNERS = frozenset(
    {
        UnitKind.PLAN_MILESTONE,
        UnitKind.PLAN_SLICE,
        UnitKind.REPLAN_SLICE,
        UnitKind.REASSESS_ROADMAP,
        UnitKind.REWRITE_DOCS,
    }
)
"""Kinds that may take planning files away and set gates."""


class Correction(NamedTuple):
    """One thing that was put right."""

    what: str
    paths: tuple[str, ...] = ()
    backup: str = ""
    """Ref or directory that keeps what was there."""


def put_right(unit: Unit, before: Before | None, *, attempt: str, base: str, bench: Bench) -> tuple[Change, ...]:
    """Undo what is not the agent's to do, journal each correction and tell the watcher.

    Returns what then differs from the last commit.
    """
    found = anchored(attempt, bench) + _branch(base, bench)
    changes = status.dirty(bench.workspace.cwd)
    if away := in_their_name.links(changes, before, bench):
        found += [Correction(*one) for one in away]
        changes = status.dirty(bench.workspace.cwd)
    shelf = shelf_of(bench, attempt) / "foreign"
    found += [Correction(*one) for one in in_their_name.orders(unit, before, attempt, bench, shelf)]
    found += _foreign_files(unit, changes, before, bench)
    if before is not None:
        found += _spoilt_plan(unit, changes, before, bench)
        found += _foreign_claims(unit, before, attempt, bench)
        found += _boxes(unit, before, attempt, bench)
    for correction in found:
        tell(correction, attempt, bench)
    return status.dirty(bench.workspace.cwd) if found else changes


def tree_of(bench: Bench) -> Tree:
    """The milestone's home, read afresh."""
    return Snapshot(str(bench.workspace.cwd), bench.workspace.state_dir)


def anchored(attempt: str, bench: Bench) -> list[Correction]:
    """Make git usable in the worktree before it is asked anything there: commands can write its `.git`."""
    place, shelf = bench.workspace, shelf_of(bench, attempt)
    found = []
    if place.isolation == "worktree" and anchor.hold(place.root, place.cwd, shelf):
        found.append(Correction("replaced the worktree's .git; it is back", (), str(shelf.relative_to(place.root))))
    if names := special_files.remove(place.cwd):
        found.append(Correction("made a pipe, socket or device where git reads a file; it was removed", names))
    return found


def _branch(base: str, bench: Bench) -> list[Correction]:
    place = bench.workspace
    # Without isolation the branch is the user's own, and commits on it may be the user's too: they stay.
    if place.isolation == "none":
        return []
    found = put_right_branch(place.cwd, place.branch, base, owner=place.milestone)
    if found is None:
        return []
    what = f"moved the branch by itself ({found.sentence}); HEAD is back and the files are kept"
    return [Correction(what, (), ", ".join(found.pins))]


def _foreign_files(unit: Unit, changes: tuple[Change, ...], before: Before | None, bench: Bench) -> list[Correction]:
    place = bench.workspace
    if place.isolation != "worktree" and before is None:
        return []
    theirs = before.others if before else ()
    paths = tuple(p for p in foreign(changes, unit.milestone, place.state_dir) if p not in theirs)
    # Elsewhere it may be the person who changes the settings meanwhile, and uncommitted ones are a copy of theirs.
    if place.isolation == "worktree" and bench.preferences.git.commit_docs:
        a_persons = {f"{place.state_dir}/{name}" for name in ("preferences.md", "queue-order.json", "captures.md")}
        paths += tuple(c.path for c in changes if c.path.lower() in a_persons)
    if not paths:
        return []
    backup = refs.pin(place.root, place.milestone, "foreign", snapshot(place.cwd))
    take_back(place.cwd, paths)
    return [Correction("wrote files of another milestone, settings or captures; they were taken back", paths, backup)]


def foreign(changes: tuple[Change, ...], milestone: str, state_dir: str) -> tuple[str, ...]:
    """Changed paths in the directories of other milestones and quick tasks; repositories in there are left alone."""
    tops = (f"{state_dir}/milestones/", f"{state_dir}/quick/")
    below = [c.path for c in changes if c.path.startswith(tops) and not c.nested]
    return tuple(p for p in below if work.owner(p.removeprefix(f"{state_dir}/")) != milestone)


def others(bench: Bench) -> tuple[str, ...]:
    """What lies changed in other milestones' directories before a unit; a worktree of our own has nothing there."""
    place = bench.workspace
    if place.isolation == "worktree":
        return ()
    return foreign(status.dirty(place.cwd), place.milestone, place.state_dir)


def _spoilt_plan(unit: Unit, changes: tuple[Change, ...], before: Before, bench: Bench) -> list[Correction]:
    """Undo, where git can, that a unit which does not plan deletes planning files or changes what judges it."""
    place = bench.workspace
    if unit.kind in _PLANNERS:
        return []
    tree = tree_of(bench)
    now = take(tree, unit.milestone)
    gone = {path for path in before.artifacts if path not in now.artifacts}
    judged = {key.split("/")[0] for key, gate in before.gates.items() if now.gates.get(key) != gate}
    gone |= {slice_file(tree, unit.milestone, slice_id, "PLAN") or "" for slice_id in judged}
    gone |= _struck_out(before, now, tree, unit.milestone)
    spoilt = {f"{place.state_dir}/{path}" for path in gone}
    paths = tuple(c.path for c in changes if c.path in spoilt and not c.untracked)
    if not paths:
        return []
    backup = refs.pin(place.root, place.milestone, "plan", snapshot(place.cwd))
    take_back(place.cwd, paths)
    return [
        Correction("deleted planning files, struck out parts or changed a gate; they are as planned", paths, backup)
    ]


def _struck_out(before: Before, now: Before, tree: Tree, milestone: str) -> set[str]:
    """The roadmap or plans from which a slice or a task that was planned is missing."""
    lost = [key.partition("/") for key in before.outline if key not in now.outline]
    slices = {slice_id for slice_id, _, task in lost if not task}
    plans = {slice_id for slice_id, _, task in lost if task} - slices
    found = {slice_file(tree, milestone, slice_id, "PLAN") or "" for slice_id in plans}
    return found | ({milestone_file(tree, milestone, "ROADMAP") or ""} if slices else set())


def _foreign_claims(unit: Unit, before: Before, attempt: str, bench: Bench) -> list[Correction]:
    now = artifacts(tree_of(bench), unit.milestone)
    new = [path for path in now if path not in before.artifacts and not claims.may_claim(path, unit)]
    shelf = shelf_of(bench, attempt) / "foreign"
    for path in new:
        target = shelf / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (bench.workspace.state / path).replace(target)
    what = "wrote what completes another unit, or what a person or the program writes; it was set aside"
    return [Correction(what, tuple(new), str(shelf.relative_to(bench.workspace.root)))] if new else []


def _boxes(unit: Unit, before: Before, attempt: str, bench: Bench) -> list[Correction]:
    place = bench.workspace
    changed = books.restore_boxes(before, tree_of(bench), place.state, place.milestone)
    if _settled_before(attempt, bench):
        # An earlier run was ticking when it died or its commit was refused; nobody else is to be blamed for that box.
        own = unit.id.partition("/")[2]
        changed = tuple(box for box in changed if box != own)
    return [Correction("ticked or unticked boxes; they were put back", changed)] if changed else []


def _settled_before(attempt: str, bench: Bench) -> bool:
    """Whether an earlier run saw the session of this attempt end, and so may have kept its books."""
    events = bench.journal.own()
    return any(isinstance(e, SessionEnded) and e.attempt == attempt and e.run != bench.run for e in events)


def shelf_of(bench: Bench, attempt: str) -> Path:
    """Where an attempt's set-aside files lie, below the project's own state directory."""
    return bench.workspace.root_state / "runtime" / "set-aside" / attempt


def tell(correction: Correction, attempt: str, bench: Bench) -> None:
    """Journal a correction and say it."""
    bench.journal.append(
        Corrected(
            at_ms=bench.now_ms(),
            run=bench.run,
            attempt=attempt,
            what=correction.what,
            paths=correction.paths[:50],
            backup=correction.backup,
        )
    )
    names = ", ".join(correction.paths[:5]) + (" …" if len(correction.paths) > 5 else "")
    bench.watcher.note(f"put right: the agent {correction.what}{f' ({names})' if names else ''}")
