"""A detached checkout of a commit for one look at it, always removed. Source: DESIGN "Parallel" (pre-merge checks)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from milepost.git import anchor
from milepost.git.include import copy_included
from milepost.git.removal import stale_scratch
from milepost.git.run import HOOK_TIMEOUT_S, git


@contextmanager
def scratch(root: Path, commit: str, *, name: str, state_dir: str = ".gsd") -> Iterator[Path]:
    """Check `commit` out at `<root>/<state>/worktrees/.check-<name>` for the time of the block.

    What a killed run left under that name is removed first. Files of `.worktreeinclude` are there too.
    """
    directory, prefix = root / state_dir / "worktrees", f".check-{name}"
    stale_scratch(root, directory, prefix)
    place = _free(directory, prefix)
    directory.mkdir(parents=True, exist_ok=True)
    git(root, "worktree", "add", "--quiet", "--detach", str(place), commit, timeout_s=HOOK_TIMEOUT_S)
    try:
        copy_included(root, place, state_dir=state_dir)
        yield place
    finally:
        # Commands of the project ran there, and git removes no worktree that lost its `.git`.
        anchor.hold(root, place, root / state_dir / "runtime" / "set-aside" / f"check-{name}")
        git(root, "worktree", "remove", "--force", str(place))


def _free(directory: Path, prefix: str) -> Path:
    number, place = 0, directory / prefix
    while place.exists():
        number += 1
        place = directory / f"{prefix}.{number}"
    return place
