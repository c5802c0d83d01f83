"""HEAD and refs as they stand on disk, read without starting git.

Every unit asks for them several times, and a process costs fifty times what reading a file does. Only what is plain
is answered: the `.git` at the top of a checkout, loose refs, packed refs. Anything else is `Unplain`, and the caller
asks git, as it does for what needs objects. Source: gitrepository-layout(5).
"""

import os
import re
from pathlib import Path

_HASH = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_BRANCH_OR_OURS = re.compile(r"refs/(?:heads|gsd)/[\w-][\w.-]*(?:/[\w-][\w.-]*)*\Z", re.ASCII)


class Unplain(Exception):
    """Only git can tell."""


def git_dir(where: Path) -> Path:
    """The git directory of the checkout whose top level is `where`: its own, for a worktree. Raises Unplain."""
    dot = where / ".git"
    if dot.is_dir():
        return dot
    said = _read(dot)
    if said is None or not said.startswith("gitdir: "):
        raise Unplain
    return where / said.removeprefix("gitdir: ")


def checkout_of(git_dir: Path) -> Path | None:
    """The worktree whose private part of the repository `git_dir` is, as it says itself; None for anything else."""
    try:
        said = os.fsdecode((git_dir / "gitdir").read_bytes()).rstrip("\n")
    except OSError:
        return None
    return (git_dir / said).parent


def head(where: Path) -> tuple[str | None, str | None]:
    """The branch (`refs/heads/…`, None when detached) and the commit (None when unborn). Raises Unplain."""
    directory = git_dir(where)
    said = _read(directory / "HEAD") or ""
    if _HASH.match(said):
        return None, said
    name = said.removeprefix("ref: ")
    return name, _commit(directory, name)


def commit(where: Path, ref: str) -> str | None:
    """What a branch or a ref of ours points at; None when there is none. Raises Unplain."""
    return _commit(git_dir(where), ref)


def _commit(directory: Path, ref: str) -> str | None:
    shared = directory / (_read(directory / "commondir") or "")
    if not _BRANCH_OR_OURS.match(ref) or not (shared / "refs" / "heads").is_dir() or (shared / "reftable").exists():
        raise Unplain
    found = _read(shared / ref)
    if found is None:
        # In this order, as git does: a ref that is being packed is in the one until it is in the other.
        packed = _read(shared / "packed-refs") or ""
        found = next((line.split(" ")[0] for line in packed.splitlines() if line.endswith(f" {ref}")), None)
    if found is not None and not _HASH.match(found):
        raise Unplain
    return found


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").rstrip("\n")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unplain from error
