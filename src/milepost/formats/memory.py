"""`memories.jsonl`: what sessions taught, one fact a line, never rewritten. Lies in the project's root.

    {"fact":"created","atMs":1763760000000,"unit":"execute-task/M001/S01/T02","attempt":"…","transcript":"activity/…",
     "id":"MEM001","category":"gotcha","content":"The tests need port 5432.","confidence":0.8}

What is known now is a fold over the lines (`rules.memories`). A tag, once written, never changes.
Source: spec auto 5.19.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec


class Category(StrEnum):
    """What a memory is about."""

    ARCHITECTURE = "architecture"
    CONVENTION = "convention"
    GOTCHA = "gotcha"
    PREFERENCE = "preference"
    ENVIRONMENT = "environment"
    PATTERN = "pattern"


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact", rename="camel"):
    """What every line says: when, and who knows it from where."""

    at_ms: int
    """Epoch milliseconds, UTC."""
    unit: str = ""
    """`kind/id` of the unit that taught it; empty: a person said so."""
    attempt: str = ""
    transcript: str = ""
    """Path below the state directory."""


class Examined(Line, frozen=True, kw_only=True, tag="examined"):
    """The transcript of an attempt is looked through; written before the model is asked, so that it is asked once."""


class Created(Line, frozen=True, kw_only=True, tag="created"):
    """A new memory."""

    id: str
    category: Category
    content: str
    confidence: float


class Updated(Line, frozen=True, kw_only=True, tag="updated"):
    """A memory is better said so."""

    id: str
    content: str


class Reinforced(Line, frozen=True, kw_only=True, tag="reinforced"):
    """A memory was found true once more."""

    id: str


class Superseded(Line, frozen=True, kw_only=True, tag="superseded"):
    """A memory holds no longer: another one does."""

    id: str
    superseded_by: str


class Forgotten(Line, frozen=True, kw_only=True, tag="forgotten"):
    """A person took a memory out."""

    id: str


Fact: TypeAlias = Examined | Created | Updated | Reinforced | Superseded | Forgotten

_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def encode(fact: Fact) -> bytes:
    """The line, with its end."""
    return _encode(fact) + b"\n"


def read(data: bytes) -> tuple[Fact, ...]:
    """The facts in a file's bytes; lines that a crash tore, or that a newer version wrote, are passed over."""
    found: list[Fact] = []
    for line in data.splitlines():
        try:
            found.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return tuple(found)
