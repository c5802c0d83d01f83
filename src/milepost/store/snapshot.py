"""A `.gsd/` directory on disk, read when asked and never written.

Everything is read from the project root, except a milestone that is being worked on in its own worktree: while
`.gsd/worktrees/M001/.git` exists, `milestones/M001/` is that worktree's. Answers are kept for the life of one
snapshot, so that a decision rests on one state of each file; take a new one after writing. The state directory
itself may be a symbolic link; a link below it that leads out of it is not followed.
Source: DESIGN (reading), spec auto 8.2.
"""

import os
import stat
from collections.abc import Mapping

from milepost.errors import FormatError
from milepost.model.ids import milestone_of_directory

LIMIT_BYTES = 8_000_000
"""The largest document read; real ones end below half a megabyte."""


class Snapshot:
    """`formats.tree.Tree` over a directory."""

    def __init__(self, root: str, state_dir: str = ".gsd", *, homes: Mapping[str, str] | None = None) -> None:
        """root: the project's directory. homes: milestone id to the state directory to read it from, given for a
        caller that knows; otherwise found in `worktrees/`.
        """
        self.root = os.path.abspath(root)
        self.state_dir = state_dir
        self._base = os.path.join(self.root, state_dir)
        self._homes = dict(homes) if homes is not None else self._worktrees()
        self._names: dict[str, tuple[str, ...]] = {}
        self._kinds: dict[str, bool] = {}
        self._texts: dict[str, str | None] = {}
        self._contained: dict[str, bool] = {"": True}

    @property
    def homes(self) -> Mapping[str, str]:
        """Milestone id to the absolute state directory of the worktree it is read from."""
        return self._homes

    def where(self, path: str) -> str:
        """The absolute path that `path` is read from."""
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        return os.path.join(self._home(parts), *parts)

    def _home(self, parts: list[str]) -> str:
        if len(parts) > 1 and parts[0] == "milestones" and self._homes:
            return self._homes.get(milestone_of_directory(parts[1]) or "", self._base)
        return self._base

    def _leads_out(self, path: str) -> bool:
        """Whether a symbolic link on the way leads out of the state directory; such a path counts as missing."""
        known = self._contained.get(path)
        if known is None:
            parent = path.rpartition("/")[0]
            where = self.where(path)
            known = not self._leads_out(parent)
            if known and os.path.islink(where):
                home = os.path.realpath(self._home(path.split("/")))
                known = os.path.realpath(where).startswith(home + os.sep)
            self._contained[path] = known
        return not known

    def names(self, directory: str) -> tuple[str, ...]:
        """Entries of a directory, sorted; empty when it is missing, not a directory or may not be read."""
        directory = directory.strip("/")
        known = self._names.get(directory)
        if known is None:
            known = self._names[directory] = self._listed(directory)
        return known

    def is_dir(self, path: str) -> bool:
        """Whether `path` is a directory."""
        path = path.strip("/")
        known = self._kinds.get(path)
        if known is None:
            known = self._kinds[path] = not self._leads_out(path) and os.path.isdir(self.where(path))
        return known

    def text(self, path: str) -> str | None:
        """A document with LF line ends, None when it is missing or not a file.

        Raises FormatError for one that is larger than LIMIT_BYTES, holds NUL bytes or may not be read.
        """
        path = path.strip("/")
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _worktrees(self) -> dict[str, str]:
        """Milestones with a worktree that has a state directory of its own."""
        parent = os.path.join(self._base, "worktrees")
        found = {}
        for name in _listed(parent):
            home = os.path.join(parent, name, self.state_dir)
            linked = milestone_of_directory(name) == name and os.path.isfile(os.path.join(parent, name, ".git"))
            if linked and any(
                milestone_of_directory(entry) == name for entry in _listed(os.path.join(home, "milestones"))
            ):
                found[name] = home
        return found

    def _listed(self, directory: str) -> tuple[str, ...]:
        if directory != "milestones" or not self._homes:
            return self._entries(directory)
        # A milestone may exist in its worktree only.
        return tuple(sorted({*self._entries(directory), *self._homes}))

    def _entries(self, directory: str) -> tuple[str, ...]:
        if self._leads_out(directory):
            return ()
        names = []
        try:
            with os.scandir(self.where(directory)) as entries:
                for entry in entries:
                    names.append(entry.name)
                    if not entry.is_symlink():
                        self._kinds[f"{directory}/{entry.name}" if directory else entry.name] = entry.is_dir()
        except OSError:
            return ()
        return tuple(sorted(names))

    def _read(self, path: str) -> str | None:
        if self._leads_out(path):
            return None
        try:
            data = _bytes(self.where(path))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise FormatError(self._shown(path), 0, f"cannot be read ({error.strerror or error})") from error
        if data is None:
            return None
        if len(data) > LIMIT_BYTES:
            limit = f"is larger than {LIMIT_BYTES // 1_000_000} MB"
            raise FormatError(self._shown(path), 0, limit, hint="Shorten it, or move it out of the plan.")
        if b"\0" in data:
            raise FormatError(self._shown(path), 0, "is not a text file (NUL bytes)", hint="Save it as UTF-8 text.")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")

    def _shown(self, path: str) -> str:
        """The path as a person would type it at the root."""
        where = self.where(path)
        return os.path.relpath(where, self.root) if where.startswith(self.root + os.sep) else where


def _bytes(where: str) -> bytes | None:
    """What a regular file holds, at most one byte over LIMIT_BYTES; None for a pipe, a device or a socket."""
    # Without O_NONBLOCK the mere opening of a named pipe waits for a writer.
    handle = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return None
        parts, left = list[bytes](), LIMIT_BYTES + 1
        while left and (part := os.read(handle, min(left, max(found.st_size, 4_096)))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
