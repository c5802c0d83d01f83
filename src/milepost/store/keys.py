"""`~/.gsd/keys`: credentials of providers and channels, for those who do not keep them in the environment.

    # one a line
    ANTHROPIC_API_KEY=sk-ant-…

Only its owner may read or write the file (mode 0600): one that others can read is refused. It lies in the directory
of global settings and never in a project. Values are taken as they stand, between quotes without these.
Source: issue "Preferences", field report 44.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from milepost.errors import FormatError, MilepostError
from milepost.store import atomic, flock, regular

FILE: Final = "keys"
MODE: Final = 0o600
NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{2,80}\Z")
_LINE: Final = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*\Z")
_LARGEST: Final = 100_000


class KeysOpen(MilepostError):
    """Others can read the file, so nothing is taken from it."""


class BadKey(MilepostError):
    """What was given is no credential that can be kept."""


class Kept(NamedTuple):
    """One line of the file."""

    name: str
    value: str


def path(home: str) -> Path:
    """Where the file is, or would be made."""
    return Path(home, FILE)


def read(home: str) -> Mapping[str, str]:
    """What is kept, by variable; empty when there is no file. Raises KeysOpen, FormatError, OSError."""
    return {kept.name: kept.value for line in _lines(path(home)) if (kept := _parsed(line)) and kept.value}


def put(home: str, name: str, value: str) -> None:
    """Keep a value under a variable's name, in place of an earlier one.

    Raises BadKey, KeysOpen, FormatError, OSError.
    """
    value = value.strip()
    if not NAME.match(name):
        raise BadKey(f"{name!r} is no variable's name", hint="Like ANTHROPIC_API_KEY: capitals, digits and _.")
    if not value or any(not character.isprintable() or character.isspace() for character in value):
        raise BadKey("a key is one line of printable characters without spaces; nothing was kept")
    file = path(home)
    with _alone(file):
        others, line = _without(_lines(file), name), f"{name}={value}\n"
        _write(file, [*others, line])


def remove(home: str, name: str) -> bool:
    """Forget a variable's value; whether there was one. Raises KeysOpen, FormatError, OSError."""
    file = path(home)
    if not file.exists():
        return False
    with _alone(file):
        lines = _lines(file)
        kept = _without(lines, name)
        if kept == lines:
            return False
        _write(file, kept)
    return True


def _lines(file: Path) -> list[str]:
    try:
        descriptor = regular.open_to_read(file)
    except FileNotFoundError:
        return []
    try:
        _require_private(file, os.fstat(descriptor))
        data = regular.rest(descriptor)
    finally:
        os.close(descriptor)
    if len(data) > _LARGEST:
        raise FormatError(str(file), 0, "too long to be a file of keys")
    try:
        lines = data.decode().splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise FormatError(str(file), 0, f"not UTF-8 at byte {error.start}") from None
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _require_private(file: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        raise KeysOpen(f"{file} belongs to another user, so no key is taken from it", hint=f"rm {file}")
    if mode & 0o077:
        raise KeysOpen(
            f"{file} can be read or written by others (mode {mode:04o}), so no key is taken from it",
            hint=f"chmod 600 {file}    and think of new keys, if others have been there",
        )


def _parsed(line: str) -> Kept | None:
    found = _LINE.match(line.strip())
    if not found:
        return None
    value = found[2]
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return Kept(found[1], value[1:-1] if quoted else value)


def _without(lines: list[str], name: str) -> list[str]:
    return [line for line in lines if (kept := _parsed(line)) is None or kept.name != name]


def _write(file: Path, lines: list[str]) -> None:
    atomic.replace(file, "".join(lines).encode(), mode=MODE)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    held = flock.wait_for(file.parent)
    try:
        yield
    finally:
        flock.release(held)
