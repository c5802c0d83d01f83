"""`M###-VALIDATION.md`: whether a milestone holds what it promised.

    ---
    verdict: needs-remediation
    remediation_round: 1
    ---
    # Milestone validation: M001

The verdict is `pass`, `needs-attention` or `needs-remediation`, in any case, with or without quotes; `passed` is
`pass`, so is `pass-with-notes`, and `fail` is `needs-remediation`. Without frontmatter the first bold
`**Verdict:**` of the body counts, with or without an emoji before the word. Source: spec auto 2.14.
"""

import re
from collections.abc import Mapping

from milepost.formats._markdown import frontmatter, scalar, split

PASS = "pass"  # noqa: S105
NEEDS_ATTENTION = "needs-attention"
NEEDS_REMEDIATION = "needs-remediation"

_SPELLINGS = {
    "pass": PASS,
    "passed": PASS,
    "needs-attention": NEEDS_ATTENTION,
    "needs-remediation": NEEDS_REMEDIATION,
    "fail": NEEDS_REMEDIATION,
    "failed": NEEDS_REMEDIATION,
}
_BOLD = r"(?i)\*\*Verdict:?\*\*:?[^\w\n]*([A-Za-z][\w-]*(?:[ ](?:attention|remediation)\b)?)"
_WORD = r"(?i)[^\w]*([A-Za-z][\w-]*(?:[ ](?:attention|remediation)\b)?)"


def verdict(text: str) -> str | None:
    """`pass`, `needs-attention` or `needs-remediation`; None when the document says none of them."""
    said = word(text)
    return PASS if said.startswith("pass-") else _SPELLINGS.get(said)


def word(text: str) -> str:
    """The verdict's word as written, lower case with dashes; empty when there is none."""
    block, body = split(text)
    if block:
        value = scalar(frontmatter(text), "verdict") or _indented(block)
        found = re.match(_WORD, value)
    else:
        found = re.search(_BOLD, body)
    return found[1].lower().replace("_", "-").replace(" ", "-").rstrip("-") if found else ""


def remediation_round(text: str) -> int:
    """How often remediation was asked for; 0 when the document does not say."""
    raw = scalar(frontmatter(text), "remediation_round")
    return int(raw) if raw.isdigit() else 0


def render_skipped(mid: str) -> str:
    """The note that stands in for a validation which the preferences skip."""
    return (
        f"---\nverdict: {PASS}\nremediation_round: 0\n---\n# Milestone validation: {mid}\n\n"
        "Skipped by `phases.skip_milestone_validation`.\n"
    )


def _indented(block: str) -> str:
    found = re.search(r"verdict:\s*(.*)", block, re.IGNORECASE)
    return found[1] if found else ""


def record(text: str, mid: str, verdict: str, *, note: str, at: str) -> str:
    """The report with a person's verdict in it, which counts from now on; a new one when `text` is empty.

    verdict: `PASS`, `NEEDS_ATTENTION` or `NEEDS_REMEDIATION`; at: ISO time.
    """
    old = text or f"---\nverdict: {verdict}\nremediation_round: 0\n---\n# Milestone validation: {mid}\n"
    return noted(with_fields(old, {"verdict": verdict, RECORDED_BY: PERSON}), verdict, note=note, at=at)


RECORDED_BY = "recorded_by"
PERSON = "person"


def by_person(text: str) -> bool:
    """Whether the verdict is one that a person recorded."""
    return scalar(frontmatter(text), RECORDED_BY) == PERSON


def with_fields(text: str, fields: Mapping[str, str]) -> str:
    """`text` with these frontmatter fields set, in place or at the end of the block."""
    block, body = split(text)
    lines = [line for line in block.split("\n") if line]
    for name, value in fields.items():
        wanted, at = f"{name}: {value}", _line_of(lines, name)
        lines[at : at + 1] = [wanted]
    return "---\n" + "\n".join(lines) + "\n---\n" + body


def without_field(text: str, name: str) -> str:
    """`text` without a frontmatter field."""
    block, body = split(text)
    lines = [line for line in block.split("\n") if line]
    at = _line_of(lines, name)
    return "---\n" + "\n".join([*lines[:at], *lines[at + 1 :]]) + "\n---\n" + body if block else text


def _line_of(lines: list[str], name: str) -> int:
    return next((n for n, line in enumerate(lines) if re.match(rf"\s*{name}\s*:", line, re.IGNORECASE)), len(lines))


def noted(text: str, verdict: str, *, note: str, at: str) -> str:
    """`text` with what a person said of it at the end."""
    said = "\n".join(f"> {line}" for line in note.splitlines())
    return f"{text.rstrip()}\n\n## Verdict of a person\n\n{verdict}, {at}\n" + (f"\n{said}\n" if said else "")


def reopen(text: str) -> str:
    """`text` with its verdict kept under another name, so that the milestone is validated again."""
    block, _ = split(text)
    if block:
        text = without_field(text, RECORDED_BY) if by_person(text) else text
        return re.sub(r"^(\s*)verdict(\s*:)", r"\1last_outcome\2", text, count=1, flags=re.MULTILINE | re.IGNORECASE)
    return re.sub(r"\*\*Verdict(:?)\*\*", r"**Last outcome\1**", text, flags=re.IGNORECASE)
