"""The state directory as far as it can be read: what cannot be is missing here, and remembered with the reason.

Derivation stops at the first document that it cannot read; the doctor wants to see all of them. A pipe or a device
under a document's name is not opened, because reading it would wait for ever.
"""

import os
import stat

from milepost.errors import FormatError
from milepost.store.snapshot import Snapshot


class Readable:
    """`formats.tree.Tree` over a snapshot; `problems` holds the error of each path that was asked for in vain."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.problems: dict[str, FormatError] = {}

    def names(self, directory: str) -> tuple[str, ...]:
        """Entries of a directory, sorted."""
        return self.snapshot.names(directory)

    def is_dir(self, path: str) -> bool:
        """Whether `path` is a directory."""
        return self.snapshot.is_dir(path)

    def text(self, path: str) -> str | None:
        """A document's text; None also for one that cannot be read. Never raises."""
        if path in self.problems:
            return None
        if self._odd(path):
            self.problems[path] = FormatError(self.shown(path), 0, "is neither a file nor a directory")
            return None
        try:
            return self.snapshot.text(path)
        except FormatError as error:
            self.problems[path] = error
            return None

    def where(self, path: str) -> str:
        """The absolute path that `path` is read from."""
        return self.snapshot.where(path)

    def shown(self, path: str) -> str:
        """The path as a person would type it at the project's root."""
        return self.shorten(self.where(path))

    def shorten(self, absolute: str) -> str:
        """An absolute path, relative to the project's root when it is below it."""
        root = self.snapshot.root
        return os.path.relpath(absolute, root) if absolute.startswith(root + os.sep) else absolute

    def _odd(self, path: str) -> bool:
        try:
            mode = os.stat(self.where(path)).st_mode
        except OSError:
            return False
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
