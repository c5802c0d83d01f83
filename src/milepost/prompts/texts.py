"""The template files beside this module, read once each: the only reading of files in this room.

A template is named by its path below `templates/` without `.md`: a unit kind (`execute-task`), a document form
(`documents/uat`) or a block that several prompts share (`blocks/system`). Source: style rule R20.
"""

from functools import cache
from importlib.resources import files

from milepost.errors import MilepostError


class NoTemplate(MilepostError):
    """The installation lacks a template file."""


@cache
def template(name: str) -> str:
    """The template's text without its last newline. Raises NoTemplate."""
    entry = files("milepost.prompts") / "templates" / f"{name}.md"
    try:
        return entry.read_text(encoding="utf-8").rstrip("\n")
    except FileNotFoundError:
        raise NoTemplate(f"prompt template {name!r} is not installed", hint="Reinstall milepost.") from None
