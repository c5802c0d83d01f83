"""What a session is told of memories, and what a model is asked that is to learn from a transcript. Pure.

Source: spec auto 5.17, 5.19.
"""

from collections.abc import Sequence

from milepost.formats.memory import Category
from milepost.prompts.blanks import fill
from milepost.rules import memories
from milepost.rules.memories import Memory


def block(known: Sequence[Memory]) -> str:
    """The part of a system prompt; empty when nothing is known. known: the best first."""
    lines = [memories.line(memory) for memory in memories.told(known)]
    return fill("blocks/memories", {"memories": "\n".join(lines)}).strip() if lines else ""


def question(unit: str, transcript: str, known: Sequence[Memory]) -> tuple[str, str]:
    """System prompt and prompt for learning. unit: `execute-task M001/S01/T01`; transcript: without credentials."""
    asked = fill(
        "blocks/learn",
        {
            "unit": unit,
            "categories": ", ".join(Category),
            "notes": "\n".join(memories.line(memory) for memory in known) or "None yet.",
            "transcript": transcript.replace("</transcript>", "</ transcript>"),
        },
    )
    return fill("blocks/learn-system", {}).strip(), asked
