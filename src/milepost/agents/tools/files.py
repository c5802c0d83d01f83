"""Read, write, edit and list: the tools that touch files. Paths come resolved and contained (`paths.contain`).

A file is opened without following a link at its last step, so a link put there after the check leads nowhere.
Texts that the model gave are written byte for byte; what an edit does not replace stays as it was.
"""

import os
import stat
from itertools import islice
from pathlib import Path

from milepost.agents.tools.outputs import LIMIT, shorten

_WHOLE = 2_000_000
"""Bytes up to which a file is read whole; of a larger one only head and tail are looked at."""
_ENTRIES = 500
"""Names shown of one directory."""


class ToolFailed(Exception):
    """The tool could not do what was asked; the text is for the model."""


def read(path: Path, start: int, end: int | None) -> str:
    """The text of a file, or lines `start` to `end` (from 1, inclusive); long ones shortened.

    Raises ToolFailed for a directory, a device, a binary file or lines that are not there; OSError as it comes.
    """
    _require_file(path)
    with open(_open(path, os.O_RDONLY), "rb") as file:
        if b"\0" in file.peek(8192)[:8192]:
            raise ToolFailed(
                f"{path.name} is binary ({os.fstat(file.fileno()).st_size} bytes); it has no text to show."
            )
        if start <= 1 and end is None:
            text = _head_and_tail(file.read(_WHOLE + 1), path)
        else:
            text = b"".join(islice(file, max(start, 1) - 1, None if end is None else max(end, 0))).decode(
                "utf-8", "replace"
            )
            if not text:
                raise ToolFailed(f"{path.name} has no line {start}.")
    return shorten(text, note="read them with start and end") or "(empty file)"


def write(path: Path, content: str) -> str:
    """Create or replace a file; its directories are made. Raises ToolFailed for what is no file; OSError."""
    existed = path.exists()
    if existed:
        _require_file(path)
    data = content.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(_open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        file.write(data)
    return f"{'Replaced' if existed else 'Created'} {path.name}, {len(data)} bytes."


def edit(path: Path, old: str, new: str) -> str:
    """Replace the one place where `old` stands. A file with CRLF is matched by texts with LF too.

    Raises ToolFailed when `old` is empty, is not there or is there more than once; OSError.
    """
    _require_file(path)
    if not old or old == new:
        raise ToolFailed("`old` must hold text, and `new` another one.")
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    if old not in text and "\r\n" in text:
        old, new = _crlf(old), _crlf(new)
    count = text.count(old)
    if count == 0:
        raise ToolFailed(f"`old` is not in {path.name} as given; read the file and copy it exactly.")
    if count > 1:
        lines = ", ".join(str(line) for line in _lines_of(text, old)[:5])
        raise ToolFailed(f"`old` stands {count} times in {path.name} (lines {lines}); give more of what is around it.")
    data = text.replace(old, new).encode("utf-8", "surrogateescape")
    with open(_open(path, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(data)
    return f"Edited {path.name} at line {_lines_of(text, old)[0]}."


def names(path: Path) -> str:
    """The names in a directory, sorted, directories with `/`; without `.git`. Raises ToolFailed, OSError."""
    if not path.is_dir():
        raise ToolFailed(f"{path.name} is no directory." if path.exists() else f"There is no directory {path.name}.")
    with os.scandir(path) as entries:
        found = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in entries if entry.name != ".git")
    more = [f"[{len(found) - _ENTRIES} more]"] if len(found) > _ENTRIES else []
    return "\n".join(found[:_ENTRIES] + more) or "(empty directory)"


def _require_file(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise ToolFailed(f"There is no file {path.name}.") from None
    if stat.S_ISDIR(mode):
        raise ToolFailed(f"{path.name} is a directory; use list.")
    if not stat.S_ISREG(mode):
        raise ToolFailed(f"{path.name} is no regular file.")


def _open(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)


def _head_and_tail(data: bytes, path: Path) -> str:
    if len(data) <= _WHOLE:
        return data.decode("utf-8", "replace")
    size = path.stat().st_size
    with open(_open(path, os.O_RDONLY), "rb") as file:
        file.seek(size - LIMIT)
        tail = file.read(LIMIT)
    head = data[:LIMIT].decode("utf-8", "replace")
    return f"{head}\n[of {size} bytes, only the beginning and the end]\n{tail.decode('utf-8', 'replace')}"


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _lines_of(text: str, part: str) -> list[int]:
    found, at = [], text.find(part)
    while at >= 0:
        found.append(text.count("\n", 0, at) + 1)
        at = text.find(part, at + len(part))
    return found
