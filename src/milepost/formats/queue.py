"""`QUEUE-ORDER.json`: the order in which milestones are worked on.

    {"order": ["M003", "M001"], "updatedAt": "2026-03-17T10:00:00.000Z"}

A file that is missing, broken or of another shape means no order of its own. `QUEUE.md` is free text and
is never read for order. Source: spec auto 1.5, in-the-wild 9.
"""

from collections.abc import Iterable

from milepost.model.ids import sequence


def parse(text: str) -> tuple[str, ...]:
    """The ids in their wanted order; empty when the text holds none. Never raises."""
    import json

    try:
        content = json.loads(text)
    except ValueError:
        return ()
    order = content.get("order") if isinstance(content, dict) else None
    return tuple(entry for entry in order if isinstance(entry, str)) if isinstance(order, list) else ()


def render(order: Iterable[str], updated_at: str) -> str:
    """The file's text. updated_at: ISO time."""
    import json

    return json.dumps({"order": list(order), "updatedAt": updated_at}, indent=2) + "\n"


def arrange(present: Iterable[str], order: Iterable[str]) -> tuple[str, ...]:
    """The ids that exist: first those of `order`, then the others by their number. Equal numbers by name."""
    left = sorted(set(present))
    first = [entry for entry in dict.fromkeys(order) if entry in left]
    return (*first, *sorted((entry for entry in left if entry not in first), key=sequence))
