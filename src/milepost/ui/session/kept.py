"""What was typed before: kept below the directory of global settings, for its user's eyes only.

One line of JSON each, the latest last. Answers to questions are not kept, since they may be secrets. A home that cannot
be written costs the history and nothing else.
"""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from prompt_toolkit.history import History

FILE: Final = "session-history"
_MOST: Final = 1_000
"""So many lines are known; a file with twice as many is cut to them."""


class Kept(History):
    """The history on disk."""

    def __init__(self, home: Path, wanted: Callable[[], bool]) -> None:
        """wanted: whether the line that is typed just now may be kept."""
        super().__init__()
        self._path = home / FILE
        self._wanted = wanted

    def append_string(self, string: str) -> None:
        """Remember a line, if it may be."""
        if self._wanted():
            super().append_string(string)

    def load_history_strings(self) -> Iterable[str]:
        """The latest first."""
        lines = list[str]()
        with suppress(OSError):
            lines = self._path.read_text("utf-8", errors="replace").splitlines()
        if len(lines) > 2 * _MOST:
            self._write("w", lines[-_MOST:])
        return [text for line in reversed(lines[-_MOST:]) if (text := _read(line))]

    def store_string(self, string: str) -> None:
        """Append it."""
        self._write("a", [json.dumps(string)])

    def _write(self, mode: str, lines: list[str]) -> None:
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(self._path, mode, encoding="utf-8", opener=_private) as file:
                os.fchmod(file.fileno(), 0o600)
                file.write("".join(f"{line}\n" for line in lines))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(line: str) -> str:
    with suppress(ValueError):
        found = json.loads(line)
        return found if isinstance(found, str) else ""
    return ""
