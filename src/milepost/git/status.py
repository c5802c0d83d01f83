"""What differs in a checkout, without touching it: no lock is taken and the index is not refreshed.

Source: spec auto 6.5; DESIGN rule 5.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from milepost.git.run import git

_QUIET = {"GIT_OPTIONAL_LOCKS": "0"}
_OWN_HEADERS = ("# branch.oid", "# branch.head")
_HASHED_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path that differs from HEAD or from the index."""

    path: str
    index: str
    """Index against HEAD: `.` same, `M A D R C T U`, `?` untracked, `!` ignored."""
    worktree: str
    """Working tree against the index, same letters."""
    origin: str | None = None
    """For a rename or copy, the path it came from."""
    nested: bool = False
    """A repository inside this one: a submodule, or a directory with its own `.git`."""

    @property
    def untracked(self) -> bool:
        """Whether git does not know the path."""
        return self.index == "?"

    @property
    def unmerged(self) -> bool:
        """Whether the path is in conflict."""
        return "U" in (self.index, self.worktree) or (self.index, self.worktree) in {("A", "A"), ("D", "D")}

    @property
    def staged(self) -> bool:
        """Whether the index differs from HEAD."""
        return self.index not in ".?!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One look at a checkout."""

    commit: str | None
    """HEAD; None when unborn."""
    branch: str | None
    """Short name; None when detached."""
    changes: tuple[Change, ...]


def look(where: Path, *, untracked: bool = True, ignored: bool = False, index: Path | None = None) -> Status:
    """HEAD, branch and every change of a checkout, in one call. Untracked directories are listed file by file.

    index: a private copy of the checkout's index.
    """
    args = ["--untracked-files=all" if untracked else "--untracked-files=no", "--ignore-submodules=none"]
    args += ["--no-renames", "--no-ahead-behind", *(["--ignored=matching"] if ignored else [])]
    out = git(where, "status", "--porcelain=v2", "--branch", "-z", *args, index=index, env=_QUIET).out
    return _parse(out)


def dirty(where: Path) -> tuple[Change, ...]:
    """Every change of a checkout, untracked files included, ignored ones not."""
    return look(where).changes


def fingerprint(root: Path) -> str:
    """A text that is the same as long as nobody moves HEAD, stages something or changes a tracked file.

    Untracked files are not looked at: they are the user's own business and never ours.
    """
    args = ("--untracked-files=no", "--no-renames", "--no-ahead-behind")
    out = git(root, "status", "--porcelain=v2", "--branch", "-z", *args, env=_QUIET).out
    # A fetch or a stash by the user moves other header lines; only these two are about this checkout.
    kept = [line for line in out.split("\0") if not line.startswith("#") or line.startswith(_OWN_HEADERS)]
    digest = hashlib.blake2b("\0".join(kept).encode("utf-8", "surrogateescape"), digest_size=16)
    for change in _parse(out).changes:
        digest.update(_content(root / change.path))
    return digest.hexdigest()


def _parse(out: str) -> Status:
    commit = branch = None
    changes: list[Change] = []
    parts = iter(out.split("\0"))
    for part in parts:
        kind, _, rest = part.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            commit = value if name == "branch.oid" and value != "(initial)" else commit
            branch = value if name == "branch.head" and value != "(detached)" else branch
        elif kind:
            changes.append(_change(kind, rest, parts))
    return Status(commit=commit, branch=branch, changes=tuple(changes))


def _change(kind: str, rest: str, parts: Iterator[str]) -> Change:
    if kind in "?!":
        return Change(path=rest.rstrip("/"), index=kind, worktree=kind, nested=kind == "?" and rest.endswith("/"))
    columns = {"1": 7, "2": 8, "u": 9}[kind]
    found = rest.split(" ", columns)
    origin = next(parts) if kind == "2" else None
    return Change(
        path=found[columns],
        index=found[0][0],
        worktree=found[0][1],
        origin=origin,
        nested=found[1] != "N...",
    )


def _content(path: Path) -> bytes:
    """Stands for a changed file: its bytes when it is small, else its size and time."""
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            return os.fsencode(os.readlink(path))
        if stat.S_ISREG(found.st_mode) and found.st_size <= _HASHED_BYTES:
            return path.read_bytes()
    except OSError as missing:
        return str(missing.errno).encode()
    return f"{found.st_mode} {found.st_size} {found.st_mtime_ns}".encode()
