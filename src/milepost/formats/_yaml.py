"""YAML text as nodes that know where they stand, with the C parser where it is built in.

The C composer recurses on the C stack: text nested some ten thousand deep ends the process. So the events, which
are read without recursion, are counted first.
"""

from typing import Final

import yaml

_LOADER: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 40
"""Settings nest four deep; what nests deeper than this was not written by anybody."""
_OPENING: Final = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSING: Final = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class NotYaml(Exception):
    """The text is not one YAML document that can be read; `line` counts from 0, None when it is not known."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str) -> yaml.Node | None:
    """The document's root node, None for an empty one. Raises NotYaml."""
    try:
        _require_shallow(text)
        return yaml.compose(text, _LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable"
        raise NotYaml(f"not YAML: {message}", mark.line if mark is not None else None) from error
    except UnicodeEncodeError as error:
        raise NotYaml("not YAML: not UTF-8", text.count("\n", 0, error.start)) from error


def _require_shallow(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, _OPENING):
            depth += 1
        elif isinstance(event, _CLOSING):
            depth -= 1
        if depth > _DEEPEST:
            raise NotYaml("nested too deeply", event.start_mark.line if event.start_mark else None)
