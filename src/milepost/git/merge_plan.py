"""What a merge is asked to do, and how it can end. Frozen before anything is done; no setting is read later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from milepost.git.checkout import Blocked
from milepost.git.merge_tree import Conflict
from milepost.git.resolve import Resolved

Journal: TypeAlias = Callable[[str, Mapping[str, str]], None]
"""Told `(step, {"at": "begin" or "done", …})` before and after each effect. Whatever it raises ends the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """Everything a merge needs to know."""

    root: Path
    """The user's checkout."""
    mid: str
    branch: str
    target: str
    """Short branch name."""
    message: str
    """Subject and body, without trailers."""
    worktree: Path | None
    """Where the branch is checked out for us; None in mode `branch`."""
    strategy: Literal["squash", "merge"] = "squash"
    state_dir: str = ".gsd"
    commit_docs: bool = True
    push_to: str | None = None
    """The remote to push the target to; None does not push."""
    generated: tuple[str, ...] = ()
    """Patterns of built files, as in `.gitignore`; in a conflict the milestone's version is taken."""
    leftover_message: str = ""
    """For changes in the worktree that no unit committed; empty makes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What the pre-merge check says of the merged tree."""

    passed: bool | None
    """None: inconclusive."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """The target has the milestone."""

    commit: str
    target: str
    tip: str
    """What the milestone's branch was."""
    before: str
    """What the target was."""
    already: bool = False
    """An earlier run had landed it, and this one finished what was left."""
    only_planning: bool = False
    """It brought no file outside the state directory, nor did slices of it before: a warning."""
    slices: tuple[str, ...] = ()
    """Slices of it that had landed on their own before, as ids."""
    resolved: tuple[Resolved, ...] = ()
    pushed: bool = False
    """The remote was asked afterwards and has it."""
    push_error: str = ""
    kept: tuple[str, ...] = ()
    """Why the worktree or the branch is still there; empty when both are gone."""
    backups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLanding:
    """The target has one slice; the milestone goes on."""

    slice: str
    commit: str
    target: str
    tip: str
    """What the milestone's branch was when the slice was done."""
    before: str
    """What the target was."""
    link: str
    """A commit that joins `tip` and `commit`, to be merged into the branch; empty when the whole milestone landed."""
    already: bool = False
    """An earlier run had landed it, or a later slice that contains it; this one finished what was left."""
    only_planning: bool = False
    """It brought no file outside the state directory."""
    resolved: tuple[Resolved, ...] = ()
    pushed: bool = False
    """The remote was asked afterwards and has it."""
    push_error: str = ""
    backups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicted:
    """Both sides changed the same code. Nothing was touched."""

    files: tuple[Conflict, ...]
    target: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The merge was not done, or a checkout could not follow it; nothing of the user's was touched."""

    reason: str
    paths: tuple[Blocked, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailed:
    """The pre-merge check did not pass on the merged tree. Nothing was touched."""

    detail: str
    inconclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToLand:
    """The branch brings nothing that the target lacks. Nothing was deleted."""

    reason: str


Outcome: TypeAlias = Landed | Conflicted | Refused | CheckFailed | NothingToLand
SliceOutcome: TypeAlias = SliceLanding | Conflicted | Refused | CheckFailed | NothingToLand
