"""Readable names in a computed conflict: git was given commits, and wrote their ids into markers and file names.

    <<<<<<< 4dc5ef69…            becomes    <<<<<<< milestone/M001
    lib~89680f83…                becomes    lib~main

Source: parallel PR-196.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from milepost.git.merge_tree import Conflict, Entry, entry_at
from milepost.git.run import git, raw
from milepost.git.snapshots import private_index


def named(
    where: Path, tree: str, conflicts: Sequence[Conflict], names: Mapping[str, str]
) -> tuple[str, tuple[Conflict, ...]]:
    """The tree and its conflicts with names in place of commit ids. names: by commit."""
    lines, nothing = b"", "0" * len(tree)
    renamed = []
    for conflict in conflicts:
        path = _path(conflict.path, names)
        renamed.append(replace(conflict, path=path))
        entry = entry_at(where, tree, conflict.path)
        fresh = None if entry is None else _entry(where, entry, names)
        if fresh is not None and (path, fresh) != (conflict.path, entry):
            lines += raw(f"0 {nothing}\t{conflict.path}\0{fresh.mode} {fresh.blob}\t{path}\0")
    if not lines:
        return tree, tuple(renamed)
    with private_index(where, like=tree) as index:
        git(where, "update-index", "-z", "--index-info", stdin=lines, index=index)
        return git(where, "write-tree", index=index).line, tuple(renamed)


def _path(path: str, names: Mapping[str, str]) -> str:
    for commit, name in names.items():
        path = path.replace(f"~{commit}", f"~{name.replace('/', '_')}")
    return path


def _entry(where: Path, entry: Entry, names: Mapping[str, str]) -> Entry:
    """The same file with its markers renamed; links and submodules have none."""
    if not entry.mode.startswith("100"):
        return entry
    old = raw(git(where, "cat-file", "blob", entry.blob).out)
    new = old
    for commit, name in names.items():
        sign = re.compile(rb"^([<|>]+ )" + commit.encode("ascii"), re.MULTILINE)
        new = sign.sub(rb"\g<1>" + raw(name).replace(b"\\", rb"\\"), new)
    if new == old:
        return entry
    return replace(entry, blob=git(where, "hash-object", "-w", "--stdin", stdin=new).line)
