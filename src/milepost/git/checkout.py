"""A checkout that follows its branch to a merge result, touching only the files of that result.

    blockers(where, old, new)     what of the user's is in the way; decided before the branch moves
    advance(where, old, new)      the files, after it moved; safe to run again

Both can work on a private copy of the index, which is then the caller's to put in place.

No stash, no reset: `read-tree -m -u` keeps every other local change, staged or not, and refuses rather than
overwrites. Source: DESIGN rule 6; spec auto 6.7 (#1738, #1752), field-reports 5.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from milepost.git.merge_tree import Differing, Entry, differences
from milepost.git.repo import in_progress
from milepost.git.run import GitFailed, fields, git, raw
from milepost.git.status import look

_LINK = "120000"
_MODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A path of the user's that the merge result would touch."""

    path: str
    """Empty when it is not one path that is in the way."""
    reason: str

    def __str__(self) -> str:
        return f"{self.path} ({self.reason})" if self.path else self.reason


def blockers(where: Path, old: str, new: str, *, index: Path | None = None) -> tuple[Blocked, ...]:
    """What stands in the way of moving this checkout from `old` to `new`; empty when nothing. Changes nothing.

    An untracked file that is byte for byte what the result has there is not in the way.
    """
    if operation := in_progress(where):
        return (Blocked(path="", reason=f"a {operation} is half done here"),)
    moves = differences(where, old, new)
    touched = {move.path: move for move in moves}
    found = [
        Blocked(path=change.path, reason="in conflict" if change.unmerged else "staged" if change.staged else "changed")
        for change in look(where, untracked=False, index=index).changes
        if change.path in touched
    ]
    known = {blocked.path for blocked in found}
    tracked = _staged(where, index)
    there = [move for move in moves if move.new and move.path not in tracked and move.path not in known]
    found += _in_the_way(where, there, touched)
    return tuple(found) or _git_says(where, old, new, there, index)


def advance(where: Path, old: str, new: str, *, index: Path | None = None) -> None:
    """Bring index and files from `old` to `new`. Raises GitFailed, with nothing changed, when git finds an obstacle.

    Files that already are what `new` has are only entered into the index, so that a run that was killed in the
    middle is completed by the next.
    """
    staged = _staged(where, index)
    moves = differences(where, old, new)
    if all(staged.get(move.path) == move.new for move in moves):
        return
    git(where, "update-index", "--refresh", ok=(0, 1), index=index)
    behind = [move for move in moves if move.new and staged.get(move.path) == move.old]
    arrived = _identical(where, behind)
    if arrived:
        listed = b"".join(raw(f"{e.mode} {e.blob}\t{path}\0") for path, e in arrived.items())
        git(where, "update-index", "-z", "--index-info", stdin=listed, index=index)
        git(where, "update-index", "--refresh", ok=(0, 1), index=index)
    git(where, "read-tree", "-m", "-u", old, new, index=index)


def in_the_way(failed: GitFailed) -> tuple[Blocked, ...]:
    """The files that git names when it refuses to move a checkout, else its sentence."""
    entries = re.findall(r"Entry '(.+?)' not uptodate|Untracked working tree file '(.+?)' would be", failed.stderr)
    named = [one or other for one, other in entries]
    listed = re.findall(r"^\t(.+)$", failed.stderr, re.MULTILINE)
    paths = tuple(dict.fromkeys([*named, *listed]))
    if paths:
        return tuple(Blocked(path=path, reason="changed while it was merged") for path in paths)
    return (Blocked(path="", reason=str(failed)),)


def _git_says(where: Path, old: str, new: str, untracked: list[Differing], index: Path | None) -> tuple[Blocked, ...]:
    """Git's own opinion, by a dry run; identical untracked files are known to be harmless."""
    git(where, "update-index", "--refresh", ok=(0, 1), index=index)
    tried = git(where, "read-tree", "-n", "-m", "-u", old, new, ok=(0, 128), index=index)
    if tried.code == 0 or any((where / move.path).exists() for move in untracked):
        return ()
    return (Blocked(path="", reason=tried.err.strip().splitlines()[-1].removeprefix("error: ")),)


def _staged(where: Path, index: Path | None) -> dict[str, Entry]:
    found = {}
    for line in fields(git(where, "ls-files", "--stage", "-z", index=index).out):
        facts, _, path = line.partition("\t")
        mode, blob, stage = facts.split(" ")
        if stage == "0":
            found[path] = Entry(mode=mode, blob=blob)
    return found


def _in_the_way(where: Path, moves: list[Differing], touched: Mapping[str, Differing]) -> list[Blocked]:
    """Untracked or ignored things at paths, or above paths, that the result adds."""
    leaving = {path for path, move in touched.items() if move.new is None}
    found: dict[str, Blocked] = {}
    present = [move for move in moves if os.path.lexists(where / move.path)]
    identical = _identical(where, present)
    for move in present:
        if move.path in identical or _same_but_case(move.path, leaving):
            continue
        if (where / move.path).is_dir() and not (where / move.path).is_symlink():
            found |= {path: Blocked(path=path, reason="untracked") for path in _left_in(where, move.path, leaving)}
        else:
            found[move.path] = Blocked(path=move.path, reason="untracked")
    for move in moves:
        parent = _file_above(where, move.path)
        if parent is not None and parent not in leaving:
            found[parent] = Blocked(path=parent, reason="untracked, and the result has a directory there")
    return list(found.values())


def _left_in(where: Path, directory: str, leaving: set[str]) -> list[str]:
    """Files in a directory that the result replaces by a file, and that would not leave with it."""
    found = []
    for parent, _, names in os.walk(where / directory):
        found += [os.path.relpath(os.path.join(parent, name), where) for name in names]
    return [path for path in found if path.replace(os.sep, "/") not in leaving]


def _file_above(where: Path, path: str) -> str | None:
    """The nearest parent of `path` that is a file or a link instead of a directory."""
    parent = os.path.dirname(path)
    while parent:
        place = where / parent
        if place.is_symlink() or (os.path.lexists(place) and not place.is_dir()):
            return parent
        parent = os.path.dirname(parent)
    return None


def _same_but_case(path: str, leaving: Iterable[str]) -> bool:
    """On a file system that folds case, a renamed file is found under its new name while it has the old one."""
    return any(path.lower() == other.lower() for other in leaving)


def _identical(where: Path, moves: Iterable[Differing]) -> dict[str, Entry]:
    """Those whose file on disk is what the result has there."""
    found: dict[str, Entry] = {}
    plain: list[tuple[str, Entry]] = []
    for move in moves:
        if move.new is None or move.new.mode == _MODULE or "\n" in move.path:
            continue
        kind = _kind(where / move.path)
        if kind == "file" and move.new.mode != _LINK:
            plain.append((move.path, move.new))
        elif kind == "link" and move.new.mode == _LINK:
            target = os.fsencode(os.readlink(where / move.path))
            if git(where, "hash-object", "--stdin", stdin=target).line == move.new.blob:
                found[move.path] = move.new
    if plain:
        asked = b"".join(raw(path) + b"\n" for path, _ in plain)
        blobs = git(where, "hash-object", "--stdin-paths", stdin=asked).out.splitlines()
        found |= {path: entry for (path, entry), blob in zip(plain, blobs, strict=True) if blob == entry.blob}
    return found


def _kind(path: Path) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    return "link" if stat.S_ISLNK(mode) else "file" if stat.S_ISREG(mode) else "other"
