"""What kind of failure a model provider reported, and whether it passes by itself.

The status code speaks first, the words second; the words are tried in the order of the table, the first that
matches wins. Source: spec auto 5.11 (order and words of the newest classifier), 8.10 (rules).
"""

import re
from enum import StrEnum


class ErrorKind(StrEnum):
    """Classes of failure, by what can be done about them. Spec auto 5.11, 8.10."""

    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMIT = "rate-limit"
    NETWORK = "network"
    SERVER = "server"
    STREAM = "stream"
    UNSUPPORTED_MODEL = "unsupported-model"
    CONTEXT = "context"
    BAD_REQUEST = "bad-request"
    DIVERGED = "diverged"
    """A recording that does not fit what is there now."""
    UNKNOWN = "unknown"


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_MODEL = _words(
    r"\bmodels?\b.{0,80}\b(?:not (?:found|supported|available|exist)|does ?n[o']t exist|unsupported|unavailable)",
    r"\b(?:no|not have|without) access to\b.{0,40}\bmodel",
    r"\b(?:unsupported|unknown|invalid) model\b",
    r"model_not_found",
    r"no such model",
)
_PAID_OUT = _words(r"insufficient_quota", r"credit balance", r"payment required", r"billing_hard_limit")
_RATE = _words(
    r"rate.?limit",
    r"too many requests",
    r"hit your limit",
    r"usage limit",
    r"out of extra usage",
    r"quota (?:reached|hit)",
    r"limit.{0,20}resets",
    r"requires more credits|can only afford",
    r"resource_exhausted",
)
_QUOTA = _words(r"billing", r"quota", r"insufficient.{0,10}(?:funds|credit)", r"credit balance", r"payment required")
_AUTH = _words(r"unauthori[sz]ed", r"forbidden", r"invalid.{0,12}(?:api.?)?key", r"api.?key.{0,20}invalid")
_LOGIN = _words(r"authenticat", r"\bauth\b", r"permission.denied", r"\baccount\b")
_CONTEXT = _words(
    r"context.{0,20}(?:length|window)",
    r"prompt is too long",
    r"too many (?:input )?tokens",
    r"input token count",
    r"request too large",
)
_NETWORK = _words(
    r"\bnetwork\b",
    r"ECONNRESET|ETIMEDOUT|ECONNREFUSED",
    r"socket hang up",
    r"fetch failed",
    r"connection.{0,24}(?:reset|refused|error|failed)",
    r"(?:connect|connection) attempts failed",
    r"timed? ?out",
    r"\bdns\b|name resolution|name or service not known|getaddrinfo",
    r"unexpected eof",
    r"stream idle timeout",
    r"partial response received",
)
_STREAM = _words(
    r"unterminated string",
    r"unexpected (?:end of|token).{0,20}json|json.{0,24}(?:truncat|unexpected|eof|delimiter)",
    r"eof while parsing",
    r"incomplete (?:chunked|message|response|stream)",
    r"without sending complete",
    r"peer closed",
    r"\bterminated\b|\bEPIPE\b|other side closed|stream_exhausted|broken pipe",
)
_SERVER = _words(
    r"\b50[0234]\b|\b529\b",
    r"overloaded",
    r"server_error|api_error|internal server error",
    r"service.{0,4}unavailable|bad gateway",
)

_BY_TEXT: tuple[tuple[re.Pattern[str], ErrorKind], ...] = (
    (_MODEL, ErrorKind.UNSUPPORTED_MODEL),
    (_PAID_OUT, ErrorKind.QUOTA),
    (_RATE, ErrorKind.RATE_LIMIT),
    (_AUTH, ErrorKind.AUTH),
    (_QUOTA, ErrorKind.QUOTA),
    (_LOGIN, ErrorKind.AUTH),
    (_CONTEXT, ErrorKind.CONTEXT),
    (_STREAM, ErrorKind.STREAM),
    (_NETWORK, ErrorKind.NETWORK),
    (_SERVER, ErrorKind.SERVER),
)
_BY_STATUS: dict[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.QUOTA,
    403: ErrorKind.AUTH,
    404: ErrorKind.UNSUPPORTED_MODEL,
    408: ErrorKind.NETWORK,
    413: ErrorKind.CONTEXT,
    429: ErrorKind.RATE_LIMIT,
}
_TEXT_OVER_STATUS: dict[int, frozenset[ErrorKind]] = {
    403: frozenset({ErrorKind.UNSUPPORTED_MODEL, ErrorKind.QUOTA}),
    400: frozenset({ErrorKind.UNSUPPORTED_MODEL, ErrorKind.QUOTA, ErrorKind.AUTH, ErrorKind.CONTEXT}),
    422: frozenset({ErrorKind.UNSUPPORTED_MODEL, ErrorKind.CONTEXT}),
}
"""Statuses that providers also use for another failure: the words may say which."""

_DELAYS_S: dict[ErrorKind, float] = {
    ErrorKind.RATE_LIMIT: 60.0,
    ErrorKind.NETWORK: 3.0,
    ErrorKind.STREAM: 15.0,
    ErrorKind.SERVER: 30.0,
}
_ASKED = re.compile(
    r"(?:try again in|retry(?:ing)? (?:in|after)|resets? in|retryDelay\W{1,6})\s*(\d+(?:\.\d+)?)\s*(ms|m|s)?",
    re.IGNORECASE,
)


def classify(status: int | None, text: str) -> ErrorKind:
    """The kind of a provider's failure. `status`: of HTTP, None where there was no answer. Never raises."""
    told = next((kind for words, kind in _BY_TEXT if words.search(text)), ErrorKind.UNKNOWN)
    if status is None or status < 400:
        return told
    if status == 429:
        return ErrorKind.QUOTA if _PAID_OUT.search(text) else ErrorKind.RATE_LIMIT
    if told in _TEXT_OVER_STATUS.get(status, frozenset()):
        return told
    if status >= 500:
        return ErrorKind.SERVER
    return _BY_STATUS.get(status, ErrorKind.BAD_REQUEST)


def passing(kind: ErrorKind) -> bool:
    """Whether the same request may succeed later with nothing changed."""
    return kind in _DELAYS_S


def delay_s(kind: ErrorKind, retry_after_s: float | None) -> float:
    """Seconds to wait before a retry: what the provider asked for, else the usual for the kind (0: do not retry)."""
    if retry_after_s is not None:
        return max(0.0, retry_after_s)
    return _DELAYS_S.get(kind, 0.0)


def asked_delay_s(text: str) -> float | None:
    """Seconds a message asks to wait (`try again in 20s`, `reset in 45s`); None: it names none."""
    found = _ASKED.search(text)
    if found is None:
        return None
    scale = {"ms": 0.001, "m": 60.0}.get((found[2] or "s").lower(), 1.0)
    return float(found[1]) * scale
