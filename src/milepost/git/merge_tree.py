"""A merge computed without a checkout: the merged tree, and the conflicts with their lines on both sides.

Source: DESIGN rule 6; trials 3 (`merge-tree --write-tree` also ends 1 on a bad name, so names are commit ids).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from milepost.git.conflict_lines import conflict_lines
from milepost.git.run import GitFailed, git

_CONFLICTS = 1
_ODD = ("file/directory", "distinct types", "distinct modes", "submodule", "directory rename", "rename")
_RENAMES = frozenset({"CONFLICT (rename/rename)", "CONFLICT (rename/delete)"})
_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
ABSENT_MODE = "000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a tree: mode and object."""

    mode: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A path that both sides changed in ways that do not fit."""

    path: str
    base: Entry | None
    target: Entry | None
    milestone: Entry | None
    odd: bool = False
    """Not a conflict of contents only: a rename, a directory against a file, a submodule."""
    renamed: bool = False
    """Odd only because sides gave it different names, or one deleted what the other renamed."""
    target_lines: tuple[tuple[int, int], ...] = ()
    """First and last line of each conflicting stretch in the target's version; empty for a whole file."""
    milestone_lines: tuple[tuple[int, int], ...] = ()

    @property
    def kind(self) -> str:
        """In words, from the target's side."""
        if self.target is None:
            return "deleted on the target, changed by the milestone"
        if self.milestone is None:
            return "changed on the target, deleted by the milestone"
        return "changed by both" if self.base else "added by both"

    def __str__(self) -> str:
        if not self.target_lines:
            return f"{self.path} ({self.kind})"
        return f"{self.path} lines {_shown(self.target_lines)} (in the milestone {_shown(self.milestone_lines)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """A computed merge."""

    tree: str
    conflicts: tuple[Conflict, ...]
    milestone: str
    """The commit on the milestone's side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """One path that differs between two trees."""

    path: str
    old: Entry | None
    new: Entry | None


def combine(
    where: Path, target: str, milestone: str, *, style: str = "merge", env: Mapping[str, str] | None = None
) -> Combined:
    """Merge two commits in memory. Raises GitFailed for commits that do not exist or have no common history.

    style: of the conflict markers in the tree, as `merge.conflictStyle`; lines are only found in the default one.
    env: as for `git`, for merges that are to leave no objects in the repository (`git.aside`).
    """
    asked = ("-c", f"merge.conflictStyle={style}", "merge-tree", "--write-tree", "-z", "--messages", target, milestone)
    done = git(where, *asked, ok=(0, _CONFLICTS), env=env)
    tree, *rest = done.out.split("\0")
    if not tree:
        raise GitFailed(asked, done.code, done.err)
    if done.code != _CONFLICTS:
        return Combined(tree=tree, conflicts=(), milestone=milestone)
    end = rest.index("")
    odd = _odd_paths(rest[end + 1 :])
    found = tuple(_conflicts(where, tree, rest[:end], odd, env))
    return Combined(tree=tree, conflicts=found, milestone=milestone)


def differences(where: Path, old: str, new: str) -> tuple[Differing, ...]:
    """Every path that differs between two trees or commits; a rename is a deletion and an addition."""
    # Between two ids it never changes, and one landing asks for it several times.
    ask = _differences if _ID.match(old) and _ID.match(new) else _differences.__wrapped__
    return ask(where, old, new)


@lru_cache(maxsize=16)
def _differences(where: Path, old: str, new: str) -> tuple[Differing, ...]:
    parts = git(where, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", old, new).out.split("\0")
    found = []
    for facts, path in zip(parts[::2], parts[1::2], strict=False):
        old_mode, new_mode, before, after, _ = facts.removeprefix(":").split(" ")
        found.append(Differing(path=path, old=_entry(old_mode, before), new=_entry(new_mode, after)))
    return tuple(found)


def entry_at(where: Path, commit: str, path: str) -> Entry | None:
    """What a commit has at a path; None when nothing."""
    facts = git(where, "--literal-pathspecs", "ls-tree", "-z", commit, "--", path).out.partition("\t")[0]
    return Entry(mode=facts.split(" ")[0], blob=facts.split(" ")[2]) if facts else None


def _shown(ranges: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{first}-{last}" if first != last else str(first) for first, last in ranges)


def _entry(mode: str, blob: str) -> Entry | None:
    return None if mode == ABSENT_MODE else Entry(mode=mode, blob=blob)


_Env: TypeAlias = Mapping[str, str] | None


def _conflicts(where: Path, tree: str, records: list[str], odd: Mapping[str, set[str]], env: _Env) -> list[Conflict]:
    stages: dict[str, dict[str, Entry]] = {}
    for record in records:
        facts, _, path = record.partition("\t")
        mode, blob, stage = facts.split(" ")
        stages.setdefault(path, {})[stage] = Entry(mode=mode, blob=blob)
    both = {path: (by["2"].blob, by["3"].blob) for path, by in stages.items() if "2" in by and "3" in by}
    lines = conflict_lines(where, tree, both, env=env)
    found = []
    for path, by_stage in stages.items():
        target, milestone = by_stage.get("2"), by_stage.get("3")
        ours, theirs = lines.get(path, ((), ()))
        found.append(
            Conflict(
                path=path, base=by_stage.get("1"), target=target, milestone=milestone, odd=path in odd,
                renamed=path in odd and odd[path] <= _RENAMES, target_lines=ours, milestone_lines=theirs,
            )
        )  # fmt: skip
    return found


def _odd_paths(messages: list[str]) -> dict[str, set[str]]:
    """Paths of git's remarks about more than contents, with the types of these remarks.

    A remark: count, that many paths, its type, its text.
    """
    found: dict[str, set[str]] = {}
    position = 0
    while position < len(messages) and messages[position].isdigit():
        count = int(messages[position])
        paths, kind = messages[position + 1 : position + 1 + count], messages[position + 1 + count]
        if kind.startswith("CONFLICT") and any(word in kind for word in _ODD):
            for path in paths:
                found.setdefault(path, set()).add(kind)
        position += count + 3
    return found
