"""Where a merge into a milestone's branch stands: refs that outlive a kill, and git's own record of a merge.

    refs/gsd/bring-in/M001/clean         a merge that fits; files and branch may be behind
    refs/gsd/bring-in/M001/leaving       a merge with conflicts, being laid out in the worktree
    refs/gsd/bring-in/M001/left          one that was laid out whole, for a person to resolve
    refs/gsd/bring-in/M001/abandoning    one that is being taken away again

Source: DESIGN rule 6; parallel FM-84, FM-85; gitrepository-layout(5).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import refs
from milepost.git.checkout import Blocked
from milepost.git.commits import WrongBranch
from milepost.git.repo import git_dir, head_of
from milepost.git.run import git, raw
from milepost.model.work import key_of

NOTES = "refs/gsd/bring-in"


class NotClean(MilepostError):
    """The milestone's worktree has something that a merge would mix with or overwrite; nothing was changed.

    `paths` says what; an entry without a path is about the whole worktree.
    """

    exit_code = ExitCode.BLOCKED

    def __init__(self, worktree: Path, paths: tuple[Blocked, ...], *, hint: str = "") -> None:
        shown = ", ".join(str(path) for path in paths[:5]) + (" …" if len(paths) > 5 else "")
        super().__init__(
            f"{worktree}: nothing can be merged into it now: {shown}", hint=hint or f"git -C {worktree} status"
        )
        self.paths = paths


class Note(StrEnum):
    """What an earlier run was at."""

    CLEAN = "clean"
    LEAVING = "leaving"
    LEFT = "left"
    ABANDONING = "abandoning"


_BEGAN_AT = {Note.CLEAN: "^1", Note.LEAVING: "^1^1", Note.LEFT: "^1^1", Note.ABANDONING: ""}
"""From what is noted to the branch's tip at that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A milestone's worktree and its branch."""

    worktree: Path
    branch: str
    tip: str
    """What is checked out, which is the branch's last commit."""

    @property
    def mid(self) -> str:
        """The milestone of the branch, `M001`."""
        return key_of(self.branch)


def place(worktree: Path, branch: str | None = None) -> Place:
    """The worktree as it stands. Raises WrongBranch when `branch` is not what is checked out, or nothing is."""
    found = head_of(worktree)
    if found.branch is None or found.commit is None or branch not in (None, found.branch):
        raise WrongBranch(
            f"{worktree}: HEAD is {found.branch or 'detached'}, not {branch or 'a branch'}; nothing was merged",
            hint="gsd doctor",
        )
    return Place(worktree=worktree, branch=found.branch, tip=found.commit)


def note(at: Place, kind: Note) -> str | None:
    """The commit that an earlier run noted; None when there is none."""
    return refs.resolve(at.worktree, _name(at, kind))


def current(at: Place, kind: Note) -> str | None:
    """The same, if it is about the branch as it is now; anything else is left from a merge that somebody ended."""
    commit = note(at, kind)
    return commit if commit and refs.resolve(at.worktree, f"{commit}{_BEGAN_AT[kind]}") == at.tip else None


def set_note(at: Place, kind: Note, commit: str) -> None:
    """Note a commit, in place of what was noted before."""
    git(at.worktree, "update-ref", _name(at, kind), commit)


def clear(at: Place, *kinds: Note) -> None:
    """Forget these notes, in this order."""
    for kind in kinds:
        if (commit := note(at, kind)) is not None:
            refs.delete(at.worktree, _name(at, kind), commit)


def merge_heads(worktree: Path) -> tuple[str, ...]:
    """The commits of a merge that is half done in a checkout; empty when none is."""
    try:
        return tuple((git_dir(worktree) / "MERGE_HEAD").read_text("ascii").split())
    except FileNotFoundError:
        return ()


def record_merge(worktree: Path, onto: str, message: str) -> None:
    """Make git know that `onto` is being merged: from here on a commit gets it as a second parent."""
    directory = git_dir(worktree)
    _written(directory / "MERGE_MSG", raw(message))
    _written(directory / "MERGE_HEAD", f"{onto}\n".encode("ascii"))


def forget_merge(worktree: Path) -> None:
    """Make git forget a merge; index and files stay as they are."""
    if merge_heads(worktree):
        git(worktree, "merge", "--quit", ok=(0, 128))


def restage(where: Path, entries: Mapping[str, tuple[tuple[str, str, int], ...]]) -> None:
    """Set what the index has at each path, in one step: mode, object and stage, or nothing."""
    nothing = "0" * len(git(where, "rev-parse", "HEAD").line)
    lines = b""
    for path, versions in entries.items():
        lines += raw(f"0 {nothing}\t{path}\0")
        lines += b"".join(raw(f"{mode} {blob} {stage}\t{path}\0") for mode, blob, stage in versions)
    if lines:
        git(where, "update-index", "-z", "--index-info", stdin=lines)


def _name(at: Place, kind: Note) -> str:
    return f"{NOTES}/{at.mid}/{kind}"


def _written(path: Path, data: bytes) -> None:
    fresh = path.with_name(f"{path.name}.gsd-{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)
