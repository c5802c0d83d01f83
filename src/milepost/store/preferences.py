"""The settings files on disk: which there are, what they say together, and a cache of that.

Global `~/.gsd/PREFERENCES.md` (or `preferences.md`, or the older `~/.pi/agent/gsd-preferences.md`), and the
project's `.gsd/PREFERENCES.md` (or `preferences.md`) over it. Reading YAML costs more than all else that
`gsd headless query` does, so checked settings are kept in `runtime/preferences.cache.json`, known by path,
modification time, size, inode and program version. Reading never writes. Source: spec auto 2.9.
"""

import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from milepost import __version__
from milepost.formats.preferences import Preferences
from milepost.formats.preferences_layers import Problem, Raw, resolve

if TYPE_CHECKING:
    from milepost.formats.preferences_yaml import Parsed

_NAMES: Final = ("PREFERENCES.md", "preferences.md")
_LEGACY: Final = os.path.join(".pi", "agent", "gsd-preferences.md")
_CACHE: Final = os.path.join("runtime", "preferences.cache.json")
_LARGEST: Final = 2_000_000
"""Bytes of a file that are read; the parser refuses one that long."""
_NOTHING: Final[Raw] = MappingProxyType({})


class Loaded(NamedTuple):
    """All there is to know about a project's settings."""

    preferences: Preferences
    problems: tuple[Problem, ...] = ()
    sources: tuple[str, ...] = ()
    """Files that were read, global first."""
    raw: Raw = _NOTHING
    """What these files set, merged, before profile, mode and defaults."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems with which a run should not start."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


class _File(NamedTuple):
    path: str
    shadowed: str = ""
    """A second file of the same place that is not read."""
    mtime_ns: int = 0
    size: int = 0
    inode: int = 0


def load(root: str, home: str, *, state_dir: str = ".gsd") -> Loaded:
    """The settings of the project at `root`. Writes nothing; never raises for what a file says.

    home: the global state directory (`~/.gsd`, or what GSD_HOME names). An unreadable file is a problem of
    severity error, like a wrong value; what then counts is the rest.
    """
    below, above = _found(root, home, state_dir)
    if below is None and above is None:
        return Loaded(preferences=resolve({}))
    cached = _from_cache(os.path.join(root, state_dir, _CACHE), (below, above))
    return cached if cached is not None else _read(below, above, root)


def write_cache(root: str, home: str, *, state_dir: str = ".gsd") -> bool:
    """Keep the checked settings for the next `load`; whether there was something to keep.

    Raises OSError when the state directory cannot be written.
    """
    from pathlib import Path

    from milepost.store import atomic

    below, above = _found(root, home, state_dir)
    if below is None and above is None:
        return False
    loaded = _read(below, above, root)
    content = {
        "program": __version__,
        "files": _stamps((below, above)),
        "raw": loaded.raw,
        "problems": loaded.problems,
    }
    atomic.replace(Path(root, state_dir, _CACHE), json.dumps(content, indent=2).encode() + b"\n")
    return True


def places(root: str, home: str, *, state_dir: str = ".gsd") -> tuple[str, str]:
    """The global file and the project's, as `load` reads them; where one would be made when it is not there."""
    below, above = _found(root, home, state_dir)
    return (
        below.path if below is not None else os.path.join(os.path.abspath(home), _NAMES[0]),
        above.path if above is not None else os.path.join(os.path.abspath(root), state_dir, _NAMES[0]),
    )


def _found(root: str, home: str, state_dir: str) -> tuple[_File | None, _File | None]:
    home, root = os.path.abspath(home), os.path.abspath(root)
    below = _pick(home)
    if below is None:
        below = _stat(os.path.join(os.path.dirname(home), _LEGACY))
    above = _pick(os.path.join(root, state_dir))
    if below is not None and above is not None and (below.inode, below.path) == (above.inode, above.path):
        below = None
    return below, above


def _pick(directory: str) -> _File | None:
    """The file of one place; upper case wins when both are there."""
    upper, lower = (_stat(os.path.join(directory, name)) for name in _NAMES)
    if upper is None or lower is None:
        return upper or lower
    return upper if upper.inode == lower.inode else upper._replace(shadowed=lower.path)


def _stat(path: str) -> _File | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _File(path=path, mtime_ns=found.st_mtime_ns, size=found.st_size, inode=found.st_ino)


def _read(below: _File | None, above: _File | None, root: str) -> Loaded:
    from milepost.formats.preferences_yaml import combine

    shown = (below.path if below is not None else "", os.path.relpath(above.path, root) if above is not None else "")
    merged = combine(_parsed(below, shown[0]), _parsed(above, shown[1]), paths=shown)
    shadowed = [
        Problem(file.shadowed, 0, "", f"not read: {os.path.basename(file.path)} is there too", "warning")
        for file in (below, above)
        if file is not None and file.shadowed
    ]
    return Loaded(
        preferences=resolve(merged.raw),
        problems=(*merged.problems, *shadowed),
        sources=tuple(file.path for file in (below, above) if file is not None),
        raw=merged.raw,
    )


def _parsed(file: _File | None, shown: str) -> "Parsed":
    from milepost.formats.preferences_yaml import Parsed, parse

    if file is None:
        return Parsed(raw={}, problems=(), lines={})
    try:
        with open(file.path, "rb") as handle:
            text = handle.read(_LARGEST).decode()
    except OSError as error:
        return _unreadable(shown, error.strerror or type(error).__name__)
    except UnicodeDecodeError as error:
        return _unreadable(shown, f"not UTF-8 at byte {error.start}")
    return parse(text, shown)


def _unreadable(path: str, why: str) -> "Parsed":
    from milepost.formats.preferences_yaml import Parsed

    return Parsed(raw={}, problems=(Problem(path, 0, "", f"cannot be read: {why}", "error"),), lines={})


def _stamps(files: Sequence[_File | None]) -> list[object]:
    return [list(file) for file in files if file is not None]


def _from_cache(path: str, files: Sequence[_File | None]) -> Loaded | None:
    try:
        with open(path, encoding="utf-8") as handle:
            content = json.load(handle)
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("program") != __version__:
        return None
    raw, problems = content.get("raw"), content.get("problems")
    if content.get("files") != _stamps(files) or not isinstance(raw, Mapping) or not isinstance(problems, list):
        return None
    return Loaded(
        preferences=resolve(raw),
        problems=tuple(Problem(*problem) for problem in problems),
        sources=tuple(file.path for file in files if file is not None),
        raw=raw,
    )
