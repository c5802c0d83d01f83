"""The settings as a JSON Schema (draft 2020-12) and as rows for the reference page; both read off the table.

`schema()` is shipped as `preferences.schema.json` beside this module; a test compares the two.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from milepost.formats.preferences_table import NOT_USED, Field, rows, table

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Entry(NamedTuple):
    """One line of the reference page."""

    key: str
    takes: str
    """Type or allowed values, in words."""
    default: str
    says: str
    source: str


def schema() -> dict[str, object]:
    """The schema of the mapping between the `---` lines. Unknown keys are allowed: they only warn."""
    return {
        "$schema": _DIALECT,
        "title": "Preferences of a .gsd/ project",
        "description": "The YAML between the two --- lines of .gsd/PREFERENCES.md.",
        **_object(table()),
        "$defs": {"model": {"anyOf": [{"type": "string", "minLength": 1}, _object(_model().fields)]}},
    }


def text() -> str:
    """`schema()` as the file that is shipped."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def reference() -> tuple[Entry, ...]:
    """Every key for the reference page, parents before their children."""
    return tuple(
        Entry(key=row.path, takes=_takes(row), default=_default(row), says=row.key.says, source=row.key.source)
        for row in rows()
    )


def ignored() -> tuple[str, ...]:
    """Keys of other releases that are accepted and do nothing, sorted."""
    return tuple(sorted(NOT_USED))


def _model() -> Field:
    """A phase's model, which is the same object under each phase."""
    return next(row for row in rows() if row.shorthand)


def _object(fields: tuple[Field, ...]) -> dict[str, object]:
    shape: dict[str, object] = {"type": "object", "properties": {field.name: _described(field) for field in fields}}
    required = [field.name for field in fields if field.key.required]
    return shape | ({"required": required} if required else {})


def _described(field: Field) -> dict[str, object]:
    """One key; null is allowed everywhere and means not set."""
    shape: dict[str, object] = {"anyOf": [_shape(field), {"type": "null"}], "description": field.key.says}
    plain = _plain(field.default)
    return shape if plain is None or field.fields else shape | {"default": plain}


def _shape(field: Field) -> dict[str, object]:
    match field.kind:
        case "truth":
            return {} if field.key.loose else {"type": "boolean"}
        case "truth-or-text":
            return {"type": ["boolean", "string"], "minLength": 1}
        case "whole" | "number":
            return _number(field)
        case "choice":
            return {"enum": list(field.choices)}
        case "text":
            return {"type": "string", "minLength": 1} | (
                {"pattern": f"^{field.key.letters}$"} if field.key.letters else {}
            )
        case "texts":
            return {"anyOf": [{"type": "array", "items": {"type": ["string", "null"]}}, {"type": "string"}]}
        case "groups":
            several: dict[str, object] = {"type": "array", "items": _object(field.fields)}
            return {"anyOf": [several, _object(field.fields)]} if field.key.single else several
        case "map":
            return {"type": "object", "additionalProperties": _object(field.fields)}
        case "group":
            return {"$ref": "#/$defs/model"} if field.shorthand else _object(field.fields)


def _number(field: Field) -> dict[str, object]:
    bounds = {
        "minimum": field.key.at_least,
        "maximum": field.key.at_most,
        "exclusiveMinimum": field.key.above,
    }
    # A fraction is floored or rounded where a whole number is wanted, so the schema lets it pass.
    kind = "integer" if field.kind == "whole" and not field.key.whole else "number"
    return {"type": kind} | {name: bound for name, bound in bounds.items() if bound is not None}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return None
    return list(value) if isinstance(value, tuple) else value


def _takes(field: Field) -> str:
    match field.kind:
        case "truth":
            return "true or false"
        case "truth-or-text":
            return "true, false or a text"
        case "choice":
            return ", ".join(str(choice) for choice in field.choices)
        case "whole" | "number":
            return _bounds(field)
        case "texts":
            return "list of texts"
        case "groups":
            return "list of objects"
        case "map":
            return "object"
        case "group":
            return "text or object" if field.shorthand else "object"
        case "text":
            return "text"


def _bounds(field: Field) -> str:
    key, noun = field.key, "whole number" if field.kind == "whole" else "number"
    if key.above is not None:
        return f"{noun} above {key.above:g}"
    if key.at_least is not None and key.at_most is not None:
        return f"{noun} from {key.at_least:g} to {key.at_most:g}"
    return f"{noun} from {key.at_least:g} up" if key.at_least is not None else noun


def _default(field: Field) -> str:
    plain = _plain(field.default)
    if field.fields or plain is None or plain == "":
        return ""
    return msgspec.json.encode(plain).decode()
