"""`S##-UAT.md` and `S##-UAT-RESULT.md`: the acceptance test of a slice and how it went.

    ## UAT Type

    - UAT mode: artifact-driven

    ---
    sliceId: S01
    verdict: PASS
    ---

Releases from 2.59 on write the result into `S##-ASSESSMENT.md`; a reassessment there has other verdicts (`no-change`)
and is no test result. Source: spec auto 2.20, 8.12, in-the-wild 6.
"""

from milepost.formats import validation
from milepost.formats._markdown import bullets, section

_TYPES = (
    "artifact-driven",
    "browser-executable",
    "runtime-executable",
    "live-runtime",
    "human-experience",
    "mixed",
)
_WITH_PEOPLE = ("mixed", "human-experience", "live-runtime")
_VERDICTS = {
    "pass": "pass",
    "passed": "pass",
    "fail": "fail",
    "failed": "fail",
    "partial": "partial",
    "surfaced-for-human-review": "surfaced-for-human-review",
}


def mode(text: str) -> str:
    """How the test is carried out; `artifact-driven` when it does not say."""
    for line in bullets(section(text, "UAT Type")):
        key, _, value = line.replace("*", "").partition(":")
        if key.strip().lower() == "uat mode":
            return next((name for name in _TYPES if value.strip().lower().startswith(name)), _TYPES[0])
    return _TYPES[0]


def verdict(text: str) -> str | None:
    """`pass`, `fail`, `partial` or `surfaced-for-human-review`; None for a text that is no test result."""
    return _VERDICTS.get(validation.word(text)) if text else None


def acceptable(outcome: str, kind: str) -> bool:
    """Whether work goes on after this outcome: on a pass, and on a partial one where people take part in the test."""
    return outcome == "pass" or (outcome == "partial" and kind in _WITH_PEOPLE)
