"""`SKILL.md`: how to do one kind of thing, in a directory of its own.

    ---
    name: release-notes
    description: How release notes are written here.
    ---
    Read the log since the last tag …

The directory's name stands in for a name that is missing, the first line of the text for a description.
Source: spec auto 1.2, 2.9 (skills).
"""

from typing import NamedTuple

from milepost.formats._markdown import frontmatter, split


class Skill(NamedTuple):
    """One skill."""

    name: str
    description: str
    text: str
    """Without the front matter."""


def parse(text: str, directory: str) -> Skill:
    """The skill of a file in a directory of that name. Never raises."""
    front, body = frontmatter(text), split(text)[1].strip()
    name, description = front.get("name"), front.get("description")
    first = next((line.strip("# ").strip() for line in body.splitlines() if line.strip("# ").strip()), "")
    return Skill(
        name=name.strip() if isinstance(name, str) and name.strip() else directory,
        description=description.strip() if isinstance(description, str) and description.strip() else first,
        text=body,
    )
