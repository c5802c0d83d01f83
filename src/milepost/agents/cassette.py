"""A recording of sessions, one JSON object per line: what the model said and called, and what came of each call.

    {"event":"cassette","version":1}
    {"event":"session","kind":"execute-task","id":"M001/S01/T01","agent":"builtin","base":"…","prompt":"…"}
    {"event":"text","text":"I write the module."}
    {"event":"tool-call","id":"call_1","name":"write","args":{"path":"a.py","content":"A = 1\\n"}}
    {"event":"tool-result","id":"call_1","name":"write","ok":true,"text":"Created a.py, 6 bytes."}
    {"event":"usage","model":"claude-opus-5-5","input":812,"output":64,…}
    {"event":"ended","stop":"end","tool_calls":1,"requests":1}

The lines between are the events of `session`, in order; consecutive texts are one. The working directory is written
`{{cwd}}` and the directory of kept outputs `{{output}}`, so that it plays anywhere; a text that holds such a mark
itself gets a `=` in it. Sessions are appended whole, in the order they ended.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from milepost.agents.session import Ended, Event, SessionSpec, Text, Thought, ToolCall, ToolResult, Usage
from milepost.errors import FormatError
from milepost.model.units import Unit, of_type

VERSION = 1


class Head(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="cassette"):
    """The first line."""

    version: int


class Opening(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="session"):
    """A session begins."""

    kind: str
    id: str
    agent: str = ""
    """Who was recorded."""
    base: str = ""
    """The commit that the session's directory stood on; empty: not known."""
    prompt: str = ""
    """A digest of what the session was told (`digest`); empty: not known."""


class Recorded(NamedTuple):
    """One session as it was."""

    unit: Unit
    events: tuple[Event, ...]
    """The last one is `Ended`."""
    base: str = ""
    prompt: str = ""


_Line = Head | Opening | Text | Thought | ToolCall | ToolResult | Usage | Ended
_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
_CHANGING = (
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d(?::\d\d)?\b"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:s|ms|sec|seconds|min|minutes)\b"), "<span>"),
    (re.compile(r"/(?:tmp|var/folders)/[^\s\"']+"), "<temporary>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "<id>"),
)
"""What changes from run to run in prompts and outputs, and what stands for it when two are compared."""

_MARK = re.compile(r"\{\{(=*)(cwd|output)\}\}")


def read(path: Path) -> tuple[Recorded, ...]:
    """The sessions of a cassette. Raises FormatError with the line that cannot be understood, OSError."""
    sessions: list[Recorded] = []
    unit: Unit | None = None
    opening = Opening(kind="", id="")
    events: list[Event] = []
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        line = _line(path, number, raw)
        match line:
            case Head(version=version):
                _require(number == 1 and version == VERSION, path, number, f"a cassette of version {VERSION}")
            case Opening():
                _require(unit is None and number > 1, path, number, "the end of the session before")
                unit, opening, events = _unit(path, number, line), line, []
            case _:
                _require(unit is not None, path, number, "the beginning of a session")
                events.append(line)
        if isinstance(line, Ended) and unit is not None:
            sessions.append(Recorded(unit, tuple(events), opening.base, opening.prompt))
            unit = None
    _require(unit is None, path, 0, "the end of the last session")
    _require(bool(sessions), path, 0, "at least one session")
    return tuple(sessions)


def append(path: Path, unit: Unit, agent: str, events: Iterable[Event], *, base: str = "", prompt: str = "") -> None:
    """Add a session that ended, whole, with the head if the file is new. Raises OSError."""
    lines: list[_Line] = [
        Opening(kind=unit.type, id=unit.id, agent=agent, base=base, prompt=prompt),
        *_joined(events),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # several workers may record into one file
        if os.fstat(file.fileno()).st_size == 0:
            lines.insert(0, Head(version=VERSION))
        file.write(b"".join(_encode(line) + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def places(spec: SessionSpec) -> Mapping[str, str]:
    """The directories of a session, by the mark that stands for them."""
    return {"output": str(spec.output_dir), "cwd": str(spec.cwd)}


def write(path: Path, sessions: Iterable[Recorded]) -> None:
    """A cassette of some sessions of another. Raises OSError."""
    for one in sessions:
        append(path, one.unit, "", one.events, base=one.base, prompt=one.prompt)


def digest(spec: SessionSpec) -> str:
    """What a session is told, in sixteen characters; the same where only directories, times and ids differ."""
    said = f"{hide(spec.system, places(spec))}\0{hide(spec.prompt, places(spec))}"
    return sha256(settled(said).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def settled(text: str) -> str:
    """`text` without what differs from run to run: times, durations, commits, temporary names."""
    for expression, word in _CHANGING:
        text = expression.sub(word, text)
    return text


def hide(value: object, where: Mapping[str, str]) -> object:
    """`value` (JSON) with every mention of a directory replaced by its mark."""
    return _mapped(value, lambda text: _hide(text, where))


def show(value: object, where: Mapping[str, str]) -> object:
    """The reverse of `hide`, with the directories of another session."""
    return _mapped(value, lambda text: _MARK.sub(lambda found: _shown(found, where), text))


def _line(path: Path, number: int, raw: bytes) -> _Line:
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FormatError(str(path), number, f"no line of a cassette: {error}") from None


def _unit(path: Path, number: int, opening: Opening) -> Unit:
    try:
        return of_type(opening.kind, opening.id)
    except ValueError:
        raise FormatError(str(path), number, f"no kind of unit: {opening.kind!r}") from None


def _require(good: bool, path: Path, line: int, expected: str) -> None:
    if not good:
        raise FormatError(str(path), line, f"expected {expected}", hint="A cassette is made with --record FILE.")


def _joined(events: Iterable[Event]) -> Sequence[Event]:
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, Text) and isinstance(last, Text):
            joined[-1] = Text(text=last.text + event.text)
        elif isinstance(event, Thought) and isinstance(last, Thought):
            joined[-1] = Thought(text=last.text + event.text)
        else:
            joined.append(event)
    return joined


def _hide(text: str, where: Mapping[str, str]) -> str:
    text = _MARK.sub(r"{{=\1\2}}", text)
    for mark, directory in sorted(where.items(), key=lambda item: -len(item[1])):
        text = re.sub(re.escape(directory) + r"(?![\w.-])", "{{" + mark + "}}", text)
    return text


def _shown(found: re.Match[str], where: Mapping[str, str]) -> str:
    escape, mark = found[1], found[2]
    return "{{" + escape[1:] + mark + "}}" if escape else where[mark]


def _mapped(value: object, change: Callable[[str], str]) -> object:
    match value:
        case str():
            return change(value)
        case list():
            return [_mapped(item, change) for item in value]
        case dict():
            return {key: _mapped(item, change) for key, item in value.items()}
        case _:
            return value
