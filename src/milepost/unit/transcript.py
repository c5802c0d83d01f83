"""`activity/<seq>-<kind>-<id>.jsonl`: what was said and done in one session, readable after any crash.

    {"type":"session","version":1,"id":"a-…","timestamp":"…","cwd":"…","unit":"execute-task M001/S01/T01"}
    {"type":"message","message":{"role":"assistant","content":[{"type":"text","text":"…"},{"type":"toolCall",…}],"usage":{…}}}
    {"type":"message","message":{"role":"toolResult","toolCallId":"…","toolName":"…","isError":false,"content":[…]}}

Entry shapes are GSD's, so its tools read ours. Credentials are redacted before a line is written.
Source: spec auto 5.7.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

import msgspec

from milepost.agents.session import Ended, Event, Text, Thought, ToolCall, ToolResult, Usage
from milepost.model.money import to_usd
from milepost.model.units import Unit
from milepost.rules import secrets

_encode = msgspec.json.Encoder().encode


class Transcript:
    """Appends one session's entries as they happen."""

    def __init__(self, state: Path, unit: Unit, *, known_secrets: Sequence[str] = ()) -> None:
        """Opens the next free number below `state/activity`."""
        self._secrets = tuple(known_secrets)
        self._path, self._file = _open_next(state / "activity", unit)
        self._content: list[dict[str, object]] = []

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def __enter__(self) -> "Transcript":
        """For `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is still held back, and close."""
        with self._file:
            self._flush(None)

    def begin(self, *, attempt: str, unit: Unit, cwd: Path, at_ms: int, prompt: str) -> None:
        """The header, and the prompt as the user's message."""
        at = datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
        head = {"type": "session", "version": 1, "id": attempt, "timestamp": at.replace("+00:00", "Z")}
        self._write({**head, "cwd": str(cwd), "unit": str(unit)})
        self._write({"type": "message", "message": {"role": "user", "content": [{"type": "text", "text": prompt}]}})

    def steer(self, text: str) -> None:
        """Note what was said to the running session."""
        self._flush(None)
        self._write({"type": "message", "message": {"role": "user", "content": [{"type": "text", "text": text}]}})

    def add(self, event: Event) -> None:
        """Note one event of the session."""
        match event:
            case Text(text=text):
                self._say("text", "text", text)
            case Thought(text=text):
                self._say("thinking", "thinking", text)
            case ToolCall():
                self._content.append({"type": "toolCall", "id": event.id, "name": event.name, "arguments": event.args})
            case Usage():
                self._flush(_usage(event))
            case ToolResult():
                self._flush(None)
                self._write({"type": "message", "message": _result(event)})
            case Ended():
                self._flush(None)
                self._write(_ended(event))

    def _say(self, kind: str, field: str, text: str) -> None:
        last = self._content[-1] if self._content else {}
        if last.get("type") == kind:
            last[field] = f"{last[field]}{text}"
        else:
            self._content.append({"type": kind, field: text})

    def _flush(self, usage: dict[str, object] | None) -> None:
        if not self._content and usage is None:
            return
        message: dict[str, object] = {"role": "assistant", "content": self._content}
        self._content = []
        self._write({"type": "message", "message": message | ({"usage": usage} if usage else {})})

    def _write(self, entry: dict[str, object]) -> None:
        self._file.write(secrets.redact(_line(entry), self._secrets) + "\n")
        self._file.flush()


def _line(entry: dict[str, object]) -> str:
    try:
        return _encode(entry).decode()
    except UnicodeEncodeError:
        # Documents of the project need not be UTF-8, and then the prompt is not either.
        return json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace").decode()


def _open_next(directory: Path, unit: Unit) -> tuple[Path, TextIO]:
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{unit.label}-{unit.id.replace('/', '-')}.jsonl"
    heads = (entry.split("-")[0] for entry in os.listdir(directory))
    number = 1 + max((int(head) for head in heads if head.isdigit()), default=0)
    while True:
        path = directory / f"{number:03d}-{name}"
        try:
            return path, path.open("x", encoding="utf-8")
        except FileExistsError:
            number += 1


def _usage(event: Usage) -> dict[str, object]:
    total = event.input + event.output + event.cache_read + event.cache_write
    cost = None if event.micro_usd is None else {"total": to_usd(event.micro_usd)}
    return {
        "input": event.input,
        "output": event.output,
        "cacheRead": event.cache_read,
        "cacheWrite": event.cache_write,
        "totalTokens": total,
        "cost": cost,
        "model": event.model,
    }


def _result(event: ToolResult) -> dict[str, object]:
    return {
        "role": "toolResult",
        "toolCallId": event.id,
        "toolName": event.name,
        "isError": not event.ok,
        "content": [{"type": "text", "text": event.text}],
    }


def _ended(event: Ended) -> dict[str, object]:
    error = {"errorKind": str(event.error.kind), "errorMessage": event.error.text} if event.error else {}
    return {"type": "end", "stopReason": str(event.stop), **error}
