"""Kinds of provider failure: the status first, then the words, in order."""

import pytest

from milepost.rules.provider_errors import ErrorKind, asked_delay_s, classify, delay_s, passing

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


def test_every_kind_but_a_divergence_has_a_case() -> None:
    assert {kind for _, _, kind in CASES} == set(ErrorKind) - {K.DIVERGED}


def test_what_passes_by_itself() -> None:
    assert {kind for kind in ErrorKind if passing(kind)} == {K.RATE_LIMIT, K.NETWORK, K.SERVER, K.STREAM}


@pytest.mark.parametrize(
    ("kind", "asked", "seconds"),
    [
        (K.RATE_LIMIT, None, 60),
        (K.RATE_LIMIT, 7, 7),
        (K.NETWORK, None, 3),
        (K.STREAM, None, 15),
        (K.SERVER, None, 30),
        (K.AUTH, None, 0),
        (K.SERVER, -4, 0),
    ],
)
def test_delay(kind: ErrorKind, asked: float | None, seconds: float) -> None:
    assert delay_s(kind, asked) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("try again in 20s", 20),
        ("Please try again in 500ms.", 0.5),
        ("resets in 2m", 120),
        ('"retryDelay": "32s"', 32),
        ("come back soon", None),
    ],
)
def test_asked_delay(text: str, seconds: float | None) -> None:
    assert asked_delay_s(text) == seconds
