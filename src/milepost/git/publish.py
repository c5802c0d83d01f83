"""Moving the target, and letting its checkouts follow.

The ref moves by compare-and-swap, in one transaction with the note `refs/gsd/landing/<MID>`, which stays until
every checkout has followed: a run that finds the note completes the checkouts and publishes nothing again.
Source: DESIGN rule 6.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.git import checkout, refs, torn
from milepost.git.checkout import Blocked, in_the_way
from milepost.git.hold import Hold, held
from milepost.git.listing import registered
from milepost.git.run import GitFailed, git
from milepost.git.snapshots import private_index

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
    found: list[Blocked] = []
    for where in checkouts(root, target):
        with private_index(where) as index:
            found += checkout.blockers(where, old, new, index=index)
    return (*found, *_rebases(root, target))


@contextmanager
def holding(root: Path, target: str) -> Iterator[tuple[Hold, ...]]:
    """Hold the index of every checkout of the target, so that nobody commits there meanwhile. Raises IndexBusy."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(held(where)) for where in checkouts(root, target))


def still_in_the_way(root: Path, holds: Sequence[Hold], target: str, old: str, new: str) -> tuple[Blocked, ...]:
    """The same as `obstacles`, now that nothing more is staged or committed."""
    found = [blocked for hold in holds for blocked in checkout.blockers(hold.where, old, new, index=hold.index)]
    return (*found, *_rebases(root, target))


def _rebases(root: Path, target: str) -> tuple[Blocked, ...]:
    return tuple(Blocked(path="", reason=f"{target} is being rebased in {where}") for where in rebasing(root, target))


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


class Behind(MilepostError):
    """The target moved, and a checkout could not be brought there; the next merge finishes it."""

    exit_code = ExitCode.BLOCKED


def follow(holds: Sequence[Hold], old: str, new: str) -> tuple[Blocked, ...]:
    """Bring every checkout of the target to `new`; what stopped the first that could not, empty for success.

    Raises Behind when it was not a file of the user's but git itself that was stopped (killed, a full disk).
    """
    for hold in holds:
        try:
            checkout.advance(hold.where, old, new, index=hold.index)
        except GitFailed as failed:
            if any(blocked.path for blocked in in_the_way(failed)):
                return in_the_way(failed)
            _again(hold, old, new)
        hold.keep()
    return ()


def catch_up(holds: Sequence[Hold], old: str, new: str) -> tuple[Blocked, ...]:
    """`follow`, where an earlier run was killed in it: what git was writing then is no work of anybody's."""
    for hold in holds:
        try:
            torn.advance(hold.where, old, new, index=hold.index)
        except GitFailed as failed:
            return in_the_way(failed)
        hold.keep()
    return ()


def _again(hold: Hold, old: str, new: str) -> None:
    hold.afresh()
    try:
        torn.advance(hold.where, old, new, index=hold.index)
    except GitFailed as failed:
        raise Behind(f"{hold.where} could not be brought to {new[:10]}: {failed}", hint=failed.hint) from failed


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
