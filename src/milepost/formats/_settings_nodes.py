"""The nodes of a settings block, as what edits them asks: which pair, where a value ends, what it all says."""

import yaml

from milepost.errors import FormatError
from milepost.formats import _yaml


def compose(text: str, path: str) -> yaml.MappingNode:
    """The block's root, empty for an empty block. Raises FormatError; `path` is only shown."""
    try:
        node = _yaml.compose(text)
    except _yaml.NotYaml as error:
        raise FormatError(path, 0, "settings are not YAML, so they cannot be edited") from error
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("", 0, 0, 0, "", 0), None)
    if not isinstance(node, yaml.MappingNode):
        raise FormatError(path, 0, "settings must be `key: value` lines")
    return node


def pair(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The first key of that name, with its value."""
    pairs = [(name, value) for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key]
    return pairs[0] if pairs else None


def end(node: yaml.Node) -> int:
    """Where a node's own text ends; a block's mark of its end lies behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return end(node.value[-1])
    return int(node.end_mark.index)


def line_end(text: str, at: int) -> int:
    """Behind the line that `at` stands in."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def plain(node: yaml.MappingNode) -> dict[str, object]:
    """What a mapping says, scalars as their text."""
    return {str(name.value): plain_value(value) for name, value in node.value}


def plain_value(node: yaml.Node) -> object:
    """The same for any node."""
    if isinstance(node, yaml.MappingNode):
        return plain(node)
    if isinstance(node, yaml.SequenceNode):
        return [plain_value(item) for item in node.value]
    return str(node.value)
