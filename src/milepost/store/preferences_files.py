"""The settings files one by one: what each says and at which line, and one of them written anew.

`store.preferences` gives what they say together; this is for showing where a setting comes from and for changing it.
Source: spec auto 2.9, issue "Preferences".
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from milepost.errors import FormatError, MilepostError
from milepost.formats.preferences import Preferences
from milepost.formats.preferences_layers import Problem, resolve
from milepost.formats.preferences_origins import Setting, settings
from milepost.formats.preferences_yaml import Merged, Parsed, combine, parse
from milepost.store import atomic, flock, preferences, regular

_LARGEST = 2_000_000
_NOTHING = Parsed(raw={}, problems=(), lines={})


class WouldNotHold(MilepostError):
    """With the change, the settings would have errors; nothing was written."""


class File(NamedTuple):
    """One of the two files."""

    path: str
    """Where it is, or would be made; empty: there is no project."""
    shown: str
    text: str = ""
    parsed: Parsed = _NOTHING
    there: bool = False

    def saying(self, text: str) -> "File":
        """The same file with another text."""
        return self._replace(text=text, parsed=parse(text, self.shown), there=True)


class Files(NamedTuple):
    """Both."""

    below: File
    above: File

    def merged(self) -> Merged:
        """What they set together."""
        return combine(self.below.parsed, self.above.parsed, paths=(self.below.shown, self.above.shown))

    def resolved(self) -> Preferences:
        """With mode, profile and defaults."""
        return resolve(self.merged().raw)

    def settings(self) -> tuple[Setting, ...]:
        """Every key, what holds, and where that comes from."""
        return settings(
            self.resolved(),
            self.merged().raw,
            (self.below.parsed, self.above.parsed),
            (self.below.shown, self.above.shown),
        )

    def with_text(self, *, globally: bool, text: str) -> "Files":
        """As if one of them said something else."""
        return (
            self._replace(below=self.below.saying(text)) if globally else self._replace(above=self.above.saying(text))
        )

    def of(self, *, globally: bool) -> File:
        """The one that is meant."""
        return self.below if globally else self.above


def read(root: str, home: str, *, state_dir: str = ".gsd") -> Files:
    """Both files. root: empty outside a project. Raises FormatError for one that is no text, OSError."""
    below, above = preferences.places(root or os.path.join(home, "none"), home, state_dir=state_dir)
    inner = os.path.expanduser("~")
    shown = f"~{below.removeprefix(inner)}" if below.startswith(f"{inner}{os.sep}") else below
    if not root:
        return Files(_file(below, shown), File("", ""))
    project = _file(above, os.path.relpath(above, root))
    same = project.there and os.path.exists(below) and os.path.samefile(above, below)
    return Files(File(below, shown) if same else _file(below, shown), project)


def _file(path: str, shown: str) -> File:
    try:
        data = regular.read(path, most=_LARGEST)
    except FileNotFoundError:
        return File(path, shown)
    try:
        return File(path, shown).saying(data.decode())
    except UnicodeDecodeError as error:
        raise FormatError(shown, 0, f"not UTF-8 at byte {error.start}") from None


def new_errors(before: Files, after: Files) -> tuple[Problem, ...]:
    """Errors that a change would bring in; those that were there stay the author's."""
    known = {(problem.key, problem.message) for problem in before.merged().problems}
    return tuple(
        problem
        for problem in after.merged().problems
        if problem.severity == "error" and (problem.key, problem.message) not in known
    )


def require(before: Files, after: Files) -> None:
    """Raise WouldNotHold when a change would bring errors in."""
    if errors := new_errors(before, after):
        raise WouldNotHold("; ".join(map(str, errors)), hint="Nothing was written.")


def write(file: File) -> None:
    """Replace a file whole, bytes as given. Raises OSError."""
    atomic.replace(Path(file.path), file.text.encode())


@contextmanager
def alone(file: File) -> Iterator[None]:
    """Nobody else who asks for this changes the file meanwhile."""
    directory = Path(file.path).parent
    descriptor = flock.wait_for(directory)
    try:
        yield
    finally:
        flock.release(descriptor)


def at(raw: Mapping[str, object], key: str) -> object:
    """What a dotted key is set to; None: it is not."""
    found: object = raw
    for name in key.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
