"""Credentials in text: found by their shape or by their value, and taken out before anything is kept or shown.

Used on transcripts, logs, evidence and prompts. Shapes are those that the providers publish; a plain word that
merely looks random is left alone, so that code stays readable. Source: DESIGN rule 10, field reports (leaked keys).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_SHORTEST_KNOWN: Final = 6
"""A known value shorter than this would take ordinary words with it."""


class Finding(NamedTuple):
    """Where a credential stands; never the credential itself."""

    kind: str
    line: int
    """From 1."""
    start: int
    end: int


class Pattern(NamedTuple):
    """One shape of credential."""

    kind: str
    marks: tuple[str, ...]
    """At least one of these must occur (lower case), or the expression is not tried: text is mostly innocent."""
    expression: re.Pattern[str]
    """The first group, else the whole match, is what is secret."""


def _pattern(kind: str, marks: str, expression: str, flags: int = 0) -> Pattern:
    return Pattern(kind, tuple(marks.split()), re.compile(expression, flags))


PATTERNS: Final = (
    _pattern(
        "private key",
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?:[A-Za-z0-9+/=\s:,.]|-(?!-)|\\+[nr])+)",
    ),
    _pattern("AWS access key", "akia asia abia acca", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    _pattern(
        "AWS secret key",
        "aws_secret secretaccesskey",
        r"(?:aws_secret_access_key|secretAccessKey)[\"'\\\s:=]+([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        re.IGNORECASE,
    ),
    _pattern("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
    _pattern("GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
    _pattern("GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    _pattern("Anthropic key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    _pattern("OpenAI key", "sk-", r"\bsk-(?:(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,})"),
    _pattern("Stripe key", "_live_ _test_", r"\b[srp]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _pattern("Stripe webhook secret", "whsec_", r"\bwhsec_[A-Za-z0-9+/=]{24,}"),
    _pattern("Google key", "aiza", r"\bAIza[0-9A-Za-z_-]{35}"),
    _pattern("Google token", "ya29.", r"\bya29\.[0-9A-Za-z_-]{20,}"),
    _pattern("Slack token", "xox xapp-", r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    _pattern("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,})"),
    _pattern("Discord webhook", "/api/webhooks/", r"/api/webhooks/(\d{10,}/[\w-]{30,})"),
    _pattern("Telegram token", ":aa", r"\b\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _pattern("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _pattern("PyPI token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    _pattern("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    _pattern("Groq key", "gsk_", r"\bgsk_[A-Za-z0-9]{40,}"),
    _pattern("xAI key", "xai-", r"\bxai-[A-Za-z0-9]{40,}"),
    _pattern("SendGrid key", "sg.", r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    _pattern("DigitalOcean token", "_v1_", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    _pattern("Databricks token", "dapi", r"\bdapi[a-f0-9]{32}\b"),
    _pattern("Azure storage key", "accountkey=", r"AccountKey=([A-Za-z0-9+/]{40,}={0,2})"),
    _pattern("JSON web token", "eyj", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    _pattern("bearer token", "bearer", r"\bbearer\s+([A-Za-z0-9._~+/-]{16,}=*)", re.IGNORECASE),
    _pattern("password in a URL", "://", r"://[^/\s:@\"'\\]{0,200}:([^@/\s\"'\\${}<>]{3,500})@"),
    _pattern(
        "assigned secret",
        "key= token= secret= password=",
        r"\b[A-Z][A-Z0-9_]*(?:API_KEY|SECRET|TOKEN|PASSWORD|SECRET_KEY)=([^\s\"'\\$<>{}()]{12,})",
    ),
)
"""Tried in this order, so that the special comes before the general."""


_GUESSED: Final = frozenset({"password in a URL", "assigned secret", "bearer token"})
"""Kinds that are as often an example; the others have a shape that only their provider gives."""
_EXAMPLE: Final = re.compile(r"example|x{4,}|0{6,}|1234567|abcdef|your|placeholder|dummy|fake|redacted", re.IGNORECASE)


def redact(text: str, known_values: Iterable[str] = ()) -> str:
    """`text` with credentials replaced by `[redacted: <kind>]`. Doing it twice changes nothing more.

    known_values: secrets of this run (keys from the environment), taken out wherever they stand, also as JSON
    would escape them. Text that is one JSON value stays one. Pure.
    """
    for value in known_values:
        if len(value) >= _SHORTEST_KNOWN:
            text = text.replace(value, "[redacted: known value]").replace(_escaped(value), "[redacted: known value]")
    for kind, start, end in reversed(_spans(text)):
        text = f"{text[:start]}[redacted: {kind}]{text[end:]}"
    return text


def find(text: str) -> tuple[Finding, ...]:
    """The credentials in `text`, in order, none overlapping another."""
    return tuple(
        Finding(kind=kind, line=text.count("\n", 0, start) + 1, start=start, end=end)
        for kind, start, end in _spans(text)
    )


def certain(text: str) -> tuple[Finding, ...]:
    """Those of `find` that are no guess and no example."""
    return tuple(
        one for one in find(text) if one.kind not in _GUESSED and not _EXAMPLE.search(text[one.start : one.end])
    )


def _spans(text: str) -> list[tuple[str, int, int]]:
    taken: list[tuple[str, int, int]] = []
    for kind, start, end in _matches(text):
        if all(end <= other_start or start >= other_end for _, other_start, other_end in taken):
            taken.append((kind, start, end))
    return sorted(taken, key=lambda span: span[1])


def _matches(text: str) -> Iterator[tuple[str, int, int]]:
    lower = text.lower()
    for kind, marks, expression in PATTERNS:
        if any(mark in lower for mark in marks):
            for found in expression.finditer(text):
                group = 1 if expression.groups else 0
                yield kind, *found.span(group)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
