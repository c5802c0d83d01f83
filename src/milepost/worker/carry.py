"""Planning files that git does not carry, because the project ignores its state directory.

They are copied into a new worktree once, and the milestone's own come back when it lands: while the worktree is
there, it is their only home. Source: DESIGN rule 1, spec auto 1.3 (commit_docs), in-the-wild (ignored `.gsd`).
"""

from pathlib import Path

from milepost.git.ignored import ignored
from milepost.model.ids import milestone_of_directory
from milepost.rules import staging
from milepost.store import atomic
from milepost.worker.shift import Shift


def needed(milestone: str, shift: Shift) -> bool:
    """Whether the milestone's planning files travel by copying."""
    probe = f"{shift.state_dir}/milestones/{milestone}/{milestone}-ROADMAP.md"
    return not shift.preferences.git.commit_docs or ignored(shift.root, probe)


def bring_in(milestone: str, worktree: Path, shift: Shift) -> None:
    """Copy what the milestone needs into its worktree. A file that is there already is newer and stays."""
    if not needed(milestone, shift):
        return
    for relative in _documents(shift.state, milestone):
        place = worktree / shift.state_dir / relative
        if not place.exists():
            atomic.replace(place, (shift.state / relative).read_bytes())


def bring_back(milestone: str, worktree: Path, shift: Shift) -> tuple[str, ...]:
    """Copy the milestone's own files and the registers back to the project; the paths that changed."""
    if not needed(milestone, shift):
        return ()
    changed = []
    for relative in _documents(worktree / shift.state_dir, milestone):
        data = (worktree / shift.state_dir / relative).read_bytes()
        place = shift.state / relative
        if not place.exists() or place.read_bytes() != data:
            atomic.replace(place, data)
            changed.append(relative)
    return tuple(changed)


def _documents(state: Path, milestone: str) -> list[str]:
    """Paths below a state directory that the milestone's units read or write."""
    home = state.resolve()
    found = [path for path in state.glob("*.md") if path.is_file()]
    for top in sorted((state / "milestones").glob("*")):
        if milestone_of_directory(top.name) == milestone:
            found += [path for path in sorted(top.rglob("*")) if path.is_file()]
    # A link that leads out of the state directory is not followed, here as in reading.
    inside = [str(path.relative_to(state)) for path in found if path.resolve().is_relative_to(home)]
    return [path for path in inside if not _runtime(path)]


def _runtime(path: str) -> bool:
    return staging.is_runtime(path)
