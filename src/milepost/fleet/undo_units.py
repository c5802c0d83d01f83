"""`gsd undo M001/S01/T02`: units of a milestone that was not merged taken back: code, boxes and summaries.

    worktree   in the milestone's own, which nobody else writes to
    branch     on milestone/M001, in the user's checkout
    none       on the branch that the user stands on, where their own commits lie between those of units

What was completed on top of them (the slice, its test, the milestone) goes with them. The plan says that they are
open again, and their attempts are counted afresh. Source: spec auto 7 (undo), DESIGN rules 6 and 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import by_hand
from milepost.fleet.site import Site
from milepost.formats import plan, roadmap
from milepost.formats.journal import CapReset, UnitsUndone
from milepost.formats.tree import milestone_file, slice_file
from milepost.git import refs, repo, status, undo, undo_units
from milepost.git.undo_units import Made, Without
from milepost.model.units import Unit, UnitKind, of_type
from milepost.rules import done
from milepost.rules.targets import Target
from milepost.store import atomic
from milepost.unit.unsettled import require_settled
from milepost.worker import places

_OF_MILESTONE: Final = (UnitKind.VALIDATE_MILESTONE, UnitKind.COMPLETE_MILESTONE)
_OF_SLICE: Final = (UnitKind.COMPLETE_SLICE, UnitKind.RUN_UAT)
_CLAIMS: Final = frozenset({UnitKind.EXECUTE_TASK, UnitKind.REASSESS_ROADMAP, *_OF_SLICE, *_OF_MILESTONE})
"""Kinds whose document says that they are done."""
_NAMED: Final = 5
"""So many files are named in a sentence."""


class CannotUndo(MilepostError):
    """The units stay as they are; nothing was touched."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be taken back."""

    target: str
    milestone: str
    made: tuple[Made, ...]
    """Newest first."""
    found: Without
    tree: str
    """What the branch will be, plan included; of no use when something conflicts."""
    outside: Mapping[str, str | None]
    """Files of the plan that git does not keep, as they will be, by path below the state directory."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units, each once."""
        return tuple(dict.fromkeys(_unit(one) for one in self.made))


def look(target: Target | None, site: Site) -> Plan:
    """What an undo would take back; target None: the last unit. Raises CannotUndo, NotSettled, NotHere."""
    milestone = target.milestone if target else _latest(site)
    require_settled(site.journal(milestone).own())
    desk = by_hand.find(milestone, site)
    known = _known(desk)
    chosen = _chosen(target, known)
    if not chosen:
        raise CannotUndo(
            f"{target or milestone} has no commit on {desk.branch} that could be taken back",
            hint=f"git log --all --grep='GSD-Unit: .* {milestone}' shows where its commits are",
        )
    commits = [one.commit for one in chosen]
    generated = site.preferences.parallel.generated_files
    tip = refs.branch_tip(site.root, desk.branch) or ""
    found = undo_units.without(desk.cwd, tip, commits, state_dir=site.state_dir, generated=generated)
    name = str(target or _unit(chosen[0]).id)
    return _with_books(Plan(target=name, milestone=milestone, made=chosen, found=found, tree="", outside={}), desk)


def carry_out(target: Target | None, site: Site) -> tuple[Plan, str]:
    """Take it back; the plan and the commit. Raises as `look`, or LeaseHeld, InTheWay, CommitRefused."""
    milestone = target.milestone if target else _latest(site)
    with by_hand.desk(milestone, site, f"undo {target or milestone}") as desk:
        wanted = look(target, site)
        if wanted.found.conflicts:
            files = ", ".join(conflict.path for conflict in wanted.found.conflicts)
            raise CannotUndo(
                f"{wanted.target} stays: later work stands on it in {files}", hint="Undo what came later first."
            )
        _require_free(wanted, desk)
        _set_aside(wanted, desk)
        commits = [one.commit for one in wanted.made]
        new = undo_units.commit(desk.cwd, milestone, wanted.found, wanted.tree, commits, what=wanted.target)
        desk.write(wanted.outside, "")
        _note(wanted, new, site)
        return wanted, new


def _latest(site: Site) -> str:
    """The milestone of the last unit: where all share a branch that of its last commit, else the active one."""
    branch = repo.head_of(site.root).branch
    if branch and site.preferences.git.isolation == "none" and (known := undo_units.made(site.root, "", branch)):
        return _unit(known[0]).milestone
    state = by_hand.state_of(site)
    found = state.active_milestone or state.last_completed_milestone
    if found is None:
        raise CannotUndo("no milestone was begun", hint="gsd status")
    return found.id


def _known(desk: by_hand.Desk) -> tuple[Made, ...]:
    """The commits of the milestone's units that may be taken back. Raises CannotUndo."""
    site, milestone = desk.site, desk.milestone
    if not desk.branch:
        raise CannotUndo(f"{desk.cwd} is on no branch", hint="git switch to the branch of the work, then undo")
    base = ""
    if desk.branch == f"milestone/{milestone}":
        tip = refs.branch_tip(site.root, desk.branch) or ""
        base = refs.merge_base(site.root, places.target_of(milestone, site.shift()), tip) or ""
    elif undo.landed_commits(site.root, milestone, desk.branch):
        raise CannotUndo(
            f"{milestone} is merged into {desk.branch}", hint=f"gsd undo milestone {milestone} takes it out, whole"
        )
    return tuple(one for one in undo_units.made(desk.cwd, base, desk.branch) if _unit(one).milestone == milestone)


