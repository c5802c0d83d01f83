"""Slices of a milestone that landed on their own, and how the milestone's branch is merged afterwards.

    refs/gsd/slices/M001/S01      a link: parents are S01's last commit on the branch and the commit that landed it

A squash leaves no trace in git's ancestry: what landed before would be merged again, and collide with whatever the
next slice makes of it. A link's tree is that of the landing. Merged into the branch it brings the rest of the target
and nothing else, and from then on git itself knows the base. Until then `git.stand_in` does. Source: parallel PR-064,
DV-03.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from milepost.git import proof, refs
from milepost.git.merge_tree import differences
from milepost.git.run import git
from milepost.git.sign import signing

LINKS = "refs/gsd/slices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One slice's link."""

    milestone: str
    slice: str
    commit: str
    tip: str
    """What the branch was when the slice was done."""
    landing: str
    """The commit on the target."""


def ref_of(mid: str, slice_id: str) -> str:
    """The ref that keeps a slice's link."""
    return f"{LINKS}/{mid}/{slice_id}"


def links(root: Path, mid: str = "", *, unknown_to: str = "") -> tuple[Link, ...]:
    """All links, or those of one milestone; with `unknown_to`, those that this commit does not contain."""
    under = f"{LINKS}/{mid}/" if mid else f"{LINKS}/"
    only = [f"--no-merged={unknown_to}"] if unknown_to else []
    found = []
    for line in git(root, "for-each-ref", *only, "--format=%(refname) %(objectname) %(parent)", under).out.splitlines():
        ref, commit, *parents = line.split(" ")
        milestone, _, slice_id = ref.removeprefix(f"{LINKS}/").partition("/")
        if len(parents) == 2:
            found.append(Link(milestone=milestone, slice=slice_id, commit=commit, tip=parents[0], landing=parents[1]))
    return tuple(found)


def link(root: Path, mid: str, landing: proof.Landing) -> str:
    """The link of a slice that has landed, made and pinned if it is not there yet; its commit."""
    there = next((one for one in links(root, mid) if one.slice == landing.slice), None)
    if there is not None and (there.tip, there.landing) == (landing.tip, landing.commit):
        return there.commit
    made = joined(root, landing.commit, landing.tip, f"chore({mid}/{landing.slice}): what landed is known here\n")
    ref = ref_of(mid, landing.slice)
    refs.compare_and_swap(root, ref, made, refs.resolve(root, ref) or refs.ABSENT, why=f"gsd: link of {mid}")
    return made


def pending(root: Path, mid: str, tip: str) -> Link | None:
    """The newest link that the branch, at `tip`, has still to take up; None when there is none."""
    return newest(root, [one for one in links(root, mid, unknown_to=tip) if refs.is_ancestor(root, one.tip, tip)])


def newest(root: Path, found: Sequence[Link]) -> Link | None:
    """Of one milestone's links, the one whose landing contains those of all others; None for none."""
    for one in found:
        if all(one is other or refs.is_ancestor(root, other.landing, one.landing) for other in found):
            return one
    return None


def forget(root: Path, mid: str) -> None:
    """The milestone is on its target and its branch is gone; nobody takes up a link any more."""
    for one in links(root, mid):
        refs.delete(root, ref_of(mid, one.slice), one.commit)


def landed(root: Path, mid: str, onto: str, tip: str) -> tuple[proof.Landing, ...]:
    """Slices of the branch at `tip` that landed on their own and are in the history of `onto`, in no order."""
    since = refs.merge_base(root, tip, onto)
    found = {found.commit: found for found in proof.history(root, mid, onto, since=since) if found.slice}
    for one in links(root, mid):
        if one.landing not in found and refs.is_ancestor(root, one.landing, onto):
            before = refs.resolve(root, f"{one.landing}^1") or one.landing
            found[one.landing] = proof.Landing(commit=one.landing, before=before, tip=one.tip, slice=one.slice)
    return tuple(landing for landing in found.values() if _of_branch(root, landing, tip))


def require_kept(root: Path, mid: str, onto: str, tip: str) -> tuple[proof.Landing, ...]:
    """The same; raises NotLanded when one was taken back out of the target since, and the branch still counts on it.

    Without it, a milestone could count as landed of which the target lacks a part.
    """
    parts = landed(root, mid, onto, tip)
    base = refs.merge_base(root, tip, onto) if parts else None
    for part in parts:
        known = base is not None and refs.is_ancestor(root, part.commit, base)
        if not undone(root, mid, part, onto) or (known and base and undone(root, mid, part, base)):
            continue
        if _missed(root, part, onto, tip):
            raise proof.NotLanded(
                f"{mid}/{part.slice} was landed as {part.commit[:10]} and is not on the target any more",
                hint=f"To have it back, revert the revert; or bring that into the branch: gsd parallel rebase {mid}",
            )
    return parts


def joined(root: Path, landing: str, tip: str, message: str) -> str:
    """A commit with the tree of `landing` that descends from `tip`, then from `landing`."""
    parents = ("-p", tip, "-p", landing)
    return git(root, "commit-tree", *signing(root), f"{landing}^{{tree}}", *parents, "-m", message.rstrip()).line


def undone(root: Path, mid: str, landing: proof.Landing, now: str) -> bool:
    """Whether every file that the landing changed is again what it was before it."""
    try:
        proof.require_not_undone(root, mid, landing, now)
    except proof.NotLanded:
        return True
    return False


def _of_branch(root: Path, landing: proof.Landing, tip: str) -> bool:
    """Whether the branch descends from what was landed; the commit may be unknown here."""
    if landing.tip == tip:
        return True
    return refs.resolve(root, landing.tip) is not None and refs.is_ancestor(root, landing.tip, tip)


def _missed(root: Path, part: proof.Landing, onto: str, tip: str) -> bool:
    """Whether the branch has any of the files that the landing brought otherwise than the target has them."""
    brought = {change.path for change in differences(root, part.before, part.commit)}
    return any(change.path in brought for change in differences(root, onto, tip))
