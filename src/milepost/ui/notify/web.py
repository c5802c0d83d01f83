"""One JSON request over HTTP, for the services that questions are sent to."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import IO, Final, NamedTuple

from milepost import __version__
from milepost.errors import MilepostError

_TIMEOUT_S: Final = 20
_LARGEST: Final = 2_000_000
_AGENT: Final = f"DiscordBot (https://pypi.org/project/milepost, {__version__})"
"""The form that Discord asks for; the others take any."""


class ServiceFailed(MilepostError):
    """A service did not do what it was asked. The sentence holds no credential."""


class Busy(ServiceFailed):
    """It wants to be left alone for a while."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"it is asked too often; again in {wait_s:g} s")
        self.wait_s = wait_s


class Request(NamedTuple):
    """What is asked."""

    url: str
    headers: Mapping[str, str] = {}
    body: Mapping[str, object] | None = None
    """None: GET."""
    query: Mapping[str, object] = {}


def call(request: Request) -> object:
    """The answer's JSON. Raises Busy, or ServiceFailed with the reason that the service gives."""
    query = f"?{urllib.parse.urlencode(request.query)}" if request.query else ""
    body = None if request.body is None else json.dumps(request.body).encode()
    made = urllib.request.Request(f"{request.url}{query}", data=body)  # noqa: S310 - the scheme is checked below
    if made.type not in ("http", "https"):
        raise ServiceFailed("its address is neither http nor https")
    for name, value in {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": _AGENT,
        **request.headers,
    }.items():
        made.add_header(name, value)
    try:
        with _OPENER.open(made, timeout=_TIMEOUT_S) as answer:
            return json.loads(answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise ServiceFailed(f"it cannot be reached: {getattr(error, 'reason', error)}") from None
    except ValueError:
        raise ServiceFailed("its answer is no JSON") from None


def _refused(error: urllib.error.HTTPError) -> ServiceFailed:
    told = _json(error.read(_LARGEST))
    if error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(_seconds(error.headers.get("Retry-After"), told))
    reason = str(told.get("description") or told.get("message") or told.get("error") or error.reason)
    return ServiceFailed(f"HTTP {error.code}: {reason[:200]}")


def _seconds(header: str | None, told: Mapping[str, object]) -> float:
    parameters = told.get("parameters")
    inner = parameters.get("retry_after") if isinstance(parameters, dict) else None
    for given in (header, told.get("retry_after"), inner):
        try:
            return min(max(float(str(given)), 0.0), 300.0)
        except ValueError:
            continue
    return 30.0


def _json(text: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A credential goes to the address that it is for, and nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:  # fmt: skip
        del req, fp, code, msg, headers, newurl


_OPENER: Final = urllib.request.build_opener(_NoRedirect)
