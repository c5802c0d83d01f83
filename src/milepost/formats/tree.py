"""`.gsd/`: the directory as something that can be asked, with names and lookups.

    milestones/M001/M001-ROADMAP.md
    milestones/M001/slices/S01/S01-PLAN.md
    milestones/M001/slices/S01/tasks/T01-SUMMARY.md

All paths here are relative to the state directory and use `/`. A `Tree` answers lazily, because most of a
project is finished milestones that nobody asks about. Source: spec auto 1.1, 1.2.
"""

from typing import Protocol


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
