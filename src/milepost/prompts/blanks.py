"""`{{name}}` in a template: the only form of a placeholder, filled in one pass.

A value goes in literally: placeholders, `$&` or backslashes inside it mean nothing. Anything else between or
beside double braces is a mistake in the template and is refused. Source: spec auto 5.17, 8.6 (#2968).
"""

import re
from collections.abc import Mapping

from milepost.errors import MilepostError
from milepost.prompts.texts import template

Values = Mapping[str, str | None]
"""Every name a template may use; None marks one that has no value for the unit at hand."""

_BLANK = re.compile(r"\{\{([a-z][a-z0-9_]*)\}\}|\{\{|\}\}")


class BadPlaceholder(MilepostError):
    """A template asks for a name that does not exist, or its braces do not form a placeholder."""


class MissingValue(MilepostError):
    """A template asks for a name that has no value for this unit (a task's path in a milestone's prompt)."""


def fill(name: str, values: Values) -> str:
    """The template `name` with its placeholders replaced. Raises BadPlaceholder, MissingValue, NoTemplate."""
    return fill_text(template(name), values, name)


def fill_text(text: str, values: Values, name: str) -> str:
    """`text` with its placeholders replaced; `name` is what an error calls the text."""

    def value_of(found: re.Match[str]) -> str:
        key, line = found[1], text.count("\n", 0, found.start()) + 1
        if key is None:
            raise BadPlaceholder(f"template {name}:{line}: {found[0]!r} is no part of a placeholder")
        if key not in values:
            raise BadPlaceholder(f"template {name}:{line}: unknown placeholder {key!r}")
        value = values[key]
        if value is None:
            raise MissingValue(f"template {name}:{line}: placeholder {key!r} has no value for this unit")
        return value

    return _BLANK.sub(value_of, text)
