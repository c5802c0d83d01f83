"""The tools a model is shown: names, arguments, one line each. Sent with every request, so every word is paid for.

One struct per tool is the truth of its arguments: the schema is read from it and the call is checked against it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from milepost.rules.tool_policy import ToolPolicy, offered

SHELL_LIMIT_S = 120
"""Longest a command may take, in seconds; the same as for a command of the gate (spec auto 5.13)."""


class BadCall(Exception):
    """A call the model got wrong; the text says what is expected of it."""


class Read(msgspec.Struct, frozen=True):
    """Read a text file, or its lines `start` to `end`, counted from 1."""

    path: str
    start: int = 1
    end: int | None = None


class Write(msgspec.Struct, frozen=True):
    """Create or replace a text file; directories are made."""

    path: str
    content: str


class Edit(msgspec.Struct, frozen=True):
    """Replace `old`, an exact text that occurs once in the file, by `new`."""

    path: str
    old: str
    new: str


class List(msgspec.Struct, frozen=True):
    """List a directory."""

    path: str = "."


class Search(msgspec.Struct, frozen=True):
    """Search the contents of files below `path` for a regular expression; `glob` narrows to file names."""

    pattern: str
    path: str = "."
    glob: str | None = None


class Shell(msgspec.Struct, frozen=True):
    """Run a command with bash in the working directory, without input. `timeout` in seconds, at most 120. What it
    leaves in the background is ended."""

    command: str
    timeout: int = SHELL_LIMIT_S


class Ask(msgspec.Struct, frozen=True):
    """Ask the person one question and wait for the answer. `options`: answers to choose from, if there are any."""

    question: str
    options: tuple[str, ...] = ()


Args = Read | Write | Edit | List | Search | Shell | Ask

ARGUMENTS: Mapping[str, type[Args]] = {
    "read": Read,
    "write": Write,
    "edit": Edit,
    "list": List,
    "search": Search,
    "shell": Shell,
    "ask": Ask,
}


class ToolSchema(NamedTuple):
    """One tool as a provider is told of it."""

    name: str
    description: str
    parameters: dict[str, object]
    """JSON Schema of the arguments."""


def schemas(policy: ToolPolicy) -> tuple[ToolSchema, ...]:
    """The tools of a session under `policy`, in a fixed order (a changed order would spoil the prompt cache)."""
    return tuple(_schema(name) for name in offered(policy))


def parse(name: str, args: Mapping[str, object]) -> Args:
    """The call as a value; raises BadCall for an unknown tool, a missing argument or a wrong type."""
    kind = ARGUMENTS.get(name)
    if kind is None:
        raise BadCall(f"There is no tool {name!r}; there are {', '.join(ARGUMENTS)}.")
    for field, value in args.items():
        if isinstance(value, str):
            _require_text(field, value)
    try:
        return msgspec.convert(dict(args), kind, strict=False)
    except msgspec.ValidationError as error:
        fields = ", ".join(field.name for field in msgspec.structs.fields(kind))
        raise BadCall(f"{error}. Arguments of {name}: {fields}.") from None


def _require_text(field: str, value: str) -> None:
    if "\0" in value and field != "content":
        raise BadCall(f"`{field}` holds a NUL character.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadCall(f"`{field}` holds half a surrogate pair, which no file and no command can hold.")


def _schema(name: str) -> ToolSchema:
    kind = ARGUMENTS[name]
    fields = msgspec.structs.fields(kind)
    return ToolSchema(
        name=name,
        description=" ".join((kind.__doc__ or "").split()),
        parameters={
            "type": "object",
            "properties": {field.name: _json_type(field.type) for field in fields},
            "required": [field.name for field in fields if field.required],
        },
    )


def _json_type(kind: object) -> dict[str, object]:
    if kind == tuple[str, ...]:
        return {"type": "array", "items": {"type": "string"}}
    return {"type": "integer" if kind in (int, int | None) else "string"}
