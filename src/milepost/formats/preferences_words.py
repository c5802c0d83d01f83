"""What a person types for a setting, as the value that the key takes. The same checks as for what is in a file.

read("verification_commands", ["pytest -q", "ruff check ."])     read("git.isolation", ["none"])
"""

from collections.abc import Sequence
from difflib import get_close_matches

import yaml

from milepost.errors import MilepostError
from milepost.formats import _yaml
from milepost.formats.preferences_edit import Value
from milepost.formats.preferences_table import NOT_USED, Field, rows
from milepost.formats.preferences_values import Refused, is_unset, value

_MARK = yaml.Mark("", 0, 0, 0, "", 0)


class UnknownKey(MilepostError):
    """There is no such setting."""


class BadValue(MilepostError):
    """The setting does not take this value; the text says which it takes."""


def leaves() -> tuple[Field, ...]:
    """The keys that hold a value of their own, in the order of the reference; a phase's model is one."""
    found, inside = list[Field](), ""
    for row in rows():
        if inside and row.path.startswith(inside):
            continue
        inside = ""
        if row.shorthand or row.kind in ("groups", "map"):
            inside = f"{row.path}{'.' if row.shorthand or row.kind == 'map' else '['}"
            found.append(row)
        elif row.kind != "group":
            found.append(row)
    return tuple(found)


def field(key: str) -> Field:
    """The key's row. Raises UnknownKey with what was perhaps meant."""
    known = {row.path: row for row in rows() if "[" not in row.path and "*" not in row.path}
    if key in known:
        return known[key]
    last = key.rpartition(".")[2]
    same = [path for path in known if path.rpartition(".")[2] == last]
    close = same or get_close_matches(key, list(known), n=1)
    unused = f"{key} is known, but not used by Milepost" if key in NOT_USED else f"{key!r} is no setting"
    hint = f"Did you mean {close[0]}?" if close else "`gsd prefs` lists all of them."
    raise UnknownKey(unused, hint=hint)


def read(key: str, words: Sequence[str]) -> Value:
    """The value that the words stand for. Raises UnknownKey, or BadValue with the reason."""
    row = field(key)
    if row.kind in ("groups", "map"):
        raise BadValue(f"{key} holds objects, which are not set on the command line", hint="gsd prefs edit")
    if row.kind == "group" and not row.shorthand:
        first = row.fields[0].path
        raise BadValue(f"{key} is an object: set one of its keys", hint=f"gsd prefs set {first} …")
    return _checked(key, row.fields[0] if row.shorthand else row, words)


def _checked(key: str, row: Field, words: Sequence[str]) -> Value:
    try:
        found = value(row, _node(row, words))
    except Refused as refusal:
        says = str(refusal)
        raise BadValue(f"{key}{' ' if says.startswith('must be ') else ': '}{says}", hint=row.key.says) from None
    assert found is None or isinstance(found, bool | int | float | str | list)  # noqa: S101 no object is read here
    return found


def _node(row: Field, words: Sequence[str]) -> yaml.Node:
    node = _written(row, words)
    if is_unset(node):
        raise Refused("`null` means not set: gsd prefs unset takes it out")
    return node


def _written(row: Field, words: Sequence[str]) -> yaml.Node:
    if row.kind == "texts":
        if len(words) == 1 and words[0].startswith("["):
            return _flow(words[0])
        return yaml.SequenceNode("tag:yaml.org,2002:seq", [_scalar(word, '"') for word in words], _MARK, _MARK)
    if len(words) != 1:
        raise Refused(f"takes one value, not {len(words)}; put it in quotes")
    return _scalar(words[0], "")


def _flow(text: str) -> yaml.Node:
    try:
        node = _yaml.compose(text)
    except _yaml.NotYaml as error:
        raise Refused(str(error)) from None
    return node if node is not None else _scalar("", "")


def _scalar(text: str, style: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, _MARK, _MARK, style)
