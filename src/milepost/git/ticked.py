"""The list of milestones in PROJECT.md, ticked in the very commit that lands the milestone.

    - [ ] M001: Fetch and store        →        - [x] M001: Fetch and store

In the commit and not before, since until then it is not so; nothing else of the file changes, but for lines that both
sides of the merge had listed. A file that the user is editing is left alone. Source: spec auto 2.2.
"""

from pathlib import Path

from milepost.formats import project_edit
from milepost.git.merge_tree import Entry, entry_at
from milepost.git.resolve import rewritten
from milepost.git.run import git, raw

_NAMES = ("PROJECT.md", "project.md")


def ticked(root: Path, tree: str, mid: str, *, state_dir: str) -> str:
    """`tree` with the milestone ticked; the very same tree where nothing lists it, or somebody edits the list."""
    for path in (f"{state_dir}/{name}" for name in _NAMES):
        entry = entry_at(root, tree, path)
        if entry is None:
            continue
        text = git(root, "cat-file", "blob", entry.blob).out
        new = project_edit.settled(text, mid) if mid in text else text
        if new == text or git(root, "status", "--porcelain", "--", path).out:
            return tree
        blob = git(root, "hash-object", "-w", "--stdin", stdin=raw(new)).line
        return rewritten(root, tree, {path: Entry(mode=entry.mode, blob=blob)})
    return tree
