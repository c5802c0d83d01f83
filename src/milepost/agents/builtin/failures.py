"""A provider's failure, as a kind and one line. What the library, the SDKs or a broken server raise ends here."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from milepost.agents.builtin import clock
from milepost.agents.builtin.models import Choice
from milepost.agents.session import ErrorKind
from milepost.rules import limits
from milepost.rules.provider_errors import classify, exhausted

_LONGEST = 300
_SECRET = 8
"""Characters from which a key is one; a local server's placeholder would blot out ordinary words."""


class Failure(NamedTuple):
    """Why a request did not bring an answer."""

    kind: ErrorKind
    text: str
    """One line with the model's name, without credentials."""
    retry_after_s: float | None
    model: str = ""


def failure(choice: Choice, error: Exception) -> Failure:
    """What `error` means. Any exception of the library is taken; what says nothing is ErrorKind.UNKNOWN."""
    status = getattr(error, "status_code", None)
    code = status if isinstance(status, int) else None
    words = _words(error)
    asked = _asked_s(error, words)
    kind = _kind_by_type(error) or classify(code, words, says_when=asked is not None)
    if kind is ErrorKind.RATE_LIMIT and asked is None:
        asked = limits.named_s("", _headers(error), clock.now())
    shown = " ".join(words.split())[:_LONGEST]
    if len(choice.key) >= _SECRET:
        shown = shown.replace(choice.key, "•••")
    return Failure(
        kind=kind,
        text=f"{choice.name}: {f'{code} ' if code else ''}{shown}",
        retry_after_s=asked,
        model=choice.name,
    )


def _asked_s(error: Exception, words: str) -> float | None:
    """Seconds that the provider asks to wait in so many words; what its headers tell of its limits is another thing."""
    plain = {name: value for name, value in _headers(error).items() if name.startswith("retry-after")}
    named = limits.named_s(words, plain, clock.now())
    told = getattr(error, "retry_after", None)
    if named is None and isinstance(told, int | float) and 0 <= told <= limits.LONGEST_S:
        return float(told)
    return named


def _headers(error: Exception) -> Mapping[str, str]:
    found = getattr(error, "headers", None)
    return {str(name).lower(): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was made of."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _kind_by_type(error: Exception) -> ErrorKind | None:
    from pydantic_ai import exceptions

    if exhausted(cause.errno for cause in _causes(error) if isinstance(cause, OSError)):
        return ErrorKind.INFRASTRUCTURE
    if isinstance(error, exceptions.ModelConnectionError):
        return ErrorKind.STREAM if error.phase == "read" else ErrorKind.NETWORK
    if isinstance(error, exceptions.ModelQuotaExceededError) and _asked_s(error, _words(error)) is None:
        return ErrorKind.QUOTA
    if isinstance(error, exceptions.ModelContextWindowExceededError):
        return ErrorKind.CONTEXT
    return None


def _words(error: Exception) -> str:
    body = getattr(error, "body", None)
    told = _message(body) or str(getattr(error, "message", "")) or str(error) or type(error).__name__
    code = getattr(error, "provider_error_code", None) or getattr(error, "provider_error_type", None)
    return f"{told} ({code})" if code and str(code) not in told else told


def _message(body: object) -> str:
    if not isinstance(body, Mapping):
        return ""
    inner = body.get("error", body)
    if isinstance(inner, Mapping):
        return str(inner.get("message") or "")
    return inner if isinstance(inner, str) else ""


def library_errors() -> tuple[type[Exception], ...]:
    """What a request may raise through the library, its SDKs and a server that answers nonsense.

    The built-in kinds stand for answers of an unexpected shape, which the SDKs do not all check; programming errors
    of ours are not made of them, they happen outside of a request.
    """
    import httpx2
    from pydantic_ai.exceptions import AgentRunError, UserError

    shapes = (ValueError, TypeError, LookupError, AttributeError, AssertionError)
    return (AgentRunError, UserError, httpx2.HTTPError, httpx2.InvalidURL, OSError, *shapes)
