"""One setting looked up or changed, in the project's file or the global one, with or without a project around.

Source: spec auto 2.9, issue "Preferences".
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from milepost.errors import MilepostError
from milepost.formats.preferences_edit import Value, edit
from milepost.formats.preferences_origins import Setting
from milepost.formats.preferences_unset import unset
from milepost.store import preferences_files as files
from milepost.store.preferences_files import File, Files
from milepost.ui.cli import context
from milepost.ui.cli.main import state_dir


class NoProjectHere(MilepostError):
    """A setting was to go into a project's file, and there is no project."""


class Scope(NamedTuple):
    """Which of the two files is meant, and where both are."""

    root: str
    """Empty: there is no project."""
    home: str
    state_dir: str
    globally: bool

    def files(self) -> Files:
        """What they say now."""
        return files.read(self.root, self.home, state_dir=self.state_dir)


def scope(program: str, *, globally: bool = False, writes: bool = False) -> Scope:
    """Where settings are. writes: there must be a place for a change. Raises NoProjectHere."""
    try:
        where = context.find(program)
    except context.NoProject as error:
        if writes and not globally:
            raise NoProjectHere(str(error), hint="--global sets it for all projects.") from None
        name = state_dir(program)
        return Scope("", context.home(name), name, globally)
    return Scope(where.root, where.home, where.state_dir, globally)


def change(wanted: Mapping[str, Value], place: Scope) -> tuple[Files, Files]:
    """Set several keys, None takes one out; what the files said and say. Writes once, or nothing at all.

    Raises FormatError for what cannot be edited, WouldNotHold when the settings would then have errors, OSError.
    """
    with files.alone(place.files().of(globally=place.globally)):
        before = place.files()
        file = before.of(globally=place.globally)
        text = file.text
        for key, value in wanted.items():
            text = unset(text, key, path=file.shown) if value is None else edit(text, key, value, path=file.shown)
        after = before.with_text(globally=place.globally, text=text)
        files.require(before, after)
        if text != file.text:
            files.write(after.of(globally=place.globally))
    return before, after


def setting(key: str, found: Files) -> Setting | None:
    """What holds for a key; None for an object of keys."""
    return next((one for one in found.settings() if one.key == key), None)


def overridden(key: str, found: Files, *, globally: bool) -> str:
    """Where a project says otherwise than the global file that was changed; empty: it does not."""
    line = found.above.parsed.lines.get(key)
    return f"{found.above.shown}:{line}" if globally and line else ""


def shown(file: File) -> str:
    """The file's name for people, below the current directory or in full."""
    return file.shown or os.fspath(file.path)
