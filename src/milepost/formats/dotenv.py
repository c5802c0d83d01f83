"""`.env`: variables of a project, one a line.

    STRIPE_API_KEY=sk_test_…
    export NAME='two words'

Only which names have a value, and single lines, are of interest: values are never parsed out, and every other byte
stays as it was. Source: spec auto 2.13.
"""

import re
from collections.abc import Mapping
from typing import Final

_LINE: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*?)[ \t]*\Z")
_EMPTY: Final = frozenset({"", "''", '""'})
_BARE: Final = re.compile(r"[\w./+=:@%,~-]+\Z")


def lines(text: str) -> Mapping[str, str]:
    """Variable → its line, for those that have a value; the last of a name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        parsed = _LINE.match(line)
        if parsed and parsed[2] not in _EMPTY and not parsed[2].startswith("#"):
            found[parsed[1]] = line
    return found


def assignment(name: str, value: str) -> str:
    """The line that gives a variable a value, quoted where it has to be."""
    if _BARE.match(value):
        return f"{name}={value}"
    if "'" not in value and "\n" not in value:
        return f"{name}='{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return f'{name}="{escaped}"'


def with_line(text: str, name: str, line: str) -> str:
    """`text` with the variable's line in place of an earlier one, else at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    kept = text.splitlines(keepends=True)
    for number, old in enumerate(kept):
        parsed = _LINE.match(old.rstrip("\r\n"))
        if parsed and parsed[1] == name:
            return "".join((*kept[:number], line + newline, *kept[number + 1 :]))
    gap = "" if not text or text.endswith("\n") else newline
    return f"{text}{gap}{line}{newline}"
