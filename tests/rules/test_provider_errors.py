"""Kinds of provider failure: the status first, then the words, in order."""

import errno

import pytest

from milepost.rules.provider_errors import ErrorKind, classify, exhausted, passing, retried

K = ErrorKind
CASES = [
    (401, "", K.AUTH),
    (403, "nothing said", K.AUTH),
    (403, "Project has no access to model gpt-9", K.UNSUPPORTED_MODEL),
    (402, "Payment required", K.QUOTA),
    (404, "The model `x` does not exist", K.UNSUPPORTED_MODEL),
    (400, "model: claude-99 not found", K.UNSUPPORTED_MODEL),
    (400, "Your credit balance is too low to access the API", K.QUOTA),
    (400, "API key not valid. Invalid API key.", K.AUTH),
    (400, "prompt is too long: 210000 tokens > 200000 maximum", K.CONTEXT),
    (400, "messages: roles must alternate", K.BAD_REQUEST),
    (413, "Request too large", K.CONTEXT),
    (429, "Rate limit reached, try again in 20s", K.RATE_LIMIT),
    (429, "You exceeded your current quota, retryDelay: 32s", K.RATE_LIMIT),
    (429, "insufficient_quota", K.QUOTA),
    (500, "billing service broke", K.SERVER),
    (502, "", K.SERVER),
    (529, "Overloaded", K.SERVER),
    (408, "", K.NETWORK),
    (409, "conflict", K.SERVER),
    (420, "enhance your calm", K.RATE_LIMIT),
    (402, "This request requires more credits, or fewer max_tokens. You can only afford 3", K.RATE_LIMIT),
    (403, "You are being throttled", K.RATE_LIMIT),
    (403, "Your allowance is used up", K.UNKNOWN),
    (400, "not now, come back later", K.UNKNOWN),
    (500, "maximum context length is 8192 tokens", K.CONTEXT),
    (500, "upstream: too many requests", K.RATE_LIMIT),
    (500, "No space left on device", K.SERVER),
    (None, "[Errno 28] No space left on device", K.INFRASTRUCTURE),
    (None, "[Errno 24] Too many open files", K.INFRASTRUCTURE),
    (None, "spawn failed: EAGAIN", K.INFRASTRUCTURE),
    (None, "5-hour limit reached", K.RATE_LIMIT),
    (None, "This model is not available on your plan: unsupported model", K.UNSUPPORTED_MODEL),
    (None, "model gpt-x is not supported with your account", K.UNSUPPORTED_MODEL),
    (None, "Unauthorized", K.AUTH),
    (None, "invalid api key", K.AUTH),
    (None, "Quota exceeded", K.QUOTA),
    (None, "quota reached", K.RATE_LIMIT),
    (None, "quota exceeded, rate limit, too many requests", K.RATE_LIMIT),
    (None, "You've hit your limit", K.RATE_LIMIT),
    (None, "out of extra usage", K.RATE_LIMIT),
    (None, "Your limit resets at 3am", K.RATE_LIMIT),
    (None, "This request requires more credits, or fewer max_tokens", K.RATE_LIMIT),
    (None, "connect ECONNREFUSED 127.0.0.1:1", K.NETWORK),
    (None, "socket hang up", K.NETWORK),
    (None, "All connection attempts failed", K.NETWORK),
    (None, "Connection error.", K.NETWORK),
    (None, "Request timed out.", K.NETWORK),
    (None, "[Errno -2] Name or service not known", K.NETWORK),
    (None, "unexpected EOF", K.NETWORK),
    (None, "Unterminated string in JSON at position 5", K.STREAM),
    (None, "peer closed connection without sending complete message body (incomplete chunked read)", K.STREAM),
    (None, "terminated", K.STREAM),
    (None, "EPIPE", K.STREAM),
    (None, "503 Service Unavailable", K.SERVER),
    (None, "overloaded_error", K.SERVER),
    (None, "maximum context length is 8192 tokens", K.CONTEXT),
    (None, "a poem about the sea", K.UNKNOWN),
    (200, "a poem", K.UNKNOWN),
]


@pytest.mark.parametrize(("status", "text", "kind"), CASES)
def test_classify(status: int | None, text: str, kind: ErrorKind) -> None:
    assert classify(status, text) is kind


SAYS_WHEN = [
    (403, "Forbidden: too much today, resets in 2h", K.RATE_LIMIT),
    (None, "You have exhausted your quota. It will reset after 1h2m3s.", K.RATE_LIMIT),
    (400, "no more for now, try again at 3pm", K.RATE_LIMIT),
    (None, "the well is dry until 3am", K.RATE_LIMIT),
    (401, "token expired, try again in 5 minutes", K.AUTH),
    (402, "insufficient_quota, your month resets in 3 days", K.QUOTA),
    (503, "try again in 20s", K.SERVER),
]


@pytest.mark.parametrize(("status", "text", "kind"), SAYS_WHEN)
def test_who_says_when_does_not_mean_never(status: int | None, text: str, kind: ErrorKind) -> None:
    assert classify(status, text, says_when=True) is kind


def test_every_kind_of_a_provider_has_a_case() -> None:
    assert {kind for _, _, kind in CASES} == set(ErrorKind) - {K.DIVERGED, K.NO_ANSWER}


def test_what_passes_by_itself() -> None:
    """What nobody understands is waited for, but not asked again in the same breath."""
    again = {K.RATE_LIMIT, K.NETWORK, K.SERVER, K.STREAM}
    assert {kind for kind in ErrorKind if retried(kind)} == again
    assert {kind for kind in ErrorKind if passing(kind)} == again | {K.UNKNOWN}


@pytest.mark.parametrize(
    ("number", "is_it"),
    [(errno.ENOSPC, True), (errno.EMFILE, True), (errno.EAGAIN, True), (errno.ECONNREFUSED, False), (None, False)],
)
def test_a_machine_that_is_out_of_something(number: int | None, is_it: bool) -> None:
    assert exhausted([errno.ENOENT, number]) is is_it
