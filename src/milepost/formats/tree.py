"""`.gsd/`: the directory as something that can be asked, with names and lookups.

    milestones/M001/M001-ROADMAP.md
    milestones/M001/slices/S01/S01-PLAN.md
    milestones/M001/slices/S01/tasks/T01-SUMMARY.md

All paths here are relative to the state directory and use `/`. A `Tree` answers lazily, because most of a
project is finished milestones that nobody asks about. Source: spec auto 1.1, 1.2.
"""

from typing import Protocol

from milepost.formats import queue
from milepost.model.ids import milestone_of_directory


class Tree(Protocol):
    """One `.gsd/` directory, read-only. Two real ones: `store.snapshot.Snapshot` and `testing.trees.DictTree`."""

    def names(self, directory: str) -> tuple[str, ...]:
        """Entries of a directory, sorted; empty when it is missing or not a directory."""
        ...

    def text(self, path: str) -> str | None:
        """A file's text with LF line ends; None when it is missing or not a file.

        Bytes that are not UTF-8 come as surrogate escapes. Raises FormatError for a file that is not text
        (NUL bytes, UTF-16) or larger than the reader's limit.
        """
        ...

    def is_dir(self, path: str) -> bool:
        """Whether `path` is a directory."""
        ...


def layout(tree: Tree) -> str:
    """Which planning layout the directory holds: `milestones`, `phases` (the successor's) or `none`."""
    if milestone_ids(tree):
        return "milestones"
    if any(name[:1].isdigit() and tree.is_dir(f"phases/{name}") for name in tree.names("phases")):
        return "phases"
    return "none"


def milestone_ids(tree: Tree) -> tuple[str, ...]:
    """Every milestone that has a directory, in working order (spec auto 1.1, 1.5)."""
    present = {
        found
        for name in tree.names("milestones")
        if (found := milestone_of_directory(name)) and tree.is_dir(f"milestones/{name}")
    }
    order = tree.text("QUEUE-ORDER.json") if present and "QUEUE-ORDER.json" in tree.names("") else None
    return queue.arrange(present, queue.parse(order) if order else ())


def milestone_dir(tree: Tree, mid: str) -> str | None:
    """The milestone's directory: the bare id, else a legacy name with a descriptor; None when there is none."""
    names = tree.names("milestones")
    if mid in names and tree.is_dir(f"milestones/{mid}"):
        return f"milestones/{mid}"
    legacy = (f"milestones/{name}" for name in names if milestone_of_directory(name) == mid)
    return next((path for path in legacy if tree.is_dir(path)), None)


def slice_dir(tree: Tree, mid: str, sid: str) -> str | None:
    """The slice's directory, None when there is none."""
    home = milestone_dir(tree, mid)
    if home is None:
        return None
    names = tree.names(f"{home}/slices")
    if sid in names and tree.is_dir(f"{home}/slices/{sid}"):
        return f"{home}/slices/{sid}"
    legacy = (f"{home}/slices/{name}" for name in names if name.startswith(f"{sid}-"))
    return next((path for path in legacy if tree.is_dir(path)), None)


def milestone_file(tree: Tree, mid: str, suffix: str) -> str | None:
    """Path of an existing milestone document (`suffix`: `ROADMAP`, `CONTEXT-DRAFT` …), legacy names included."""
    return _file(tree, milestone_dir(tree, mid), mid, suffix)


def slice_file(tree: Tree, mid: str, sid: str, suffix: str) -> str | None:
    """Path of an existing slice document, legacy names included."""
    return _file(tree, slice_dir(tree, mid, sid), sid, suffix)


def task_file(tree: Tree, mid: str, sid: str, tid: str, suffix: str) -> str | None:
    """Path of an existing task document. A bare `plan.md` in `tasks/` is nobody's: it would be everybody's."""
    home = slice_dir(tree, mid, sid)
    return _file(tree, f"{home}/tasks", tid, suffix, bare=False) if home else None


def milestone_path(tree: Tree, mid: str, suffix: str) -> str:
    """Where the document is, or is to be written."""
    home = milestone_dir(tree, mid) or f"milestones/{mid}"
    return _file(tree, home, mid, suffix) or f"{home}/{mid}-{suffix}.md"


def slice_path(tree: Tree, mid: str, sid: str, suffix: str) -> str:
    """Where the document is, or is to be written."""
    home = slice_home(tree, mid, sid)
    return _file(tree, home, sid, suffix) or f"{home}/{sid}-{suffix}.md"


def task_path(tree: Tree, mid: str, sid: str, tid: str, suffix: str) -> str:
    """Where the document is, or is to be written."""
    home = f"{slice_home(tree, mid, sid)}/tasks"
    return _file(tree, home, tid, suffix, bare=False) or f"{home}/{tid}-{suffix}.md"


def slice_home(tree: Tree, mid: str, sid: str) -> str:
    """The slice's directory, existing or to be made."""
    home = milestone_dir(tree, mid) or f"milestones/{mid}"
    return slice_dir(tree, mid, sid) or f"{home}/slices/{sid}"


def root_file(tree: Tree, name: str) -> str | None:
    """Path of an existing root document: `DECISIONS` is `DECISIONS.md`, else `decisions.md`."""
    names = tree.names("")
    return next((entry for entry in (f"{name.upper()}.md", f"{name.lower()}.md") if entry in names), None)


def read(tree: Tree, path: str | None) -> str:
    """A document's text; empty when there is no path, no file, or only blanks in it."""
    text = tree.text(path) if path else None
    return text if text and text.strip() else ""


def _file(tree: Tree, home: str | None, entity: str, suffix: str, *, bare: bool = True) -> str | None:
    """`ID-SUFFIX.md` in any case, then `ID-ANYTHING-SUFFIX.md`, then `suffix.md`; first in name order."""
    if home is None:
        return None
    names = tree.names(home)
    exact = f"{entity}-{suffix}.md"
    if exact in names:
        return f"{home}/{exact}"
    folded = [(name.upper(), name) for name in names]
    wanted, head, tail = exact.upper(), f"{entity}-".upper(), f"-{suffix}.md".upper()
    for upper, name in folded:
        if upper == wanted:
            return f"{home}/{name}"
    for upper, name in folded:
        if upper.startswith(head) and upper.endswith(tail) and len(upper) > len(wanted):
            return f"{home}/{name}"
    plain = (name for upper, name in folded if bare and upper == f"{suffix}.md".upper())
    return next((f"{home}/{name}" for name in plain), None)
