"""A run that is for a discussion: the unit comes first, whatever the plan says, and once.

What the discussion split off as milestones of its own is written down as drafts: level-triggered, since a kill may
come between the unit's commit and that. Source: spec auto 4.1 (rules 5 and 6), 5.2, 7 (discuss, new-milestone).
"""

from milepost.errors import ExitCode
from milepost.formats import later
from milepost.formats.journal import AttemptEnded, AttemptStarted, MilestoneAdded, Result
from milepost.formats.tree import milestone_file, read
from milepost.git import refs
from milepost.git.status import dirty
from milepost.model.outcome import Committed, Outcome
from milepost.model.units import Unit, UnitKind
from milepost.rules.dispatch import Dispatch
from milepost.store.snapshot import Snapshot
from milepost.unit.bench import Bench
from milepost.worker import adding, bringing, places
from milepost.worker.shift import Ending, Shift

KINDS = frozenset({UnitKind.DISCUSS_MILESTONE, UnitKind.DISCUSS_SLICE})


def due(shift: Shift) -> Dispatch | Ending | None:
    """The discussion that this run is for, or its end when it was held; None: the plan says what comes next."""
    unit = shift.discuss
    if unit is None:
        return None
    if not _held(unit, shift):
        return Dispatch(unit, "discussion-was-asked-for")
    onward = "gsd auto works it through." if unit.kind in KINDS else "gsd auto goes on with the plan."
    return None if shift.goes_on else Ending(ExitCode.DONE, ready(unit), onward)


def comes_first(shift: Shift) -> bool:
    """Whether this run is for a discussion that was not held yet."""
    return shift.discuss is not None and shift.discuss.kind in KINDS and isinstance(due(shift), Dispatch)


def ready(unit: Unit) -> str:
    """What is said when a discussion was held, or another unit that was asked for is done."""
    if unit.kind not in KINDS:
        return f"{unit} is done."
    return f"{unit.id} is discussed." if unit.slice else f"Milestone {unit.milestone} ready."


def _held(unit: Unit, shift: Shift) -> bool:
    """Whether this very run has committed it: what another run held is held again, when somebody asks for it."""
    attempts = set[str]()
    for event in shift.journal(unit.milestone).own():
        match event:
            case AttemptStarted(attempt=attempt) if (event.kind, event.unit) == (unit.kind, unit.id):
                attempts.add(attempt)
            case AttemptEnded(result=Result.COMMITTED) if event.attempt in attempts and event.run == shift.run:
                return True
            case _:
                pass
    return False


def after(unit: Unit, outcome: Outcome, shift: Shift) -> None:
    """A discussion has just been committed: write down what it split off, and say that the milestone is ready."""
    if unit.kind in KINDS and isinstance(outcome, Committed):
        split_off(unit.milestone, shift)
        if shift.goes_on:
            shift.watcher.note(ready(unit))


def still_fit(unit: Unit, benches: dict[str, Bench]) -> dict[str, Bench]:
    """The places that are ready for what comes after the unit: none after a discussion, which waits for no set-up."""
    return {} if unit.kind in KINDS else benches


def split_off(milestone: str, shift: Shift) -> None:
    """Give every milestone that the discussion found beside this one an id and a draft, each once."""
    home = Snapshot(str(shift.root), shift.state_dir)
    wanted = later.parse(read(home, milestone_file(home, milestone, "LATER")), milestone)
    if not wanted or shift.lock is not None:
        return
    site = adding.site(shift)
    told = (e for e in shift.journal("project").own() if isinstance(e, MilestoneAdded))
    known = {e.title: e.milestone for e in told if e.split_from == milestone}
    made = list[str]()
    for entry in wanted:
        if entry.title in known:
            continue
        needs = tuple(known.get(name, name) for name in entry.needs if name in known or name == milestone)
        wish = adding.Wish(entry.text, entry.title, needs, split_from=milestone)
        known[entry.title] = adding.add(wish, site)
        made.append(known[entry.title])
        shift.watcher.note(f"{made[-1]} is to come: {entry.title} (a draft; gsd discuss {made[-1]})")
    paths = [f"milestones/{mid}/{mid}-{adding.DRAFT}.md" for mid in made]
    if why := adding.commit(paths, f"docs: queue {', '.join(made)}\n", site):
        shift.watcher.note(f"the new drafts are not committed: {why}")


def catch_up(bench: Bench, shift: Shift) -> None:
    """A milestone that was only discussed so far has a worktree as old as that: what landed since is brought in."""
    place = bench.workspace
    if place.isolation != "worktree" or shift.lock is not None or dirty(place.cwd):
        return
    begun = [e.kind for e in bench.journal.own() if isinstance(e, AttemptStarted)]
    if not begun or any(kind not in KINDS for kind in begun):
        return
    target = places.target_of(place.milestone, shift)
    tip = refs.branch_tip(place.root, target)
    if tip and not refs.is_ancestor(place.root, tip, bringing.tip(place)):
        bringing.take_in(tip, target, target, bench)
