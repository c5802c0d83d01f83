"""Ask a package index for the newest release: its JSON (PEP 691) where it has one, else its page (PEP 503).

What was withdrawn (yanked), is for another Python, or is only to be tried out does not count. Source: parallel PR-223.
"""

import base64
import http.client
import json
import netrc
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, NamedTuple

from milepost import __version__
from milepost.errors import MilepostError
from milepost.store import regular
from milepost.ui.update import versions
from milepost.ui.update.indexes import Indexes
from milepost.ui.update.versions import Version

_JSON: Final = "application/vnd.pypi.simple.v1+json"
_ACCEPT: Final = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_LARGEST: Final = 20_000_000


class NotAsked(MilepostError):
    """No index could be asked, so nothing is known of newer releases. The sentence holds no credential."""


class File(NamedTuple):
    """One that the index offers."""

    name: str
    python: str = ""
    """`Requires-Python`."""
    yanked: bool = False


class Wanted(NamedTuple):
    """What is looked for."""

    name: str
    python: str
    """The version of the Python that it is for."""
    pre: bool = False
    """Whether a release to try out counts."""
    timeout_s: float = 20.0


class Newest(NamedTuple):
    """What was found. version: None when no index has a release."""

    version: Version | None
    where: str
    """The index's address without credentials; of several, of the one that has it."""


def newest(wanted: Wanted, indexes: Indexes) -> Newest:
    """Ask. Raises NotAsked when an index that counts cannot be asked."""
    if not indexes.urls:
        raise NotAsked(f"no index is to be asked: {indexes.off}")
    found: list[Newest] = []
    for url in indexes.urls:
        files = _files(url, wanted, indexes.cert)
        found.append(Newest(max(_usable(files, wanted), default=None), shown(url)))
        if files and indexes.first_wins:
            return found[-1]
    return max(found, key=lambda each: (each.version is not None, each.version or ()))


def shown(url: str) -> str:
    """An address without the name and password that it may hold."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def _usable(files: Iterable[File], wanted: Wanted) -> Iterable[Version]:
    for file in files:
        version = _version(file.name, wanted.name)
        if version is None or file.yanked or not (version.settled or wanted.pre):
            continue
        if versions.allows(file.python, wanted.python):
            yield version


def _version(file: str, name: str) -> Version | None:
    """The version in the name of a wheel (`name-1.0-py3-none-any.whl`) or of a source archive (`name-1.0.tar.gz`)."""
    stem, _, rest = file.partition("-") if file.endswith(".whl") else file.rpartition("-")
    if _plain(stem) != _plain(name):
        return None
    return versions.parse(rest.split("-")[0] if file.endswith(".whl") else re.sub(r"\.(tar\.gz|zip)\Z", "", rest))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(url: str, wanted: Wanted, cert: str) -> list[File]:
    """What one index offers; nothing when it does not know the package. Raises NotAsked."""
    address = f"{url.rstrip('/')}/{_plain(wanted.name)}/"
    try:
        if address.startswith("file:"):
            return _of_page(_read(address))
        body, kind = _fetched(address, wanted.timeout_s, cert)
        return _of_json(body) if kind.startswith(_JSON) else _of_page(body)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                return []
            raise NotAsked(f"{shown(url)} answered {error.code} {error.reason}", hint=_HINT) from None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", None) or error
        words = " ".join(str(reason).split()) or type(error).__name__
        raise NotAsked(f"{shown(url)} cannot be asked: {words}", hint=_HINT) from None


_HINT: Final = "The address is that of pip's or uv's own configuration."


def _read(address: str) -> bytes:
    """The page of an index that is a directory; empty where it has none for the package."""
    place = Path(urllib.request.url2pathname(urllib.parse.urlsplit(address).path))
    if not place.parent.is_dir():
        raise FileNotFoundError(f"there is no {place.parent}")
    page = place / "index.html"
    return regular.read(page, most=_LARGEST) if page.exists() else b""


def _fetched(address: str, timeout_s: float, cert: str) -> tuple[bytes, str]:
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("its address is neither http nor https")
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    request = urllib.request.Request(urllib.parse.urlunsplit(plain))  # noqa: S310 - the scheme is checked above
    request.add_header("Accept", _ACCEPT)
    request.add_header("User-Agent", f"milepost/{__version__}")
    if said := _credentials(parts):
        # Not sent on to where a redirection leads.
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(said.encode()).decode())
    trusted = ssl.create_default_context(cafile=cert or None) if parts.scheme == "https" else None
    with urllib.request.urlopen(request, timeout=timeout_s, context=trusted) as answer:  # noqa: S310
        body = answer.read(_LARGEST + 1)
        if len(body) > _LARGEST:
            raise ValueError(f"its answer is longer than {_LARGEST} bytes")
        return body, answer.headers.get("content-type", "")


def _credentials(parts: urllib.parse.SplitResult) -> str:
    """`name:password`, of the address, else of ~/.netrc; empty: none."""
    if parts.username is not None:
        return f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    try:
        found = netrc.netrc().authenticators(parts.hostname or "")
    except (OSError, netrc.NetrcParseError):
        return ""
    return f"{found[0]}:{found[2]}" if found else ""


def _of_json(body: bytes) -> list[File]:
    return [
        File(str(each["filename"]), str(each.get("requires-python") or ""), yanked=bool(each.get("yanked")))
        for each in json.loads(body)["files"]
    ]


def _of_page(body: bytes) -> list[File]:
    page = _Page()
    page.feed(body.decode("utf-8", "replace"))
    return page.files


class _Page(HTMLParser):
    """The links of an index page."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        path = urllib.parse.urlsplit(told.get("href") or "").path
        if tag == "a" and path:
            name = urllib.parse.unquote(path.rpartition("/")[2])
            self.files.append(File(name, told.get("data-requires-python") or "", yanked="data-yanked" in told))
