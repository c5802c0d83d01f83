"""Which values of a project's `.env` are kept out of every record: what is secret, and no common words.

Secret is what a name says is, or what a milestone's manifest asks for. A value that is short, a plain word, a number, a
path or an address would take ordinary text with it wherever it stands, and a value that `.env.example` also has is a
placeholder. Of an address the password in it counts. Pure. Source: spec auto 2.13, DESIGN rule 10.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

_NAMES: Final = re.compile(
    r"(?:^|_)(?:\w*KEYS?|\w*TOKENS?|\w*SECRETS?|\w*PASS(?:WORD|WD|PHRASE|CODE)?|PWD|\w*CREDENTIALS?|\w*WEBHOOK(?:_URL)?|AUTH|SALT|DSN|PAT)"
    r"(?:_?\d+)?\Z",
    re.IGNORECASE,
)
"""The last word of a name decides: `TOKEN_TTL` and `KEY_PREFIX` are settings."""
_PUBLIC: Final = re.compile(r"PUBLIC|PUBLISHABLE", re.IGNORECASE)
"""Made to stand in what everybody is sent."""
_SHORTEST: Final = 8
_WORD: Final = re.compile(r"[A-Za-z]{1,15}(?:[-_ .][A-Za-z]{1,15})?\Z|[\d.,:_-]+[a-z]{0,2}\Z")
"""A word or two, a number, a version, a span of time."""
_PLACE: Final = re.compile(r"(?:\.{0,2}/|~|\$|[A-Za-z]:\\)|[\w.-]+:\d+\Z|[\w-]+(?:[./][\w-]+)*\.[a-z]{2,}\Z")
"""A path, a variable, `host:port`, a name of a host or of a file."""
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/\s:@]*:([^@/\s]+)@)?", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"[<{\[]|x{4,}|change.?me|example|placeholder|your[-_ ]|dummy|\.\.\.|…", re.IGNORECASE)
_WEBHOOK: Final = re.compile(r"WEBHOOK", re.IGNORECASE)


def hidden(
    values: Mapping[str, str], *, named: Collection[str] = (), examples: Collection[str] = ()
) -> tuple[str, ...]:
    """The values to redact. named: variables that a manifest asks for; examples: values that are no secret."""
    found = (_secret(name, value, name in named) for name, value in values.items() if value not in examples)
    return tuple(dict.fromkeys(value for value in found if len(value) >= _SHORTEST))


def _secret(name: str, value: str, named: bool) -> str:
    """The part of a value that is secret; empty: none of it."""
    if address := _ADDRESS.match(value):
        whole = bool(_WEBHOOK.search(name)) and not address[1]
        return value if whole else address[1] or ""
    if not (named or (_NAMES.search(name) and not _PUBLIC.search(name))):
        return ""
    return "" if _WORD.match(value) or _PLACE.match(value) or _PLACEHOLDER.search(value) else value
