"""Planning files that git does not carry, because the project ignores its state directory.

They are copied into a new worktree once, and the milestone's own come back when it lands: while the worktree is
there, it is their only home. Source: DESIGN rule 1, spec auto 1.3 (commit_docs), in-the-wild (ignored `.gsd`).
"""

import shutil
from pathlib import Path

from milepost.git.ignored import ignored
from milepost.git.run import git, raw
from milepost.model import work
from milepost.model.ids import milestone_of_directory
from milepost.rules import staging
from milepost.rules.merging import Side, side
from milepost.store import atomic
from milepost.worker.shift import Shift


def needed(milestone: str, shift: Shift) -> bool:
    """Whether the milestone's planning files travel by copying."""
    # A name that nothing has: of an ignored directory some files may be tracked, and new ones still are not.
    home = work.home(milestone) if work.is_quick(milestone) else f"milestones/{milestone}"
    probe = f"{shift.state_dir}/{home}/x.md"
    return not shift.preferences.git.commit_docs or ignored(shift.root, probe)


def bring_in(milestone: str, worktree: Path, shift: Shift) -> None:
    """Copy what the milestone needs into its worktree. A file that is there already is newer and stays."""
    if not needed(milestone, shift):
        return
    for relative in _documents(shift.state, milestone):
        data = (shift.state / relative).read_bytes()
        base, place = _bases(milestone, shift) / relative, worktree / shift.state_dir / relative
        if not base.exists():
            atomic.replace(base, data)
        if not place.exists():
            atomic.replace(place, data, within=worktree)


def forget(milestone: str, shift: Shift) -> None:
    """Drop what is remembered of an earlier worktree of the milestone."""
    shutil.rmtree(_bases(milestone, shift), ignore_errors=True)


def bring_back(milestone: str, worktree: Path, shift: Shift) -> tuple[str, ...]:
    """Copy the milestone's own files and the registers back to the project; the paths that changed.

    What a person changed there meanwhile stays: registers get the lines of both, and of the milestone's own files,
    whose home is the worktree, the person's version is set aside. Settings are never brought back.
    """
    if not needed(milestone, shift):
        return ()
    changed = []
    for relative in _documents(worktree / shift.state_dir, milestone):
        how = side(f"{shift.state_dir}/{relative}", mid=milestone, state_dir=shift.state_dir)
        if how in (Side.MILESTONE, Side.UNION) and _back(relative, how, milestone, worktree, shift):
            changed.append(relative)
        _alike(relative, worktree, shift)
    return tuple(changed)


def _alike(relative: str, worktree: Path, shift: Shift) -> None:
    """Let the worktree's copy be the project's, so that whoever removes it sees that nothing of it is only there."""
    settled, copy = _bytes(shift.state / relative), worktree / shift.state_dir / relative
    if settled is not None and settled != copy.read_bytes():
        atomic.replace(copy, settled, within=worktree)


def _back(relative: str, how: Side, milestone: str, worktree: Path, shift: Shift) -> bool:
    """Bring one file back; whether the project's changed."""
    source, place, base = (
        worktree / shift.state_dir / relative,
        shift.state / relative,
        _bases(milestone, shift) / relative,
    )
    theirs, ours, before = source.read_bytes(), _bytes(place), _bytes(base)
    if theirs in (before, ours):
        return False
    new = theirs
    if ours is not None and ours != before:
        aside = shift.state / "runtime" / "set-aside" / f"{milestone}-home" / relative
        atomic.replace(aside, ours)
        if how is Side.UNION and before is not None:
            union = git(shift.root, "merge-file", "-p", "--union", str(place), str(base), str(source))
            new = raw(union.out)
        shift.watcher.note(f"{relative} was changed here and by {milestone}; yours is kept in {aside}")
    atomic.replace(place, new)
    # A landing that is killed here and done again finds that this file is back.
    atomic.replace(base, theirs)
    return True


def _bases(milestone: str, shift: Shift) -> Path:
    """Where the files are kept as they were when they were brought in."""
    return shift.state / "runtime" / "places" / f"{milestone}.base"


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _documents(state: Path, milestone: str) -> list[str]:
    """Paths below a state directory that the milestone's units read or write."""
    home = state.resolve()
    found = [path for path in state.glob("*.md") if path.is_file()]
    for top in sorted((state / "milestones").glob("*")):
        if milestone_of_directory(top.name) == milestone:
            found += [path for path in sorted(top.rglob("*")) if path.is_file()]
    own = state / work.home(milestone) if work.is_quick(milestone) else None
    found += [path for path in sorted(own.rglob("*")) if path.is_file()] if own else []
    # A link that leads out of the state directory is not followed, here as in reading.
    inside = [str(path.relative_to(state)) for path in found if path.resolve().is_relative_to(home)]
    return [path for path in inside if not _runtime(path)]


def _runtime(path: str) -> bool:
    return staging.is_runtime(path)
