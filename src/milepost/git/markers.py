"""Conflict markers that still stand in a file.

    <<<<<<< milestone/M001
    ||||||| 4be1f02               with `merge.conflictStyle` diff3 or zdiff3
    =======
    >>>>>>> main

A line that looks like one and stands in a side's own version is text: a heading underlined with seven signs, or a
page about conflicts. So lines are counted, and only those that no side brought are markers. Pure.
Source: gitattributes(5) `conflict-marker-size`; parallel DV-16, FM-84.
"""

import re
from collections import Counter
from collections.abc import Iterable

USUAL_SIZE = 7
_BINARY_WITHIN = 8000
"""Bytes in which git looks for a NUL, to tell binary files."""


def leftover(
    text: bytes, *, base: bytes = b"", one: bytes = b"", other: bytes = b"", size: int = USUAL_SIZE
) -> tuple[int, ...]:
    """The numbers of the lines that are conflict markers; empty for a binary file.

    base, one, other: the versions that were merged, empty for none. size: the shortest run of signs that is a marker.
    """
    if b"\0" in text[:_BINARY_WITHIN]:
        return ()
    outer = _outer(min(size, USUAL_SIZE))
    divider = _divider({size, USUAL_SIZE} | {_run(line) for _, line in _fitting(text, outer)})
    found = sorted({*_fitting(text, outer), *_fitting(text, divider)})
    if not found:
        return ()
    in_base, in_one, in_other = (
        _count([*_fitting(version, outer), *_fitting(version, divider)]) for version in (base, one, other)
    )
    here = _count(found)
    return tuple(
        number
        for number, line in found
        if here[line] > max(in_one[line], in_other[line], in_one[line] + in_other[line] - in_base[line])
    )


def _outer(shortest: int) -> re.Pattern[bytes]:
    """Git writes a sign or two more for a conflict within a conflict."""
    return re.compile(rf"(?:<{{{shortest},}}|>{{{shortest},}}|\|{{{shortest},}})(?: .*)?\Z".encode())


def _divider(lengths: set[int]) -> re.Pattern[bytes]:
    """A rule of any other length is a rule."""
    return re.compile(rf"(?:{'|'.join(f'={{{length}}}' for length in sorted(lengths))})\Z".encode())


def _run(line: bytes) -> int:
    return len(line) - len(line.lstrip(line[:1]))


def _fitting(text: bytes, expression: re.Pattern[bytes]) -> list[tuple[int, bytes]]:
    lines = ((number, line.rstrip(b"\r")) for number, line in enumerate(text.split(b"\n"), start=1))
    return [(number, line) for number, line in lines if expression.match(line)]


def _count(found: Iterable[tuple[int, bytes]]) -> Counter[bytes]:
    return Counter(line for _, line in found)
