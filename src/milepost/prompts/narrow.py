"""Long registers cut down to what concerns the unit.

A short register goes in whole. Of a long one stay the requirements that name this milestone or slice, or no
milestone at all, and the decisions likewise; ids are compared whole, so `S01` of another milestone and
`M001-ab12cd` for `M001` do not count. Source: spec auto 5.17 (the substring defect there), 2.3, 2.4.
"""

import re
from collections.abc import Iterable, Sequence

from milepost.formats._markdown import level

LONG_CHARS = 6_000
"""From here on a register is narrowed."""

_MENTION = re.compile(r"(?<![A-Za-z0-9_-])(M\d+(?:-[a-z0-9]{6}(?![A-Za-z0-9]))?)(?:/(S\d+(?:\.\w+)*))?(?![A-Za-z0-9])")
_LONE_SLICE = re.compile(r"(?<![A-Za-z0-9_/-])S\d+(?:\.\d+)*(?![A-Za-z0-9])")
_DECISION = re.compile(r"\s*\|\s*D\d+\s*\|")


def concerns(text: str, mid: str, sid: str) -> bool:
    """Whether `text` is about the milestone (`sid` empty) or the slice, or names nothing more special than the project.

    A mention of the milestone alone concerns all of its slices; a bare slice id counts only beside this milestone or
    where no milestone is named.
    """
    mentions = _MENTION.findall(text)
    lone = set(_LONE_SLICE.findall(text))
    ours = [slice_id for milestone, slice_id in mentions if milestone == mid]
    if mentions and not ours:
        return False
    if not sid:
        return True
    named = {slice_id for slice_id in ours if slice_id} | lone
    return not named or sid in named


def requirements(text: str, mid: str, sid: str) -> str:
    """REQUIREMENTS.md with the entries of others left out; whole when it is short."""
    if len(text) <= LONG_CHARS:
        return text
    kept, entry, left_out = list[str](), list[str](), 0
    for line in [*text.splitlines(), "## "]:
        if not 0 < level(line) <= 3:
            entry.append(line)
            continue
        block = "\n".join(entry)
        if not entry or level(entry[0]) != 3 or concerns(block, mid, sid):
            kept.append(block)
        else:
            left_out += 1
        entry = [line]
    return _with_count("\n".join(kept), left_out, "requirements")


def decisions(text: str, mid: str) -> str:
    """DECISIONS.md with the rows that belong to other milestones left out; whole when it is short."""
    if len(text) <= LONG_CHARS:
        return text
    lines = text.splitlines()
    kept = [line for line in lines if not _DECISION.match(line) or concerns(_when(line), mid, "")]
    return _with_count("\n".join(kept), len(lines) - len(kept), "decisions")


def _when(row: str) -> str:
    cells = row.strip().strip("|").split("|")
    return cells[1] if len(cells) > 1 else ""


def _with_count(text: str, left_out: int, what: str) -> str:
    return f"{text.rstrip()}\n\n[… {left_out} {what} of other milestones or slices left out.]" if left_out else text


def first(texts: Iterable[str], count: int) -> Sequence[str]:
    """The first `count` entries that are not blank."""
    return [text for text in texts if text.strip()][:count]
