"""One YAML node as the value that its key wants, or a sentence why not.

Scalars are read as YAML 1.2 does (GSD's parser): `yes` is a text and not true. What YAML 1.1 and 1.2 read
differently is refused with what to write instead. Source: spec auto 2.9.
"""

import math
import re
from difflib import get_close_matches
from typing import Final

import yaml

from milepost.formats.preferences_table import OTHER_NAMES, Field

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_FORMER: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z")


class Refused(Exception):
    """The value is not one that the key takes; the text says which are."""


def is_unset(node: yaml.Node) -> bool:
    """Whether a node says nothing: empty, `~` or `null`, not in quotes."""
    return isinstance(node, yaml.ScalarNode) and _is_plain(node) and node.value in _NULL


def value(field: Field, node: yaml.Node) -> object:
    """The checked value of a key that is not an object; JSON-like. Raises Refused."""
    match field.kind:
        case "truth":
            return _truth(field, node)
        case "truth-or-text":
            return _truth_or_text(field, node)
        case "whole" | "number":
            return _number(field, node)
        case "choice":
            return _choice(field, node)
        case "texts":
            return _texts(field, node)
        case _:
            return _text(field, node)


def _is_plain(node: yaml.ScalarNode) -> bool:
    return not node.style


def _scalar(node: yaml.Node, wanted: str) -> yaml.ScalarNode:
    if isinstance(node, yaml.ScalarNode):
        return node
    found = "a list" if isinstance(node, yaml.SequenceNode) else "an object"
    raise Refused(f"must be {wanted}, not {found}")


def _truth(field: Field, node: yaml.Node) -> bool:
    wanted = field.key.wanted or "true or false"
    scalar = _scalar(node, wanted)
    text = scalar.value
    if _is_plain(scalar) and text in _TRUE | _FALSE:
        return text in _TRUE
    if _is_plain(scalar) and text.lower() in _FORMER:
        raise Refused(f"must be {wanted}; {text!r} is a text in YAML 1.2: write {_FORMER[text.lower()]}")
    if field.key.loose:
        return _is_truthy(scalar)
    raise Refused(f"must be {wanted}, not {_shown(scalar)}")


def _is_truthy(scalar: yaml.ScalarNode) -> bool:
    if _is_plain(scalar) and _NUMBER.match(scalar.value):
        return float(scalar.value) != 0
    return bool(scalar.value)


def _truth_or_text(field: Field, node: yaml.Node) -> bool | str:
    scalar = _scalar(node, "true, false or a command")
    other = OTHER_NAMES.get(field.path, {}).get(scalar.value)
    if isinstance(other, bool):
        return other
    if _is_plain(scalar) and scalar.value.lower() in _FORMER:
        return _truth(field, node)
    if _is_plain(scalar) and scalar.value in _TRUE | _FALSE:
        return _truth(field, node)
    return _text(field, node)


def _number(field: Field, node: yaml.Node) -> int | float:
    scalar = _scalar(node, _range(field))
    text = scalar.value.strip()
    if re.match(r"[-+]?0\d", text):
        raise Refused(f"a leading zero means different numbers in YAML 1.1 and 1.2: write {text.lstrip('0') or '0'}")
    if not _NUMBER.match(text):
        raise Refused(f"must be {_range(field)}, not {_shown(scalar)}")
    number = float(text)
    if not math.isfinite(number):
        raise Refused(f"must be {_range(field)}, not {_shown(scalar)}")
    if field.kind == "whole":
        number = _whole(field, number, scalar)
    if not _in_range(field, number):
        raise Refused(f"must be {_range(field)}, not {_shown(scalar)}")
    return int(number) if number.is_integer() else number


def _whole(field: Field, number: float, scalar: yaml.ScalarNode) -> float:
    if number.is_integer():
        return number
    match field.key.whole:
        case "floor":
            return float(math.floor(number))
        case "round":
            return float(math.floor(number + 0.5))
        case _:
            raise Refused(f"must be a whole number, not {_shown(scalar)}")


def _in_range(field: Field, number: float) -> bool:
    key = field.key
    return not (
        (key.at_least is not None and number < key.at_least)
        or (key.at_most is not None and number > key.at_most)
        or (key.above is not None and number <= key.above)
    )


def _range(field: Field) -> str:
    key = field.key
    if key.wanted:
        return key.wanted
    if key.above is not None:
        return f"a number above {key.above:g}"
    if key.at_least is not None and key.at_most is not None:
        return f"a number from {key.at_least:g} to {key.at_most:g}"
    return f"a number from {key.at_least:g} up" if key.at_least is not None else "a number"


def _choice(field: Field, node: yaml.Node) -> str | int:
    allowed = ", ".join(str(choice) for choice in field.choices)
    scalar = _scalar(node, f"one of: {allowed}")
    text = scalar.value.strip()
    other = OTHER_NAMES.get(field.path, {}).get(text)
    if isinstance(other, str):
        return other
    for choice in field.choices:
        if str(choice) == text:
            return choice
    close = get_close_matches(text, [str(choice) for choice in field.choices], n=1)
    raise Refused(f"must be one of: {allowed}, not {_shown(scalar)}" + (f"; did you mean {close[0]}?" if close else ""))


def _text(field: Field, node: yaml.Node) -> str:
    scalar = _scalar(node, field.key.wanted or "a text")
    text: str = scalar.value.strip() if _is_plain(scalar) else scalar.value
    if not text.strip():
        raise Refused(f"must be {field.key.wanted or 'a text that is not empty'}; leave the key out instead")
    if field.key.letters and not re.fullmatch(field.key.letters, text):
        raise Refused(f"{_shown(scalar)} has letters that are not allowed; it must match {field.key.letters}")
    return text


def _texts(field: Field, node: yaml.Node) -> list[str]:
    """A list of texts; entries without a text are left out, one text alone is a list of one."""
    if isinstance(node, yaml.ScalarNode):
        return [_text(field, node)]
    if not isinstance(node, yaml.SequenceNode):
        raise Refused("must be a list of texts, not an object")
    kept = []
    for number, item in enumerate(node.value, start=1):
        if not isinstance(item, yaml.ScalarNode):
            raise Refused(f"entry {number} must be a text; put it in quotes if it holds `: `")
        if item.value.strip() and not is_unset(item):
            kept.append(item.value.strip())
    return list(dict.fromkeys(kept)) if field.key.join == "unique" else kept


def _shown(scalar: yaml.ScalarNode) -> str:
    text = scalar.value if len(scalar.value) <= 40 else scalar.value[:37] + "…"
    return repr(text)
