"""The merged tree with planning files and built files settled by policy; code is left exactly as git merged it.

    combined = combine(root, onto, tip)
    if files := in_code(combined, mid=mid, state_dir=state_dir, generated=patterns):
        …                                  a person is asked
    settled = settle(root, combined, onto, mid=mid, state_dir=state_dir, generated=patterns)

In `combined` the first commit is the target's side and the second the milestone's, whichever is merged into which.
Source: DESIGN "Parallel"; rules.merging; parallel FM-98, FM-99.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from milepost.git.merge_tree import Combined, Conflict, Entry, differences, entry_at
from milepost.git.run import GitFailed, git, raw
from milepost.git.snapshots import private_index
from milepost.rules.merging import Side, side

Policy: TypeAlias = Callable[[str], Side]
"""What is done with a repository path that both sides changed."""

_TOO_MANY = 127
"""`git merge-file` ends with the number of conflicts, at most this."""

_HOW = {
    Side.CODE: "as git merged it",
    Side.MILESTONE: "the milestone's version",
    Side.TARGET: "the target's version",
    Side.UNION: "lines of both sides",
    Side.DERIVED: "derived, left as the target has it",
    Side.GENERATED: "generated, the milestone's version",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A planning file, or a built one, that policy settled."""

    path: str
    side: Side
    conflicted: bool
    """False: a derived file that was only kept out."""

    def __str__(self) -> str:
        return f"{self.path}: {_HOW[self.side]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The tree to land."""

    tree: str
    resolved: tuple[Resolved, ...]


def landing_policy(*, mid: str, state_dir: str, generated: Sequence[str] = ()) -> Policy:
    """How milestone `mid` and its target are merged: planning files by `rules.merging`, built ones as it has them.

    generated: patterns as in `.gitignore`. Source: DESIGN "Parallel"; parallel FM-98, FM-99.
    """
    return lambda path: side(path, mid=mid, state_dir=state_dir, generated=generated)


def in_code(combined: Combined, *, mid: str, state_dir: str, generated: Sequence[str] = ()) -> tuple[Conflict, ...]:
    """The conflicts that the policy of a landing may not settle."""
    return unsettled(combined, landing_policy(mid=mid, state_dir=state_dir, generated=generated))


def settle(
    where: Path, combined: Combined, target: str, *, mid: str, state_dir: str, generated: Sequence[str] = ()
) -> Settled:
    """Settle by the policy of a landing, and keep derived files as the target has them. Raises GitFailed."""
    return settle_by(where, combined, landing_policy(mid=mid, state_dir=state_dir, generated=generated), keep=target)


def unsettled(combined: Combined, policy: Policy) -> tuple[Conflict, ...]:
    """The conflicts that only a person can settle."""
    return tuple(found for found in combined.conflicts if _for_people(found, policy(found.path)))


def settle_by(where: Path, combined: Combined, policy: Policy, *, keep: str) -> Settled:
    """Settle the conflicts that the policy has a side for, and leave derived files as the commit `keep` has them.

    Raises GitFailed if anything else than the settled paths changed on the way.
    """
    settled = set(combined.conflicts) - set(unsettled(combined, policy))
    kept = {changed.path: changed.old for changed in differences(where, keep, combined.tree)}
    decided: dict[str, tuple[Resolved, Entry | None]] = {}
    for conflict in (found for found in combined.conflicts if found in settled):
        chosen = policy(conflict.path)
        derived = chosen is Side.DERIVED
        entry = entry_at(where, keep, conflict.path) if derived else _choose(where, chosen, conflict, combined)
        decided[conflict.path] = (Resolved(path=conflict.path, side=chosen, conflicted=True), entry)
    for path, entry in kept.items():
        if path not in decided and policy(path) is Side.DERIVED:
            decided[path] = (Resolved(path=path, side=Side.DERIVED, conflicted=False), entry)
    if not decided:
        return Settled(tree=combined.tree, resolved=())
    tree = rewritten(where, combined.tree, {path: entry for path, (_, entry) in decided.items()})
    _prove(where, combined.tree, tree, set(decided))
    return Settled(tree=tree, resolved=tuple(report for report, _ in decided.values()))


def _for_people(conflict: Conflict, chosen: Side) -> bool:
    """A conflict of names can be settled only for built files, whose other names are nobody's work."""
    return chosen is Side.CODE or (conflict.odd and not (conflict.renamed and chosen is Side.GENERATED))


def _choose(where: Path, chosen: Side, conflict: Conflict, combined: Combined) -> Entry | None:
    match chosen:
        case Side.GENERATED if conflict.renamed:
            # Git has merged the contents of both names, markers and all, and calls that the version of each side.
            return entry_at(where, combined.milestone, conflict.path)
        case Side.MILESTONE | Side.GENERATED:
            return conflict.milestone
        case Side.TARGET | Side.DERIVED:
            return conflict.target
        case Side.UNION | Side.CODE:
            return _union(where, conflict)


def _union(where: Path, conflict: Conflict) -> Entry | None:
    """Lines of both; the one that is left when the other deleted it."""
    if conflict.target is None or conflict.milestone is None:
        return conflict.target or conflict.milestone
    with tempfile.TemporaryDirectory(prefix="gsd-union-") as directory:
        files = []
        for name, entry in (("target", conflict.target), ("base", conflict.base), ("milestone", conflict.milestone)):
            file = Path(directory) / name
            file.write_bytes(raw(git(where, "cat-file", "blob", entry.blob).out) if entry else b"")
            files.append(str(file))
        merged = git(where, "merge-file", "-p", "--union", *files, ok=tuple(range(_TOO_MANY + 1)))
    blob = git(where, "hash-object", "-w", "--stdin", stdin=raw(merged.out)).line
    return Entry(mode=conflict.target.mode, blob=blob)


def rewritten(where: Path, tree: str, entries: dict[str, Entry | None]) -> str:
    """`tree` with these paths replaced; None removes one."""
    nothing = "0" * len(tree)
    lines = b"".join(
        raw(f"{entry.mode} {entry.blob}\t{path}\0" if entry else f"0 {nothing}\t{path}\0")
        for path, entry in entries.items()
    )
    with private_index(where, like=tree) as index:
        git(where, "update-index", "-z", "--index-info", stdin=lines, index=index)
        return git(where, "write-tree", index=index).line


def _prove(where: Path, merged: str, final: str, settled: set[str]) -> None:
    strayed = [changed.path for changed in differences(where, merged, final) if changed.path not in settled]
    if strayed:
        raise GitFailed(("write-tree",), 1, f"fatal: settling planning files changed {', '.join(strayed[:5])}")
