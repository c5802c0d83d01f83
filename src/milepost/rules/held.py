"""Whether a session is held by a person, as the journal tells it. Only true of an attempt whose process lives."""

from collections.abc import Iterable

from milepost.formats.journal import AnyEvent, AttemptEnded, Held, LetGo, SessionEnded


def since(facts: Iterable[AnyEvent]) -> int | None:
    """Since when (epoch ms) the attempt with these facts, oldest first, is held; None: it is not."""
    found: int | None = None
    for fact in facts:
        match fact:
            case Held(at_ms=at_ms):
                found = at_ms
            case LetGo() | SessionEnded() | AttemptEnded():
                found = None
            case _:
                pass
    return found
