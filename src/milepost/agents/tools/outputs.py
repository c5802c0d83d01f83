"""Outputs too long for the model: head and tail are shown, the whole is kept on disk and named."""

import os
from pathlib import Path

LIMIT = 16_000
"""Characters of one tool result, about 4,000 tokens; most test runs and files fit."""


def shorten(text: str, *, limit: int = LIMIT, note: str) -> str:
    """`text` if it fits, else its head and tail around a line that says how much is left out, and `note`."""
    if len(text) <= limit:
        return text
    head, tail = _head(text[: limit * 3 // 5]), _tail(text[-(limit * 2 // 5) :])
    left_out = text[len(head) : len(text) - len(tail)]
    lines = left_out.count("\n")
    return f"{head}\n[{len(left_out)} characters, {lines} lines left out; {note}]\n{tail}"


def keep(text: str, directory: Path, name: str) -> Path:
    """Write `text` whole to a new file in `directory` and return it. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, 100_000):
        path = directory / f"{number:04d}-{name}.txt"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        return path
    raise FileExistsError(f"{directory}: too many kept outputs")


def _head(text: str) -> str:
    cut = text.rfind("\n", len(text) // 2)
    return text[:cut] if cut > 0 else text


def _tail(text: str) -> str:
    cut = text.find("\n", 0, len(text) // 2)
    return text[cut + 1 :] if cut >= 0 else text
