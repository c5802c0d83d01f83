"""What a parallel worker does with its branch between units, and with what it leaves when it is stopped.

Work in progress of a unit that was cut short is pinned under `refs/gsd/backup/<MID>/`, beside staying in the worktree.
A finished slice that is to be merged on its own is announced. Each looks at git and the journal anew, so a step that a
kill cut short is done at the next boundary. Source: issue "Signals", parallel PR-064, DESIGN rule 7, section 7.
"""

from collections.abc import Iterator

from milepost.errors import FormatError, MilepostError
from milepost.formats import roadmap
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, SliceReady
from milepost.formats.tree import milestone_file, read
from milepost.git import refs, status
from milepost.git.snapshots import snapshot
from milepost.model.units import UnitKind
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of

STOPPED = "stopped"
"""Label of the backup of work that a stop cut short."""


def keep_work(bench: Bench) -> None:
    """Pin what the worktree holds uncommitted; nothing moves. A failure is said, since the files are still there."""
    place = bench.workspace
    try:
        if not status.dirty(place.cwd):
            return
        kept = refs.pin(
            place.root, place.milestone, STOPPED, snapshot(place.cwd, "work in progress when it was stopped")
        )
    except MilepostError as error:
        bench.watcher.note(f"the work in progress could not be pinned, and lies in {place.cwd}: {error}")
        return
    bench.watcher.note(f"the work in progress is kept in the worktree and as {kept}")


def announce_slices(bench: Bench) -> None:
    """Say which finished slices may be merged on their own; the last goes with the milestone."""
    if bench.preferences.parallel.merge_strategy != "per-slice":
        return
    ready = tuple(_unannounced(bench.journal.own()))
    if not ready or not _more_to_come(bench):
        return
    for slice_id, commit in ready:
        bench.journal.append(
            SliceReady(
                at_ms=bench.now_ms(),
                run=bench.run,
                milestone=bench.workspace.milestone,
                slice=slice_id,
                commit=commit,
            )
        )


def _unannounced(events: tuple[AnyEvent, ...]) -> Iterator[tuple[str, str]]:
    """Slices whose completion is committed and was not announced, with that commit."""
    begun: dict[str, str] = {}
    done: dict[str, str] = {}
    for event in events:
        match event:
            case AttemptStarted(kind=UnitKind.COMPLETE_SLICE):
                begun[event.attempt] = event.unit.partition("/")[2]
            case AttemptEnded(result=Result.COMMITTED) if event.attempt in begun:
                done[begun[event.attempt]] = event.commit
            case SliceReady():
                done.pop(event.slice, None)
            case _:
                pass
    yield from done.items()


def _more_to_come(bench: Bench) -> bool:
    tree = tree_of(bench)
    try:
        found = roadmap.parse(read(tree, milestone_file(tree, bench.workspace.milestone, "ROADMAP")))
    except FormatError:
        return False  # The loop says so.
    return any(not part.done for part in found.slices)
