"""What hooks and captures make of one unit's session: other words, another model. Frozen before the unit starts."""

from collections.abc import Sequence
from typing import NamedTuple

from milepost.prompts.compose import Prompt
from milepost.rules.done import Owed


class Told(NamedTuple):
    """The changes; empty texts change nothing."""

    before: str = ""
    """In front of the prompt."""
    after: str = ""
    """Behind it."""
    instead: str = ""
    """In its place; what the unit owes is added, since it is judged by that."""
    model: str = ""
    """Absolute: no routing, no fallback."""
    asked: str = ""
    """What a hook or a quick task is for."""
    artifact: str = ""
    """The file that a hook is to write, relative to the session's directory."""


def changed(prompt: Prompt, told: Told, *, where: str, owed: Sequence[Owed], state_dir: str) -> Prompt:
    """The prompt as the session gets it."""
    text = _instead(told.instead, where, owed, state_dir) if told.instead else prompt.text
    parts = (told.before, text, told.after)
    return prompt._replace(text="\n\n---\n\n".join(part.strip() for part in parts if part.strip()))


def _instead(text: str, where: str, owed: Sequence[Owed], state_dir: str) -> str:
    files = "\n".join(f"- `{state_dir}/{one.path}`" for one in owed)
    return f"{where}\n\n{text.strip()}" + (f"\n\n# Owed\n\n{files}" if files else "")
