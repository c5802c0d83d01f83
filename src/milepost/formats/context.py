"""`M###-CONTEXT.md`: the brief of a milestone; its frontmatter names what it waits for.

    ---
    depends_on: [M001, M002-ab12cd]
    ---
    # M003: Sync engine

`depends_on` or `dependsOn`, as an inline list, a block list or one id, with or without quotes. A dependency told
in prose is not one. `M###-CONTEXT-DRAFT.md` has the same shape. Source: spec auto 2.10, in-the-wild 7.
"""

import re

from milepost.formats._markdown import frontmatter, h1, sections, split, strings, unquote, without_id


def depends_on(text: str) -> tuple[str, ...]:
    """Ids of the milestones that must be complete first, in their order, case kept. Never raises."""
    if "depend" not in split(text)[0]:
        return ()
    fields = frontmatter(text)
    listed = strings(fields, "depends_on") or strings(fields, "dependsOn")
    parts = (unquote(part.strip()) for entry in listed for part in entry.strip("[]").split(","))
    return tuple(dict.fromkeys(part for part in parts if part and part.lower() not in ("none", "null")))


def has_assumptions(text: str) -> bool:
    """Whether a section says what was taken for granted. Never raises."""
    return any(head.strip().casefold().startswith("assumptions") and body.strip() for head, body in sections(text, 2))


def title(text: str) -> str:
    """The milestone's name from the heading, without id and a trailing `— Context`; empty when there is none."""
    name = without_id(h1(split(text)[1] or text), "M")
    return re.sub(r"\s*(?:[—–:-]|\()\s*Context(?:\s+Draft)?\)?\s*$", "", name, flags=re.IGNORECASE)
