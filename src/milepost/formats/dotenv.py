"""`.env`: variables of a project, one a line.

    STRIPE_API_KEY=sk_test_…
    export NAME='two words'

Of interest are which names have a value, and single lines; every other byte stays as it was. Values are parsed out only
so that they can be kept out of records (`rules.hidden`). Source: spec auto 2.13.
"""

import re
from collections.abc import Mapping
from typing import Final

_LINE: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*?)[ \t]*\Z")
_EMPTY: Final = frozenset({"", "''", '""'})
_ASSIGNED: Final = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\r\n]*))""",
    re.MULTILINE | re.DOTALL,
)
_BARE: Final = re.compile(r"[\w./+=:@%,~-]+\Z")


def lines(text: str) -> Mapping[str, str]:
    """Variable → its line, for those that have a value; the last of a name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        parsed = _LINE.match(line)
        if parsed and parsed[2] not in _EMPTY and not parsed[2].startswith("#"):
            found[parsed[1]] = line
    return found


def values(text: str) -> Mapping[str, str]:
    """Variable → its value, for those that have one; the last of a name. A quoted value may go over several lines."""
    found: dict[str, str] = {}
    for match in _ASSIGNED.finditer(text):
        name, double, single, bare = match.groups()
        if double is not None:
            value = re.sub(r"\\(.)", lambda escape: {"n": "\n", "r": "\r", "t": "\t"}.get(escape[1], escape[1]), double)
        else:
            value = single if single is not None else re.split(r"(?:^|[ \t])#", bare)[0].strip()
        if value:
            found[name] = value
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
