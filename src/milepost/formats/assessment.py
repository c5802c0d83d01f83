"""`S##-ASSESSMENT.md`: whether the roadmap still holds after a slice.

    ---
    date: 2026-03-14
    triggering_slice: M001/S03
    verdict: no-change
    ---
    # Reassessment: M001/S03

Free text in most projects (`**Verdict:** Roadmap confirmed — no changes needed.`); its existence says that the
reassessment was done. Releases from 2.59 on also write the result of an acceptance test here, with verdicts of its
own: that is `formats.uat`. Source: spec auto 2.22, in-the-wild 6.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from milepost.formats import uat
from milepost.formats._markdown import bold_field, frontmatter, scalar

_UNCHANGED: Final = re.compile(
    r"\bno[\s_-]?changes?(?:\b|_)|unchanged|confirmed|still (?:makes sense|holds|good)", re.IGNORECASE
)
_CHANGED: Final = re.compile(r"\bmodified\b|\bchanged\b|\badjusted\b|\bupdated\b", re.IGNORECASE)
_VERDICT_LINE: Final = re.compile(r"^(?:#+\s*|\*\*)(?:Verdict|Result):?\**:?\s*(.*)", re.MULTILINE | re.IGNORECASE)


class Said(StrEnum):
    """What an assessment comes to."""

    UNCHANGED = "no-change"
    MODIFIED = "modified"
    TEST_RESULT = "test-result"
    """It is the result of an acceptance test."""
    UNCLEAR = "unclear"


class Assessment(NamedTuple):
    """The file."""

    said: Said
    verdict: str
    """The words themselves, empty when there are none."""
    slice: str
    """`M001/S03`, empty when it does not say."""


def parse(text: str) -> Assessment:
    """What the file says. Never raises."""
    fields = frontmatter(text)
    line = _VERDICT_LINE.search(text)
    verdict = scalar(fields, "verdict") or scalar(fields, "assessment") or scalar(fields, "result")
    verdict = verdict or (line[1].strip().strip("*") if line else "")
    return Assessment(
        said=_said(text, verdict),
        verdict=verdict,
        slice=scalar(fields, "triggering_slice") or bold_field(text, "Completed Slice"),
    )


def _said(text: str, verdict: str) -> Said:
    if uat.verdict(text) is not None:
        return Said.TEST_RESULT
    if _UNCHANGED.search(verdict):
        return Said.UNCHANGED
    return Said.MODIFIED if _CHANGED.search(verdict) else Said.UNCLEAR
