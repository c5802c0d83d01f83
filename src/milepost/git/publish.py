"""Moving the target, and letting its checkouts follow.

The ref moves by compare-and-swap, in one transaction with the note `refs/gsd/landing/<MID>`, which stays until
every checkout has followed: a run that finds the note completes the checkouts and publishes nothing again.
Source: DESIGN rule 6.
"""

import re
from contextlib import suppress
from pathlib import Path

from milepost.git import checkout, refs
from milepost.git.checkout import Blocked
from milepost.git.listing import registered
from milepost.git.run import GitFailed, git

NOTES = "refs/gsd/landing"


def note_of(mid: str) -> str:
    """The ref that says that a milestone's landing was published and its checkouts may be behind."""
    return f"{NOTES}/{mid}"


def noted(root: Path) -> tuple[str, ...]:
    """Milestones whose landing was published by a run that did not get further."""
    names = git(root, "for-each-ref", "--format=%(refname)", f"{NOTES}/").out.splitlines()
    return tuple(name.removeprefix(f"{NOTES}/") for name in names)


def checkouts(root: Path, target: str) -> tuple[Path, ...]:
    """Every directory that has the target checked out."""
    return tuple(found.path for found in registered(root) if found.branch == target and not found.missing)


def obstacles(root: Path, target: str, old: str, new: str) -> tuple[Blocked, ...]:
    """What is in the way in any checkout of the target, or of its rebase; empty when nothing."""
    found = [blocked for where in checkouts(root, target) for blocked in checkout.blockers(where, old, new)]
    found += [Blocked(path="", reason=f"{target} is being rebased in {where}") for where in rebasing(root, target)]
    return tuple(found)


def rebasing(root: Path, target: str) -> tuple[Path, ...]:
    """Every directory in which a rebase of the target is half done. It ends by moving the target from where it was."""
    loose = [found.path for found in registered(root) if found.branch is None and not found.missing and not found.bare]
    return tuple(where for where in loose if _is_rebased(where, target))


def _is_rebased(where: Path, target: str) -> bool:
    git_dir = Path(git(where, "rev-parse", "--absolute-git-dir").line)
    for told in ("rebase-merge/head-name", "rebase-apply/head-name", "rebase-merge/update-refs"):
        with suppress(OSError):
            if f"refs/heads/{target}" in (git_dir / told).read_text("utf-8", errors="replace").splitlines():
                return True
    return False


def publish(root: Path, mid: str, target: str, new: str, old: str, *, why: str = "") -> None:
    """Move the target from `old` to `new` and leave the note, both or neither. why: for the reflog. Raises RefMoved."""
    moves = f"start\nupdate refs/heads/{target} {new} {old}\nupdate {note_of(mid)} {new}\nprepare\ncommit\n"
    _transact(root, moves, why or f"gsd: land {mid}", target, old)


def take_back(root: Path, mid: str, target: str, new: str, old: str) -> None:
    """Undo `publish`, when no checkout has followed. Raises RefMoved when the target has moved on."""
    moves = f"start\nupdate refs/heads/{target} {old} {new}\ndelete {note_of(mid)} {new}\nprepare\ncommit\n"
    _transact(root, moves, f"gsd: {mid} not landed", target, new)


def follow(root: Path, target: str, old: str, new: str) -> tuple[Blocked, ...]:
    """Bring every checkout of the target to `new`; what stopped the first that could not, empty for success."""
    for where in checkouts(root, target):
        try:
            checkout.advance(where, old, new)
        except GitFailed as failed:
            return in_the_way(failed)
    return ()


def forget_note(root: Path, mid: str, commit: str) -> None:
    """All checkouts have followed."""
    refs.delete(root, note_of(mid), commit)


def _transact(root: Path, moves: str, why: str, target: str, expected: str) -> None:
    try:
        git(root, "update-ref", "-m", why, "--stdin", stdin=moves.encode())
    except GitFailed as failed:
        now = refs.branch_tip(root, target)
        if now != expected:
            raise refs.RefMoved(f"{target} is at {(now or 'nothing')[:10]}, not at {expected[:10]}") from failed
        raise


def in_the_way(failed: GitFailed) -> tuple[Blocked, ...]:
    """The files that git names when it refuses to move a checkout, else its sentence."""
    entries = re.findall(r"Entry '(.+?)' not uptodate|Untracked working tree file '(.+?)' would be", failed.stderr)
    named = [one or other for one, other in entries]
    listed = re.findall(r"^\t(.+)$", failed.stderr, re.MULTILINE)
    paths = tuple(dict.fromkeys([*named, *listed]))
    if paths:
        return tuple(Blocked(path=path, reason="changed while it was merged") for path in paths)
    return (Blocked(path="", reason=str(failed)),)
