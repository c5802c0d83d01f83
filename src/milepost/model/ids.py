"""Ids of milestones, slices and tasks: grammar and order.

A milestone id is `M` and three digits, optionally `-` and six characters of `[a-z0-9]` (`M001`, `M001-eh88as`).
Directory names are read more loosely: `M` and any number of digits, with legacy descriptors cut off.
Slice and task ids are `S01`, `S01.1`, `T03`. Source: spec auto 1.1.
"""

import re
from collections.abc import Iterable

from milepost.errors import MilepostError

_STRICT = re.compile(r"M(\d{3})(?:-[a-z0-9]{6})?\Z")
_DIRECTORY = re.compile(r"(M\d+(?:-[a-z0-9]{6}(?![A-Za-z0-9]))?)(?:-.*)?\Z")
_NUMBER = re.compile(r"M(\d+)")
_PART = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*\Z")


class BadId(MilepostError):
    """An id from outside that is not of the grammar; nothing was looked up or written with it."""


def milestone_of_directory(name: str) -> str | None:
    """The milestone id a directory name stands for, None if it stands for none.

    `M001-FLIGHT-SIM` is `M001` (legacy descriptor), `M001-eh88as-foo` is `M001-eh88as`, `notes` is None.
    """
    found = _DIRECTORY.match(name)
    return found[1] if found else None


def is_milestone(text: str) -> bool:
    """Whether `text` is a milestone id of the strict grammar."""
    return _STRICT.match(text) is not None


def require_milestone(text: str) -> str:
    """`text`, if it is a milestone id as a directory may carry it; raises BadId otherwise."""
    if milestone_of_directory(text) != text:
        raise BadId(f"{text!r} is not a milestone id", hint="An id looks like M001 or M001-ab12cd.")
    return text


def require_part(text: str) -> str:
    """`text`, if it is a slice or task id; raises BadId otherwise."""
    if not _PART.match(text):
        raise BadId(f"{text!r} is not a slice or task id", hint="Ids look like S01 and T03.")
    return text


def next_milestone(taken: Iterable[str], suffix: str = "") -> str:
    """The id after the highest of `taken`, so that a number is not given twice. suffix: six characters, or empty.

    Raises BadId when the three digits are used up.
    """
    number = max((int(found[1]) for each in taken if (found := _NUMBER.match(each))), default=0) + 1
    if number > 999:
        raise BadId(f"M{number} would have four digits", hint="Give the milestones of a finished project another home.")
    return f"M{number:03d}-{suffix}" if suffix else f"M{number:03d}"


def sequence(milestone: str) -> int:
    """The number that orders milestones: the three digits of a strict id, else 0. Never raises."""
    found = _STRICT.match(milestone)
    return int(found[1]) if found else 0
