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


def _drop(root: Path, label: str) -> None:
    known = _known(root, label)
    for ref in sorted(known, key=_order)[:-KEPT]:
        refs.delete(root, ref, known[ref])


def _known(root: Path, label: str) -> dict[str, str]:
    lines = git(root, "for-each-ref", "--format=%(refname) %(objectname)", f"{HOME}/{label}/").out.splitlines()
    return {ref: commit for ref, _, commit in (line.partition(" ") for line in lines)}


def _order(ref: str) -> tuple[str, int]:
    """Date and time, then the number: `…-10` comes after `…-9`."""
    day, clock, *number = ref.rpartition("/")[2].split("-")
    return f"{day}-{clock}", int(number[0]) if number and number[0].isdigit() else 1
