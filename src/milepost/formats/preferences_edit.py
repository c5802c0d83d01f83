"""One setting changed in `PREFERENCES.md`, every other byte as it was: comments, quotes, blank lines, line ends.

    edit(text, "git.isolation", "none")

The place of a value comes from the YAML parser, only that slice of text is replaced, and the result is read again
and compared: what could not be proved is refused with FormatError. Source: trials on YAML libraries (splicing).
"""

import json
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

import yaml

from milepost.errors import FormatError
from milepost.formats import _settings_nodes as nodes
from milepost.formats import _yaml, preferences_block
from milepost.formats.preferences_table import table

Value: TypeAlias = bool | int | float | str | Sequence[str] | None

_BARE: Final = re.compile(r"[A-Za-z_./][\w./@+-]*(?: [\w./@+=-]+)*\Z")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")


def edit(text: str, key: str, value: Value, *, path: str = "PREFERENCES.md") -> str:
    """`text` with the dotted `key` set to `value`; None writes `null`, which means not set.

    A file without settings gets a block at its top. Raises FormatError when the file's settings stand where they
    cannot be edited safely, are not YAML, or would change in more than that key.
    """
    if not _PATH.match(key):
        raise FormatError(path, 0, f"{key!r} is not a dotted key")
    newline = "\r\n" if "\r\n" in text else "\n"
    block = preferences_block.find(text, (field.name for field in table()))
    if block.shape == "prose":
        return _fresh(key.split("."), value, newline) + text
    if block.shape not in ("frontmatter", "bare"):
        raise FormatError(path, 0, "settings stand outside `---` lines", hint="Move them between two at the top.")
    try:
        edited = _edited(block.text, key.split("."), value, newline, path)
    except RecursionError as error:
        raise FormatError(path, 0, "settings that hold themselves cannot be edited") from error
    return text[: block.at] + edited + text[block.at + len(block.text) :]


def _edited(text: str, keys: Sequence[str], value: Value, newline: str, path: str) -> str:
    before = nodes.compose(text, path)
    edited = _spliced(text, before, keys, _render(value), newline, path)
    _prove(nodes.compose(edited, path), before, keys, value, path)
    return edited


def _fresh(keys: Sequence[str], value: Value, newline: str) -> str:
    return newline.join(["---", *_lines(keys, _render(value), ""), "---", ""])


def _lines(keys: Sequence[str], rendered: str, indent: str) -> list[str]:
    """`a:`, `  b: value` for a key and its parents."""
    *parents, last = keys
    lines = [f"{indent}{'  ' * depth}{parent}:" for depth, parent in enumerate(parents)]
    return [*lines, f"{indent}{'  ' * len(parents)}{last}: {rendered}"]


def _spliced(text: str, root: yaml.MappingNode, keys: Sequence[str], rendered: str, newline: str, path: str) -> str:
    """The block's text with the value in its place, or with new lines for what is not there yet."""
    node = root
    for depth, key in enumerate(keys):
        pair = nodes.pair(node, key)
        if pair is None:
            return _added(text, node, keys[depth:], rendered, newline, is_root=node is root)
        name, found = pair
        if depth == len(keys) - 1:
            return _replaced(text, name, found, rendered, path)
        if not isinstance(found, yaml.MappingNode):
            return _opened(text, name, found, keys[depth + 1 :], rendered, newline, path)
        node = found
    return text


def _replaced(text: str, name: yaml.Node, found: yaml.Node, rendered: str, path: str) -> str:
    start, end = found.start_mark.index, nodes.end(found)
    if isinstance(found, yaml.CollectionNode) and not found.flow_style:
        if re.search(r"(?:^|\s)#", text[start:end]):
            raise FormatError(path, 0, f"the value of {getattr(name, 'value', '')} holds comments; edit it by hand")
        start = text.index(":", name.end_mark.index) + 1
        if text[start : found.start_mark.index].strip():
            raise FormatError(path, 0, f"a comment stands between {getattr(name, 'value', '')} and its value")
        rendered = f" {rendered}"
    elif isinstance(found, yaml.ScalarNode) and found.style in ("|", ">"):
        raise FormatError(path, 0, f"the value of {getattr(name, 'value', '')} is a text block; edit it by hand")
    elif start == end:
        start = end = text.index(":", name.end_mark.index) + 1
        rendered = f" {rendered}"
    return text[:start] + rendered + text[end:]


def _opened(
    text: str, name: yaml.Node, found: yaml.Node, keys: Sequence[str], rendered: str, newline: str, path: str
) -> str:
    """A parent that is there but empty (`git:` or `git: null`) gets its first key."""
    if not isinstance(found, yaml.ScalarNode) or found.value not in ("", "~", "null"):
        raise FormatError(path, 0, f"{getattr(name, 'value', '')} is not an object")
    indent = " " * (int(name.start_mark.column) + 2)
    cleared = text[: found.start_mark.index].rstrip(" ") + text[found.end_mark.index :] if found.value else text
    at = nodes.line_end(cleared, int(name.end_mark.index))
    return _inserted(cleared, at, _lines(keys, rendered, indent), newline)


def _added(
    text: str, node: yaml.MappingNode, keys: Sequence[str], rendered: str, newline: str, *, is_root: bool
) -> str:
    """A key that its parent does not have yet, after the parent's last one."""
    if node.flow_style:
        at = int(node.end_mark.index) - 1
        nested = rendered
        for key in reversed(keys[1:]):
            nested = f"{{{key}: {nested}}}"
        comma = ", " if node.value else ""
        return text[:at].rstrip(" ") + f"{comma}{keys[0]}: {nested}" + text[at:]
    if is_root:
        return _inserted(text, len(text), _lines(keys, rendered, ""), newline)
    indent = " " * int(node.value[0][0].start_mark.column)
    return _inserted(text, nodes.line_end(text, nodes.end(node)), _lines(keys, rendered, indent), newline)


def _inserted(text: str, at: int, lines: Sequence[str], newline: str) -> str:
    lead = newline if at and text[at - 1] != "\n" else ""
    return text[:at] + lead + "".join(line + newline for line in lines) + text[at:]


def _render(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        is_bare = _BARE.match(value) and value.lower() not in _WORDS
        return value if is_bare else json.dumps(value, ensure_ascii=False)
    return f"[{', '.join(_render(item) for item in value)}]"


def _prove(after: yaml.MappingNode, before: yaml.MappingNode, keys: Sequence[str], value: Value, path: str) -> None:
    """Raises unless the two differ in this key alone, and the new value is the wanted one."""
    wanted = nodes.plain(before)
    place = wanted
    for key in keys[:-1]:
        inner = place.get(key)
        parent, place = place, inner if isinstance(inner, dict) else {}
        parent[key] = place
    written = _yaml.compose(_render(value))
    place[keys[-1]] = nodes.plain_value(written) if written is not None else ""
    if nodes.plain(after) != wanted:
        raise FormatError(path, 0, f"{'.'.join(keys)} could not be set without touching something else")
