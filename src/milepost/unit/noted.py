"""What a unit's prompt says of captured thoughts: those to be sorted, deferred ones, what made a slice be replanned.

Read from the project's own `CAPTURES.md`, which no worktree has. Source: spec auto 5.15, 5.17.
"""

from milepost.formats import captures
from milepost.formats.captures import Capture
from milepost.formats.tree import Tree, root_file, slice_file
from milepost.model.units import Unit, UnitKind
from milepost.prompts.brief import Extras
from milepost.rules import captures as sorting
from milepost.rules import quick
from milepost.store import notebook
from milepost.store.snapshot import Snapshot
from milepost.unit import neighbours, remembered
from milepost.unit.bench import Bench


def added(extras: Extras, unit: Unit, tree: Tree, bench: Bench) -> Extras:
    """`extras` with what is noted for this unit, and with what it was told to do."""
    told = bench.told
    return extras._replace(
        captures=_captures(unit, tree, bench),
        captures_file=_path(bench),
        others=_others(unit, bench),
        asked=told.asked or _asked(unit, bench),
        artifact=told.artifact,
        memories=remembered.told(bench),
    )


def _captures(unit: Unit, tree: Tree, bench: Bench) -> tuple[str, ...]:
    match unit.kind:
        case UnitKind.TRIAGE_CAPTURES:
            named = frozenset(unit.name.split(","))
            return tuple(_words(e) for e in sorting.pending(_text(bench)) if e.id in named)
        case UnitKind.REASSESS_ROADMAP:
            return tuple(_words(entry) for entry in sorting.deferred(_text(bench)))
        case UnitKind.REPLAN_SLICE:
            path = slice_file(tree, unit.milestone, unit.slice or "", "REPLAN-TRIGGER")
            trigger = (tree.text(path) if path else None) or ""
            return tuple(_words(e) for e in captures.parse(_text(bench)) if e.id in trigger)
        case _:
            return ()


def _others(unit: Unit, bench: Bench) -> tuple[str, ...]:
    if unit.kind is not UnitKind.TRIAGE_CAPTURES:
        return ()
    return tuple(f"{entry.id} ({entry.title})" for entry in neighbours.open_besides(unit.milestone, bench))


def _asked(unit: Unit, bench: Bench) -> str:
    if unit.kind is not UnitKind.QUICK_TASK:
        return wish(unit, bench)
    entry = capture_of(unit, bench)
    return "\n\n".join(part for part in (entry.text, entry.resolution) if part) if entry else ""


def wish(unit: Unit, bench: Bench) -> str:
    """What a quick task was to do, in a person's words; empty for any other unit."""
    if unit.kind is UnitKind.QUICK:
        return quick.wish(bench.journal.own(), unit.id)
    entry = capture_of(unit, bench) if unit.kind is UnitKind.QUICK_TASK else None
    return entry.text if entry else ""


def capture_of(unit: Unit, bench: Bench) -> Capture | None:
    """The capture that a quick task is for; None when it is gone from the file."""
    wanted = unit.id.rpartition("/")[2]
    return next((entry for entry in captures.parse(_text(bench)) if entry.id == wanted), None)


def _words(entry: Capture) -> str:
    more = f" ({entry.resolution})" if entry.resolution else ""
    return f"{entry.id}, {entry.captured}: {entry.text}{more}"


def _text(bench: Bench) -> str:
    return notebook.text(bench.workspace.root_state, notebook.CAPTURES)


def _path(bench: Bench) -> str:
    state = bench.workspace.root_state
    tree = Snapshot(str(state.parent), state.name, homes={})
    return str(state / (root_file(tree, notebook.CAPTURES) or "CAPTURES.md"))
