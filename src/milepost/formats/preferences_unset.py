"""One setting taken out of `PREFERENCES.md`, every other byte as it was.

    unset(text, "git.isolation")

A parent that held nothing else goes too, unless a comment stands in it. What could not be proved is refused with
FormatError, as in `preferences_edit`. Source: spec auto 2.9.
"""

from collections.abc import Sequence

import yaml

from milepost.errors import FormatError
from milepost.formats import _settings_nodes as nodes
from milepost.formats import preferences_block
from milepost.formats.preferences_table import table


def unset(text: str, key: str, *, path: str = "PREFERENCES.md") -> str:
    """`text` without the dotted `key`; the same text when it is not there.

    Raises FormatError when the settings stand where they cannot be edited safely, are not YAML, or more would change.
    """
    block = preferences_block.find(text, (field.name for field in table()))
    if block.shape == "prose":
        return text
    if block.shape not in ("frontmatter", "bare"):
        raise FormatError(path, 0, "settings stand outside `---` lines", hint="Move them between two at the top.")
    before = nodes.compose(block.text, path)
    try:
        chain = _chain(before, key.split("."))
        if not chain:
            return text
        edited = _without(block.text, chain)
        _prove(nodes.plain(nodes.compose(edited, path)), nodes.plain(before), key, path)
    except RecursionError as error:
        raise FormatError(path, 0, "settings that hold themselves cannot be edited") from error
    return text[: block.at] + edited + text[block.at + len(block.text) :]


class _Link:
    """A pair and the mapping that it stands in."""

    def __init__(self, parent: yaml.MappingNode, name: yaml.Node, value: yaml.Node) -> None:
        self.parent, self.name, self.value = parent, name, value


def _chain(root: yaml.MappingNode, keys: Sequence[str]) -> list[_Link]:
    """The pairs from the root to the key; empty when it is not there."""
    found, node = list[_Link](), root
    for depth, key in enumerate(keys):
        pair = nodes.pair(node, key)
        if pair is None:
            return []
        found.append(_Link(node, *pair))
        if depth < len(keys) - 1:
            if not isinstance(pair[1], yaml.MappingNode):
                return []
            node = pair[1]
    return found


def _without(text: str, chain: list[_Link]) -> str:
    link = chain[-1]
    while len(chain) > 1 and len(link.parent.value) == 1 and not _commented(text, chain[-2], link):
        chain = chain[:-1]
        link = chain[-1]
    return _out_of_flow(text, link) if link.parent.flow_style else _lines_out(text, link)


def _commented(text: str, above: _Link, link: _Link) -> bool:
    """Whether a comment between a parent's name and its only key would go with the parent."""
    return "#" in text[above.name.end_mark.index : link.name.start_mark.index]


def _lines_out(text: str, link: _Link) -> str:
    start = text.rfind("\n", 0, link.name.start_mark.index) + 1
    end = max(nodes.end(link.value), int(link.name.end_mark.index))
    return text[:start] + text[end if text[end - 1] == "\n" else nodes.line_end(text, end) :]


def _out_of_flow(text: str, link: _Link) -> str:
    """One entry of `{a: 1, b: 2}`, with the comma behind it or before it."""
    names = [name for name, _ in link.parent.value]
    at = names.index(link.name)
    start, end = int(link.name.start_mark.index), nodes.end(link.value)
    if at + 1 < len(names):
        end = int(names[at + 1].start_mark.index)
    elif at:
        start = nodes.end(link.parent.value[at - 1][1])
    return text[:start] + text[end:]


def _prove(after: dict[str, object], before: dict[str, object], key: str, path: str) -> None:
    """Raises unless the key is gone, perhaps with parents that it left empty, and nothing else is."""
    *parents, last = key.split(".")
    holders, place = [before], before
    for parent in parents:
        inner = place[parent]
        assert isinstance(inner, dict)  # noqa: S101 `_chain` went this way
        holders.append(inner)
        place = inner
    del place[last]
    for parent, holder in zip(reversed(parents), reversed(holders[:-1]), strict=True):
        if not holder[parent]:
            del holder[parent]
    if _full(after) != _full(before):
        raise FormatError(path, 0, f"{key} could not be taken out without touching something else")


def _full(settings: dict[str, object]) -> dict[str, object]:
    """Without what holds nothing: an empty parent says the same as none."""
    kept = {name: _full(value) if isinstance(value, dict) else value for name, value in settings.items()}
    return {name: value for name, value in kept.items() if value not in ("", {}, None)}
