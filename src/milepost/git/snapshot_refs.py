"""What a branch was before each automatic commit, under names that can be found again.

    refs/gsd/snapshots/milestone/M001/20260317-110000

The last five of each branch are kept; a second one within a second gets `-2`. Source: spec auto 6.6.
"""

from datetime import UTC, datetime
from pathlib import Path

from milepost.git import refs
from milepost.git.run import git

HOME = "refs/gsd/snapshots"
KEPT = 5
"""Snapshots of one label that stay."""


def take(root: Path, label: str, commit: str, now_ms: int) -> str:
    """Name `commit`, and let go of the oldest beyond `KEPT`. Returns the ref."""
    stamp = datetime.fromtimestamp(now_ms / 1000, tz=UTC).strftime("%Y%m%d-%H%M%S")
    known = _known(root, label)
    ref, number = f"{HOME}/{label}/{stamp}", 1
    while known.get(ref, commit) != commit:
        number += 1
        ref = f"{HOME}/{label}/{stamp}-{number}"
    if ref not in known:
        refs.compare_and_swap(root, ref, commit, refs.ABSENT, why=f"gsd: {label} before a commit")
    _drop(root, label)
    return ref


def label(ref: str) -> str:
    """What a snapshot is of: `milestone/M001`."""
    return ref.removeprefix(f"{HOME}/").rpartition("/")[0]


def spare(root: Path) -> tuple[tuple[str, str], ...]:
    """Refs and commits beyond the last five of a label, or of a branch that is gone, that other refs keep as well."""
    known = _known(root)
    branches = refs.branches(root)
    old: dict[str, str] = {}
    for name in {label(ref) for ref in known}:
        mine = sorted((ref for ref in known if label(ref) == name), key=_order)
        old |= {ref: known[ref] for ref in (mine[:-KEPT] if name in branches else mine)}
    lines = git(root, "for-each-ref", "--format=%(objectname) %(refname)").out.splitlines()
    kept = {commit for commit, _, ref in (line.partition(" ") for line in lines) if ref not in old}
    asked = "".join(f"{commit}\n" for commit in (*old.values(), *(f"^{each}" for each in sorted(kept)))).encode()
    alone = set(git(root, "rev-list", "--stdin", stdin=asked).out.split()) if old else set()
    return tuple((ref, commit) for ref, commit in old.items() if commit not in alone)


def _drop(root: Path, label: str) -> None:
    known = _known(root, label)
    for ref in sorted(known, key=_order)[:-KEPT]:
        refs.delete(root, ref, known[ref])


def _known(root: Path, label: str = "") -> dict[str, str]:
    place = f"{HOME}/{label}/" if label else f"{HOME}/"
    lines = git(root, "for-each-ref", "--format=%(refname) %(objectname)", place).out.splitlines()
    return {ref: commit for ref, _, commit in (line.partition(" ") for line in lines)}


def _order(ref: str) -> tuple[str, int]:
    """Date and time, then the number: `…-10` comes after `…-9`."""
    day, clock, *number = ref.rpartition("/")[2].split("-")
    return f"{day}-{clock}", int(number[0]) if number and number[0].isdigit() else 1
