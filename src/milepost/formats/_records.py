"""JSON records as GSD writes them: two spaces of indent, fields in order, unknown fields passed over when read."""

from typing import TypeVar

import msgspec

from milepost.errors import FormatError

_Record = TypeVar("_Record")


def encode(record: object, *, newline: bool) -> bytes:
    """The file's bytes. newline: whether GSD ends this kind of file with one."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + (b"\n" if newline else b"")


def decode(data: bytes, kind: type[_Record], path: str) -> _Record:
    """The record in a file's bytes. Raises FormatError naming `path` and what is wrong."""
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(path, 0, f"not a {kind.__name__.lower()} record: {error}") from error
