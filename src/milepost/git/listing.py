"""The checkouts of a repository, as git has them registered."""

import os
from dataclasses import dataclass
from pathlib import Path

from milepost.git.run import git


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One checkout that git knows: the main one, or a linked worktree."""

    path: Path
    commit: str | None
    branch: str | None
    """Short name; None when detached or bare."""
    bare: bool
    locked: str | None
    """Why it is locked, empty when no reason was given; None when it is not."""
    missing: bool
    """Its directory is gone."""


def registered(where: Path) -> tuple[Registered, ...]:
    """All checkouts of the repository, the main one first."""
    blocks = git(where, "worktree", "list", "--porcelain", "-z").out.split("\0\0")
    return tuple(_read(block) for block in blocks if block.strip("\0"))


def holder(where: Path, branch: str) -> Registered | None:
    """The checkout that has `branch` checked out; None when there is none."""
    return next((found for found in registered(where) if found.branch == branch), None)


def find(where: Path, path: Path) -> Registered | None:
    """What git has registered at `path`; None when nothing."""
    real = os.path.realpath(path)
    return next((found for found in registered(where) if os.path.realpath(found.path) == real), None)


def _read(block: str) -> Registered:
    facts: dict[str, str] = {}
    for line in block.strip("\0").split("\0"):
        name, _, value = line.partition(" ")
        facts[name] = value
    branch = facts.get("branch", "").removeprefix("refs/heads/") or None
    return Registered(
        path=Path(facts["worktree"]),
        commit=facts.get("HEAD"),
        branch=branch,
        bare="bare" in facts,
        locked=facts.get("locked"),
        missing=not os.path.isdir(facts["worktree"]),
    )