def _require_free(wanted: Plan, desk: by_hand.Desk) -> None:
    """Nothing of anybody's may lie where files change; in a worktree of our own, nothing uncommitted may lie at all."""
    if desk.own:
        if changes := status.dirty(desk.cwd):
            raise CannotUndo(
                f"{desk.cwd} has changes that are not committed: {changes[0].path}",
                hint="gsd auto settles what a session left; commit or remove anything else",
            )
        return
    if blocked := undo_units.in_the_way(desk.cwd, wanted.found, wanted.tree):
        named = ", ".join(str(one) for one in blocked[:_NAMED]) + (" …" if len(blocked) > _NAMED else "")
        raise CannotUndo(
            f"{wanted.target} stays: your checkout has changes where files would change: {named}",
            hint=f"Commit them or move them away, then: gsd undo {wanted.target} --force",
        )


def _chosen(target: Target | None, known: tuple[Made, ...]) -> tuple[Made, ...]:
    """The commits of the target, and of what was completed on top of them; newest first."""
    if target is None:
        own = [one for one in known if _unit(one) == _unit(known[0])]
    else:
        own = [one for one in known if target.holds(_unit(one))]
    if not own:
        return ()
    last = known.index(own[-1])
    slices = {_unit(one).slice for one in own if _unit(one).kind in (UnitKind.EXECUTE_TASK, *_OF_SLICE)}
    return tuple(one for n, one in enumerate(known) if one in own or (n < last and _on_top(_unit(one), slices)))


def _on_top(unit: Unit, slices: set[str | None]) -> bool:
    return bool(slices) and (unit.kind in _OF_MILESTONE or (unit.kind in _OF_SLICE and unit.slice in slices))


def _unit(made: Made) -> Unit:
    type_, _, path = made.unit.partition(" ")
    return of_type(type_, path)


def _with_books(wanted: Plan, desk: by_hand.Desk) -> Plan:
    """The plan with boxes that would still be ticked, and documents that would still say done, set right."""
    if wanted.found.conflicts:
        return wanted
    texts = _books(wanted, desk)
    if not desk.site.preferences.git.commit_docs:
        return replace(wanted, tree=wanted.found.tree, outside=texts)
    inside = {f"{desk.site.state_dir}/{path}": text for path, text in texts.items()}
    return replace(wanted, tree=undo_units.with_files(desk.cwd, wanted.found.tree, inside))


def _books(wanted: Plan, desk: by_hand.Desk) -> dict[str, str | None]:
    """Boxes that would still be ticked and documents that would still say done, by path below the state directory."""
    texts: dict[str, str | None] = {}
    for claim in _claims(wanted, desk):
        if _left(claim, wanted, desk) is not None:
            texts[claim] = None
    for unit in wanted.units:
        path = _list_of(unit, desk)
        text = (texts[path] if path in texts else _left(path, wanted, desk)) if path else None
        if text and (new := _unticked(unit, text)) != text:
            texts[path or ""] = new
    return texts


def _claims(wanted: Plan, desk: by_hand.Desk) -> list[str]:
    """The documents by which the units count as done."""
    tree = desk.tree
    paths = (done.artifact(unit, tree) for unit in wanted.units if unit.kind in _CLAIMS)
    return [path for path in paths if path]


def _left(path: str, wanted: Plan, desk: by_hand.Desk) -> str | None:
    """A file as it would be without the commits; one that is not in git is as it is."""
    if not desk.site.preferences.git.commit_docs:
        return desk.tree.text(path)
    return undo_units.text_in(desk.cwd, wanted.found.tree, f"{desk.site.state_dir}/{path}")


def _list_of(unit: Unit, desk: by_hand.Desk) -> str | None:
    """Where the unit's box is."""
    if unit.kind is UnitKind.EXECUTE_TASK:
        return slice_file(desk.tree, unit.milestone, unit.slice or "", "PLAN")
    return milestone_file(desk.tree, unit.milestone, "ROADMAP") if unit.kind is UnitKind.COMPLETE_SLICE else None


def _unticked(unit: Unit, text: str) -> str:
    if unit.kind is UnitKind.EXECUTE_TASK:
        listed = any(task.id == unit.task for task in plan.tasks(text))
        return plan.untick(text, unit.task or "") if listed else text
    listed = any(entry.id == unit.slice for entry in roadmap.slices(text))
    return roadmap.untick(text, unit.slice or "") if listed else text


def _set_aside(wanted: Plan, desk: by_hand.Desk) -> None:
    """Keep what the units wrote of themselves."""
    shelf = desk.site.state / "runtime" / "set-aside" / f"undo-{desk.site.run}"
    for path in _claims(wanted, desk):
        source = desk.state / path
        if source.is_file():
            (shelf / path).parent.mkdir(parents=True, exist_ok=True)
            atomic.replace(shelf / path, source.read_bytes())


def _note(wanted: Plan, commit: str, site: Site) -> None:
    journal = site.journal(wanted.milestone)
    keys = tuple(unit.key for unit in wanted.units)
    commits = tuple(one.commit for one in wanted.made)
    journal.append(UnitsUndone(at_ms=site.now_ms(), run=site.run, units=keys, commits=commits, commit=commit))
    for key in keys:
        journal.append(CapReset(at_ms=site.now_ms(), run=site.run, unit=key))
