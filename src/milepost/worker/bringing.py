"""What a parallel worker does with its branch between units, and with what it leaves when it is stopped.

The target, or the landing of a slice of its own, is merged into the milestone's branch, in its worktree; what does not
fit is said and changes nothing. A finished slice that is to be merged on its own is announced. Work in progress of a
unit that was cut short is pinned under `refs/gsd/backup/<MID>/`, beside staying in the worktree. Each looks at git and
the journal anew, so a step that a kill cut short is done at the next boundary.
Source: issue "Signals", parallel PR-064, PR-303, section 7; DESIGN rule 7.
"""

from collections.abc import Iterable, Iterator

from milepost.errors import ExitCode, FormatError, MilepostError
from milepost.formats import roadmap
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BroughtIn,
    Result,
    SliceLanded,
    SliceReady,
)
from milepost.formats.tree import milestone_file, read
from milepost.git import bring_in, refs, repo, resume_merge, status
from milepost.git import bringing as half_done
from milepost.git.snapshots import snapshot
from milepost.model.units import UnitKind
from milepost.unit.bench import Bench, Workspace
from milepost.unit.put_right import tree_of

STOPPED = "stopped"
"""Label of the backup of work that a stop cut short."""
BEFORE = "before-bring-in"
"""Label of the backup of a branch that something is merged into."""


class HalfMerged(MilepostError):
    """A merge is half done in the milestone's worktree, and a person is at it; no unit may start there."""

    exit_code = ExitCode.BLOCKED


def settle(place: Workspace, events: Iterable[AnyEvent]) -> None:
    """Finish a merge that a killed run was in the middle of. Raises HalfMerged for one that a person is to resolve.

    events: the milestone's own journal. What an agent had begun is the next attempt's to deal with.
    """
    resume_merge.resume(half_done.place(place.cwd, place.branch))
    if repo.in_progress(place.cwd) == "merge" and not _left_by_an_agent(events):
        raise HalfMerged(
            f"{place.cwd}: a merge is half done there",
            hint=f"Resolve it and git -C {place.cwd} commit, or: git -C {place.cwd} merge --abort",
        )


def _left_by_an_agent(events: Iterable[AnyEvent]) -> bool:
    """Whether the last attempt did not come to a good end: whatever is there may be its."""
    last: Result | None = Result.COMMITTED
    for event in events:
        match event:
            case AttemptStarted():
                last = None
            case AttemptEnded(result=result):
                last = result
            case _:
                pass
    return last is not Result.COMMITTED


def take_in(onto: str, called: str, target: str, bench: Bench) -> bool | None:
    """Merge the commit `onto` into the branch; whether the branch moved. None: only when the worktree is clean.

    called: what people call it. What does not fit is journaled and said, and nothing is changed.
    """
    place = bench.workspace
    refs.pin(place.root, place.milestone, BEFORE, tip(place))
    try:
        found = bring_in.begin(
            place.root,
            place.cwd,
            place.branch,
            onto,
            mid=place.milestone,
            state_dir=place.state_dir,
            generated=bench.preferences.parallel.generated_files,
            target=called,
            commit_docs=bench.preferences.git.commit_docs,
        )
    except bring_in.NotClean:
        return None  # What an attempt that failed has left there is the next one's to go on from.
    except MilepostError as error:
        bench.watcher.note(f"{called} could not be brought into {place.branch}: {error}")
        return False
    if isinstance(found, bring_in.Unfit):
        conflicts = tuple(conflict.path for conflict in found.conflicts)
        _book(target, "", conflicts, bench)
        bench.watcher.note(f"{called} does not fit {place.branch}, nothing was changed: {', '.join(conflicts)}")
        return False
    _book(target, found.commit or "", (), bench)
    bench.watcher.note(f"{called} is in {place.branch}" + ("" if found.commit else " already"))
    for settled in found.resolved:
        if settled.conflicted:
            bench.watcher.note(f"resolved {settled}")
    return found.commit is not None


def tip(place: Workspace) -> str:
    """The branch's last commit."""
    return refs.branch_tip(place.root, place.branch) or ""


def links(bench: Bench) -> Iterator[SliceLanded]:
    """Landings of slices of this milestone that its branch has not taken up, oldest first."""
    place = bench.workspace
    for event in bench.journal.everything():
        if isinstance(event, SliceLanded) and event.milestone == place.milestone:
            known = refs.resolve(place.root, event.link) is not None
            if known and not refs.is_ancestor(place.root, event.link, f"refs/heads/{place.branch}"):
                yield event


def _book(target: str, commit: str, conflicts: tuple[str, ...], bench: Bench) -> None:
    bench.journal.append(
        BroughtIn(
            at_ms=bench.now_ms(),
            run=bench.run,
            milestone=bench.workspace.milestone,
            target=target,
            commit=commit,
            conflicts=conflicts,
        )
    )


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
