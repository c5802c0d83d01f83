"""The merged tree with planning files settled by policy; code is left exactly as git merged it.

Source: DESIGN "Parallel"; rules.merging.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from milepost.git.merge_tree import Combined, Conflict, Entry, differences
from milepost.git.run import GitFailed, git, raw
from milepost.git.snapshots import private_index
from milepost.rules.merging import Side, side

_TOO_MANY = 127
"""`git merge-file` ends with the number of conflicts, at most this."""

_HOW = {
    Side.CODE: "as git merged it",
    Side.MILESTONE: "the milestone's version",
    Side.TARGET: "the target's version",
    Side.UNION: "lines of both sides",
    Side.DERIVED: "derived, left as the target has it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A planning file that policy settled."""

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


def in_code(combined: Combined, *, mid: str, state_dir: str) -> tuple[Conflict, ...]:
    """The conflicts that policy may not settle."""
    return tuple(
        conflict
        for conflict in combined.conflicts
        if conflict.odd or side(conflict.path, mid=mid, state_dir=state_dir) is Side.CODE
    )


def settle(where: Path, combined: Combined, target: str, *, mid: str, state_dir: str) -> Settled:
    """Settle the conflicts in planning files, and keep derived files as the target has them.

    Raises GitFailed if anything else than the settled paths changed on the way.
    """
    decided: dict[str, tuple[Resolved, Entry | None]] = {}
    for conflict in combined.conflicts:
        chosen = side(conflict.path, mid=mid, state_dir=state_dir)
        report = Resolved(path=conflict.path, side=chosen, conflicted=True)
        decided[conflict.path] = (report, _choose(where, chosen, conflict))
    for changed in differences(where, target, combined.tree):
        if changed.path not in decided and side(changed.path, mid=mid, state_dir=state_dir) is Side.DERIVED:
            report = Resolved(path=changed.path, side=Side.DERIVED, conflicted=False)
            decided[changed.path] = (report, changed.old)
    if not decided:
        return Settled(tree=combined.tree, resolved=())
    tree = _rewritten(where, combined.tree, {path: entry for path, (_, entry) in decided.items()})
    _prove(where, combined.tree, tree, set(decided))
    return Settled(tree=tree, resolved=tuple(report for report, _ in decided.values()))


def _choose(where: Path, chosen: Side, conflict: Conflict) -> Entry | None:
    match chosen:
        case Side.MILESTONE:
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


def _rewritten(where: Path, tree: str, entries: dict[str, Entry | None]) -> str:
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
