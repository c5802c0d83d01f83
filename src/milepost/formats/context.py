"""`M###-CONTEXT.md`: the brief of a milestone; its frontmatter names what it waits for.

    ---
    depends_on: [M001, M002-ab12cd]
    ---
    # M003: Sync engine

`depends_on` or `dependsOn`, as an inline list, a block list or one id, with or without quotes. A dependency told
in prose is not one. `M###-CONTEXT-DRAFT.md` has the same shape. Source: spec auto 2.10, in-the-wild 7.
"""

import re
from collections.abc import Iterable

from milepost.formats._markdown import frontmatter, h1, lf, sections, split, strings, unquote, without_id


def depends_on(text: str) -> tuple[str, ...]:
    """Ids of the milestones that must be complete first, in their order, case kept. Never raises."""
    if "depend" not in split(text)[0]:
        return ()
    fields = frontmatter(text)
    listed = strings(fields, "depends_on") or strings(fields, "dependsOn")
    parts = (unquote(part.strip()) for entry in listed for part in entry.strip("[]").split(","))
    return tuple(dict.fromkeys(part for part in parts if part and part.lower() not in ("none", "null")))


def render(mid: str, name: str, text: str, depends: Iterable[str] = ()) -> str:
    """A brief, or the draft of one, from somebody's own words. name: the milestone's title; text: Markdown."""
    needs = ", ".join(depends)
    front = f"---\ndepends_on: [{needs}]\n---\n" if needs else ""
    body = re.sub(r"\A\s*#\s+[^\n]*\n?", "", lf(text)).strip()
    return f"{front}# {mid}: {name}\n\n{body or name}\n"


def title_of(text: str) -> str:
    """A name for what somebody wants, from their words: the heading, else how it begins, at most 60 characters."""
    name = without_id(h1(split(text)[1] or text), "M") or next(
        (line for line in lf(text).split("\n") if line.strip()), ""
    )
    name = " ".join(re.split(r"(?<=[.!?])\s", name.strip().lstrip("#*- "), maxsplit=1)[0].rstrip(".").split())
    return name if len(name) <= 60 else name[:60].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def has_assumptions(text: str) -> bool:
    """Whether a section says what was taken for granted. Never raises."""
    return any(head.strip().casefold().startswith("assumptions") and body.strip() for head, body in sections(text, 2))


def title(text: str) -> str:
    """The milestone's name from the heading, without id and a trailing `— Context`; empty when there is none."""
    name = without_id(h1(split(text)[1] or text), "M")
    return re.sub(r"\s*(?:[—–:-]|\()\s*Context(?:\s+Draft)?\)?\s*$", "", name, flags=re.IGNORECASE)
