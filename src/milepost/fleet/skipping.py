"""`gsd skip`: a task, a slice or another unit that a person does not want done; and taking that back.

The record lies where the work would have left its own, so that derivation, GSD and the sessions that come after all
read the same. Source: spec auto 7 (skip), 8.15.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import by_hand
from milepost.fleet.site import Site
from milepost.formats import plan, roadmap, skipped
from milepost.formats.journal import AttemptEnded, Result, UnitSkipped
from milepost.formats.tree import Tree, milestone_file, read, slice_file
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.rules._derive_slice import blockers
from milepost.rules.attempts import open_attempts
from milepost.rules.targets import Target
from milepost.unit import before
from milepost.unit.unsettled import require_settled

_VERDICTS: Final[Mapping[UnitKind, str]] = {UnitKind.RUN_UAT: "PASS", UnitKind.VALIDATE_MILESTONE: "pass"}
_DOCUMENTS: Final = frozenset(
    {
        UnitKind.RESEARCH_MILESTONE, UnitKind.RESEARCH_SLICE, UnitKind.REASSESS_ROADMAP, UnitKind.REPLAN_SLICE,
        *_VERDICTS,
    }
)  # fmt: skip
"""Kinds whose only trace is a document."""


class CannotSkip(MilepostError):
    """There is nothing to skip, or nothing that may be; nothing was written."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What was done."""

    unit: Unit
    path: str
    """The record, from the project's root."""
    dependents: tuple[str, ...] = ()
    """Open slices that are planned to build on it."""


def skip(target: Target, reason: str, site: Site) -> Skipped:
    """Write the record. Raises CannotSkip, NotSettled, LeaseHeld, NotHere."""
    with by_hand.desk(target.milestone, site, f"skip {target.id}") as desk:
        tree, unit = desk.tree, _unit(target)
        path = done.artifact(unit, tree) or ""
        _require_open(unit, path, tree, site)
        _close(unit, desk)
        texts = {path: _record(unit, reason, tree), **_box(unit, tree, done_=True)}
        desk.write(texts, f"chore({unit.id}): skipped by a person\n\nGSD-Skip: {unit}\n")
        _note(unit, reason, site, taken_back=False)
        return Skipped(
            unit=unit, path=str((desk.state / path).relative_to(site.root)), dependents=_dependents(unit, tree)
        )


def take_back(target: Target, site: Site) -> Skipped:
    """Remove the record, so that the work is due again. Raises CannotSkip, LeaseHeld, NotHere."""
    with by_hand.desk(target.milestone, site, f"skip {target.id} --undo") as desk:
        tree, unit = desk.tree, _unit(target)
        path = done.artifact(unit, tree) or ""
        if not skipped.is_skipped(read(tree, path)):
            raise CannotSkip(f"{unit.id} was not skipped, so there is nothing to take back", hint="gsd status")
        texts = {path: None, **_box(unit, tree, done_=False)}
        desk.write(texts, f"chore({unit.id}): not skipped any more\n\nGSD-Skip: {unit}\n")
        _note(unit, "", site, taken_back=True)
        return Skipped(unit=unit, path=str((desk.state / path).relative_to(site.root)))


def _unit(target: Target) -> Unit:
    if target.unit is not None and target.kind in _DOCUMENTS:
        return target.unit
    if target.kind in (None, UnitKind.EXECUTE_TASK) and target.task:
        return Unit(UnitKind.EXECUTE_TASK, target.id)
    if target.kind in (None, UnitKind.PLAN_SLICE, UnitKind.COMPLETE_SLICE) and target.slice and not target.task:
        return Unit(UnitKind.COMPLETE_SLICE, target.id)
    if not target.slice:
        raise CannotSkip(f"{target} cannot be skipped: it is a milestone", hint=f"gsd park {target.milestone}")
    raise CannotSkip(f"{target} cannot be skipped", hint="A task, a slice, research, reassess, uat or validate can.")


def _require_open(unit: Unit, path: str, tree: Tree, site: Site) -> None:
    mid, sid = unit.milestone, unit.slice or ""
    slices = roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
    if sid and sid not in {entry.id for entry in slices}:
        raise CannotSkip(f"{mid} has no slice {sid}", hint="gsd status")
    if unit.task and unit.task not in {t.id for t in plan.tasks(read(tree, slice_file(tree, mid, sid, "PLAN")))}:
        raise CannotSkip(f"{mid}/{sid} has no task {unit.task}", hint="gsd status")
    if skipped.is_skipped(read(tree, path)):
        raise CannotSkip(f"{unit.id} is skipped already", hint=f"To take that back: gsd skip {unit.id} --undo")
    if done.settled(unit, tree):
        require_settled(site.journal(mid).own(), unit.id)
        raise CannotSkip(f"{unit} is done already", hint=f"gsd undo {unit.id} takes it back out.")


def _record(unit: Unit, reason: str, tree: Tree) -> str:
    mid, sid = unit.milestone, unit.slice or ""
    path = tuple(unit.id.split("/"))
    slices = roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
    tasks = plan.tasks(read(tree, slice_file(tree, mid, sid, "PLAN"))) if sid else ()
    listed = tasks if unit.task else slices if sid else ()
    title = next((entry.title for entry in listed if entry.id == path[-1]), str(unit.kind))
    answers = tuple(blockers(tree, mid, sid, [task.id for task in tasks])) if unit.kind is UnitKind.REPLAN_SLICE else ()
    return skipped.render(path, title, reason, verdict=_VERDICTS.get(unit.kind, ""), answers=answers)


def _box(unit: Unit, tree: Tree, *, done_: bool) -> dict[str, str | None]:
    """The file that has the unit's box, with the box set; empty when it has none."""
    mid, sid = unit.milestone, unit.slice or ""
    if unit.kind is UnitKind.EXECUTE_TASK and (path := slice_file(tree, mid, sid, "PLAN")):
        edit = plan.tick if done_ else plan.untick
        return {path: edit(tree.text(path) or "", unit.task or "")}
    if unit.kind is UnitKind.COMPLETE_SLICE and (path := milestone_file(tree, mid, "ROADMAP")):
        turn = roadmap.tick if done_ else roadmap.untick
        return {path: turn(tree.text(path) or "", sid)}
    return {}


def _dependents(unit: Unit, tree: Tree) -> tuple[str, ...]:
    if unit.kind is not UnitKind.COMPLETE_SLICE:
        return ()
    slices = roadmap.slices(read(tree, milestone_file(tree, unit.milestone, "ROADMAP")))
    return tuple(entry.id for entry in slices if unit.slice in entry.depends and not entry.done)


def _close(unit: Unit, desk: by_hand.Desk) -> None:
    """An attempt that waits to be settled (its gate broke) is given up: settling would take the record for its own."""
    journal = desk.site.journal(unit.milestone)
    for started in open_attempts(journal.own()):
        if started.unit == unit.id or started.unit.startswith(f"{unit.id}/"):
            journal.append(
                AttemptEnded(
                    at_ms=desk.site.now_ms(), run=desk.site.run, attempt=started.attempt, result=Result.INTERRUPTED,
                    reason="skipped by a person",
                )
            )  # fmt: skip
            before.drop(desk.site.state, started.attempt)


def _note(unit: Unit, reason: str, site: Site, *, taken_back: bool) -> None:
    site.journal(unit.milestone).append(
        UnitSkipped(
            at_ms=site.now_ms(), run=site.run, kind=str(unit.kind), unit=unit.id, reason=reason, taken_back=taken_back
        )
    )
