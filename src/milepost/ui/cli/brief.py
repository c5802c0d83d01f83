"""What somebody wants, as text: from a file, standard input or the command line, refused before anything is paid.

Every session that comes after reads it, so it is text and no longer than a person writes.
"""

import os
import sys
from pathlib import Path
from typing import Final

from milepost.errors import MilepostError

MOST_BYTES: Final = 200_000
"""A thick specification; some 50 thousand tokens."""
_IN_WORDS: Final = f"{MOST_BYTES // 1000} kB"
_ODD: Final = frozenset(map(chr, range(32))) - set("\t\n\r\f\x1b")


class NotABrief(MilepostError):
    """What was given cannot be handed to a session; nothing was written."""


def read(source: str) -> str:
    """The text of a file, of standard input when `-`. Raises NotABrief, or OSError for what cannot be opened."""
    if source == "-":
        return checked(sys.stdin.buffer.read(MOST_BYTES + 1), "standard input")
    # A pipe will do (`<(…)`); of one without an end only so much is read.
    with Path(source).open("rb") as file:
        return checked(file.read(MOST_BYTES + 1), source)


def typed(text: str) -> str:
    """Words of the command line. Raises NotABrief."""
    return checked(os.fsencode(text), "the text")


def checked(data: bytes, name: str) -> str:
    """The text. Raises NotABrief for what is no UTF-8 text, or longer than MOST_BYTES."""
    if len(data) > MOST_BYTES:
        raise NotABrief(
            f"{name} is larger than {_IN_WORDS}, which is more than a session can be told",
            hint="Say in a page or two what you want; put the rest into the repository and name the file.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotABrief(f"{name} is no UTF-8 text (byte {error.start + 1})", hint=_AS_TEXT) from None
    if odd := next((char for char in text if char in _ODD), ""):
        raise NotABrief(f"{name} is no text: it has the control character {odd!r}", hint=_AS_TEXT)
    return text


_AS_TEXT: Final = "Save it as plain text or Markdown in UTF-8."
