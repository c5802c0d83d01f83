"""The files of the journal: which there are, and what a line says.

One file per writer below `journal/`. Source: DESIGN rule 1; FM-48.
"""

import os
from pathlib import Path

import msgspec

from milepost.formats.journal import AnyEvent
from milepost.model.work import of_directory

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def names(directory: Path) -> list[str]:
    """The files of all writers below a `journal/` directory, in order; empty when it is missing.

    A writer is a milestone, a quick task or a word. What a cloud drive made of two copies (`M001 2.jsonl`) is none:
    its events would count twice.
    """
    try:
        found = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in found if name.endswith(".jsonl") and is_writer(name.removesuffix(".jsonl")))


def read(line: bytes) -> AnyEvent | None:
    """The event of one line; None for a torn one, or one of a newer version."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_writer(name: str) -> bool:
    """Whether a file of that name is read."""
    return (name.isalpha() and name.islower()) or of_directory(name)
