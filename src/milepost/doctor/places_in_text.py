"""On which line of a document something is said."""

import re


def line_of(text: str, entity: str) -> int:
    """The first line that lists `entity` (a box, a heading, a table row), else that names it; 0 when none does."""
    word = re.compile(rf"(?<![\w.-]){re.escape(entity)}(?![\w-])")
    named = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if word.search(line)]
    listed = (n for n, line in named if line.lstrip().startswith(("-", "*", "+", "#", "|")))
    return next(listed, named[0][0] if named else 0)
