"""Taking one entry out of the `depends_on` of a brief; every other byte stays. Source: spec auto 2.10, 7 (queue)."""

import re

from milepost.formats import context

_KEY = re.compile(r"(depends_on|dependsOn)(\s*:\s*)(.*?)(\s*)\Z")


def without_dependency(text: str, mid: str) -> str:
    """`text` in which nothing waits for `mid`; the very same text when nothing does."""
    if mid not in context.depends_on(text):
        return text
    lines = text.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines) if n and line.startswith("---")), len(lines))
    inside, kept = False, list[str]()
    for line in lines[:end]:
        head = _KEY.match(line)
        inside = bool(head) or (inside and line[:1] in (" ", "\t", "-"))
        if head and head[3]:
            line = f"{head[1]}{head[2]}[{', '.join(_others(head[3], mid))}]{head[4]}"
        elif inside and not head and _name(line.strip().removeprefix("-")) == mid:
            continue
        kept.append(line)
    return "".join([*kept, *lines[end:]])


def _others(raw: str, mid: str) -> list[str]:
    return [part.strip() for part in raw.strip().strip("[]").split(",") if part.strip() and _name(part) != mid]


def _name(raw: str) -> str:
    return raw.strip().strip("\"'")
