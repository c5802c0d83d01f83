"""What kind of failure a model provider reported, and whether it passes by itself.

The status code speaks first, the words second; the words are tried in the order of the table, the first that
matches wins. Words that nobody knows are taken for something that passes: waiting costs nothing, while giving up costs
the night. Source: spec auto 5.11 (order and words of the newest classifier), 8.10 (rules); field-reports #8.
"""

import errno
import re
from collections.abc import Iterable
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
    NO_ANSWER = "no-answer"
    """The provider works; what its model says is empty, withheld or cannot be used. It counts against the unit."""
    INFRASTRUCTURE = "infrastructure"
    """This machine is out of something: space, memory, descriptors, processes."""
    DIVERGED = "diverged"
    """A recording that does not fit what is there now."""
    UNKNOWN = "unknown"
    """Words that nobody knows; perhaps a limit."""


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_MACHINE = _words(
    r"\b(?:ENOSPC|EDQUOT|EROFS|ENOMEM|EMFILE|ENFILE|ENOBUFS|EAGAIN)\b",
    r"no space left on device",
    r"disk quota exceeded",
    r"cannot allocate memory",
    r"too many open files",
    r"resource temporarily unavailable",
)
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
    r"throttl|slow down",
    r"\b(?:hour|daily|weekly|monthly|session|message|request|concurrency)s?.{0,2}\blimit\b",
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
_PERHAPS = _words(
    r"used up|exhausted|allowance|capacity|cool.?down|come back|too (?:many|fast|much)",
    r"\b(?:again|later|wait)\b",
)
"""Words of a limit, in whatever sentence."""

_BY_TEXT: tuple[tuple[re.Pattern[str], ErrorKind], ...] = (
    (_MACHINE, ErrorKind.INFRASTRUCTURE),
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
    409: ErrorKind.SERVER,
    413: ErrorKind.CONTEXT,
    420: ErrorKind.RATE_LIMIT,
    425: ErrorKind.SERVER,
    429: ErrorKind.RATE_LIMIT,
}
_TEXT_OVER_STATUS: dict[int, frozenset[ErrorKind]] = {
    400: frozenset(
        {ErrorKind.UNSUPPORTED_MODEL, ErrorKind.QUOTA, ErrorKind.AUTH, ErrorKind.CONTEXT, ErrorKind.RATE_LIMIT}
    ),
    402: frozenset({ErrorKind.RATE_LIMIT}),
    403: frozenset({ErrorKind.UNSUPPORTED_MODEL, ErrorKind.QUOTA, ErrorKind.RATE_LIMIT}),
    422: frozenset({ErrorKind.UNSUPPORTED_MODEL, ErrorKind.CONTEXT}),
    500: frozenset({ErrorKind.CONTEXT, ErrorKind.RATE_LIMIT}),
    503: frozenset({ErrorKind.RATE_LIMIT}),
}
"""Statuses that providers also use for another failure: the words may say which."""

_RETRIED = frozenset({ErrorKind.RATE_LIMIT, ErrorKind.NETWORK, ErrorKind.STREAM, ErrorKind.SERVER})
_EXHAUSTED = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.EAGAIN,
    }
)


def classify(status: int | None, text: str, *, says_when: bool = False) -> ErrorKind:
    """The kind of a provider's failure. Never raises.

    status: of HTTP, None where there was no answer. says_when: it names a time to come back at, which nobody does
    who means never.
    """
    kind = _classify(status, text)
    refused = kind in (ErrorKind.QUOTA, ErrorKind.UNKNOWN, ErrorKind.BAD_REQUEST) or status == 403
    if says_when and refused and not _PAID_OUT.search(text):
        return ErrorKind.RATE_LIMIT
    return kind


def _classify(status: int | None, text: str) -> ErrorKind:
    told = next((kind for words, kind in _BY_TEXT if words.search(text)), ErrorKind.UNKNOWN)
    if status is None or status < 400:
        return told
    if status == 429:
        return ErrorKind.QUOTA if _PAID_OUT.search(text) else ErrorKind.RATE_LIMIT
    if told in _TEXT_OVER_STATUS.get(status, frozenset()):
        return told
    if status >= 500:
        return ErrorKind.SERVER
    kind = _BY_STATUS.get(status, ErrorKind.BAD_REQUEST)
    vague = kind is ErrorKind.BAD_REQUEST or status == 403
    silent = told in (ErrorKind.UNKNOWN, ErrorKind.SERVER)
    return ErrorKind.UNKNOWN if vague and silent and _PERHAPS.search(text) else kind


def exhausted(numbers: Iterable[int | None]) -> bool:
    """Whether one of these `errno` says that the machine is out of something. Source: spec auto 5.11, issue #1780."""
    return not _EXHAUSTED.isdisjoint(numbers)


def passing(kind: ErrorKind) -> bool:
    """Whether the same request may succeed later with nothing changed."""
    return kind in _RETRIED or kind is ErrorKind.UNKNOWN


def charged(kind: ErrorKind) -> bool:
    """Whether it counts as an attempt of the unit: a fresh session may do better, and that costs money each time."""
    return kind in (ErrorKind.NO_ANSWER, ErrorKind.CONTEXT)


def retried(kind: ErrorKind) -> bool:
    """Whether it is worth asking again in the same session, after a short wait."""
    return kind in _RETRIED
