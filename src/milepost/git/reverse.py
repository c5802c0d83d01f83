"""The tree of a target without what some of its commits brought, and with everything that came later.

Each commit is reversed by a merge: of the target, and of a commit upon it that has the files from before it.

    own planning files       as they were before the milestone landed
    registers, the rest      reversed where they still fit, else as the target has them
    built and derived files  as the target has them
    code                     reversed where it fits; else a person is asked

Source: DESIGN rule 7; rules.merging.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from milepost.git.merge_tree import Conflict, combine
from milepost.git.resolve import Policy, Resolved, settle_by, unsettled
from milepost.git.run import git
from milepost.rules.merging import Side, side

_NOBODY = ""
"""A milestone that no directory belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """A computed reversal."""

    tree: str
    conflicts: tuple[Conflict, ...] = ()
    """Where later work stands on it; `milestone` is the version from before. The tree is of no use then."""
    details: tuple[str, ...] = ()
    """The conflicts in words."""
    settled: tuple[str, ...] = ()
    """Files that policy settled, in words."""


def reverse(
    root: Path, now: str, commits: Sequence[str], *, mid: str, state_dir: str, generated: Sequence[str]
) -> Reversed:
    """What `now` is without these commits, newest first. No ref, index or file changes."""
    policy = _policy(mid, state_dir, generated)
    current, settled = now, []
    for commit in commits:
        without = git(root, "commit-tree", f"{commit}^1^{{tree}}", "-p", commit, "-m", "before").line
        combined = combine(root, current, without)
        if files := unsettled(combined, policy):
            details = tuple(_in_words(conflict, mid) for conflict in files)
            return Reversed(tree=combined.tree, conflicts=files, details=details)
        found = settle_by(root, combined, policy, keep=current)
        settled += [_said(one, mid) for one in found.resolved if one.conflicted]
        current = git(root, "commit-tree", found.tree, "-p", current, "-m", "reversed").line
    return Reversed(tree=git(root, "rev-parse", f"{current}^{{tree}}").line, settled=tuple(dict.fromkeys(settled)))


def _policy(mid: str, state_dir: str, generated: Sequence[str]) -> Policy:
    def chosen(path: str) -> Side:
        found = side(path, mid=mid, state_dir=state_dir, generated=generated)
        if found in (Side.CODE, Side.DERIVED):
            return found
        own = found is Side.MILESTONE and side(path, mid=_NOBODY, state_dir=state_dir) is not Side.MILESTONE
        return Side.MILESTONE if own else Side.TARGET

    return chosen


def _said(resolved: Resolved, mid: str) -> str:
    how = f"as it was before {mid}" if resolved.side is Side.MILESTONE else "kept as it is, changed since"
    return f"{resolved.path}: {how}"


def _in_words(conflict: Conflict, mid: str) -> str:
    if conflict.target is None:
        return f"{conflict.path} (deleted since; {mid} changed it)"
    if conflict.milestone is None:
        return f"{conflict.path} (changed since; {mid} brought it)"
    if not conflict.target_lines:
        return f"{conflict.path} (changed since)"
    lines = ", ".join(str(one) if one == last else f"{one}-{last}" for one, last in conflict.target_lines)
    return f"{conflict.path} lines {lines} (changed since)"
