"""What a session said and did, read back from its transcript, which may end anywhere.

Only the tail of a long one is read. Credentials were taken out when it was written. Source: spec auto 5.7.
"""

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from milepost.store import regular
from milepost.unit.briefing import blocks

TAIL_BYTES = 10_000_000
"""Most of a transcript that is read (spec auto 5.7)."""


class What(StrEnum):
    """What an entry is."""

    PROMPT = "prompt"
    TEXT = "text"
    THOUGHT = "thought"
    CALL = "call"
    RESULT = "result"
    END = "end"


class Entry(NamedTuple):
    """One thing that was said or done."""

    what: What
    text: str
    """Words; of a call its target; of an end its error."""
    tool: str = ""
    """Of a call or a result; of an end the reason it stopped."""
    ok: bool = True
    id: str = ""
    """Joins a call and its result."""


def read(path: Path) -> tuple[Entry, ...]:
    """The entries of a transcript; empty when it is not there."""
    try:
        descriptor = regular.open_to_read(path)
    except OSError:
        return ()
    try:
        size = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, size - TAIL_BYTES), os.SEEK_SET)
        return tuple(entries(regular.rest(descriptor).splitlines()))
    finally:
        os.close(descriptor)


def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of some lines; a torn line, or one that nobody knows, is passed over."""
    for line in lines:
        try:
            entry = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if entry.get("type") == "end":
            yield Entry(What.END, str(entry.get("errorMessage", "")), str(entry.get("stopReason", "")))
        message = entry.get("message")
        if isinstance(message, dict):
            yield from _of(message)


def _of(message: dict[str, object]) -> Iterator[Entry]:
    role = message.get("role")
    parts = blocks(message)
    if role == "toolResult":
        text = " ".join(str(block.get("text", "")) for block in parts)
        call = str(message.get("toolCallId", ""))
        yield Entry(What.RESULT, text, str(message.get("toolName", "")), not message.get("isError"), call)
        return
    for block in parts:
        match block.get("type"):
            case "text":
                yield Entry(What.PROMPT if role == "user" else What.TEXT, str(block.get("text", "")))
            case "thinking":
                yield Entry(What.THOUGHT, str(block.get("thinking", "")))
            case "toolCall":
                name, call = str(block.get("name", "")), str(block.get("id", ""))
                yield Entry(What.CALL, _target(block), name, True, call)
            case _:
                pass


def _target(block: dict[str, object]) -> str:
    arguments = block.get("arguments")
    if not isinstance(arguments, dict):
        return ""
    return next((str(arguments[key]) for key in ("path", "command", "pattern", "query", "url") if key in arguments), "")
