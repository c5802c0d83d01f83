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
from milepost.formats._markdown import bullets, front_scalar, section

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


def with_people(kind: str) -> bool:
    """Whether a test of this mode ends with a person's word: what a session can do of it is a part only."""
    return kind in _WITH_PEOPLE


def remedied(slice_context: str) -> str:
    """The slice whose test the slice with this context is a remedy for; empty when it is an ordinary one."""
    return front_scalar(slice_context, "remediates")


def by_person(text: str) -> bool:
    """Whether the verdict is one that a person recorded."""
    return validation.by_person(text)


def reopen(text: str) -> str:
    """`text` with its verdict kept under another name, so that the test is carried out again."""
    return validation.reopen(text)


def record(text: str, sid: str, kind: str, verdict: str, *, note: str, at: str) -> str:
    """The result with a person's verdict (`PASS`, `FAIL`) in it; a new one when `text` is empty. at: ISO time."""
    old = text or f"---\nsliceId: {sid}\nuatType: {kind}\nverdict: {verdict}\ndate: {at}\n---\n# UAT result: {sid}\n"
    fields = {"verdict": verdict, "date": at, validation.RECORDED_BY: validation.PERSON}
    return validation.noted(validation.with_fields(old, fields), verdict, note=note, at=at)
