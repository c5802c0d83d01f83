"""Which questions of sessions wait for a person, and which were decided without one. A fold over the journal.

Source: field-reports #27 (a question is a durable record; assumptions are shown).
"""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats.journal import Answered, AnyEvent, Asked, AttemptEnded, AttemptStarted, Landed, SessionEnded


class Question(NamedTuple):
    """One question that no person has answered."""

    id: str
    unit: str
    text: str
    options: tuple[str, ...]
    at_ms: int
    waiting: bool
    """True: the session waits for the answer now. False: nobody answered, and the agent decided by itself."""


def unanswered(events: Iterable[AnyEvent]) -> tuple[Question, ...]:
    """Oldest first. What an earlier discussion of the same unit left, or a milestone that landed, is none any more."""
    found: dict[str, Question] = {}
    attempts: dict[str, str] = {}
    for event in events:
        match event:
            case AttemptStarted() if event.kind.startswith("discuss-"):
                found = {name: each for name, each in found.items() if each.unit != event.unit}
            case Asked():
                attempts[event.question] = event.attempt
                found[event.question] = Question(
                    id=event.question,
                    unit=event.unit,
                    text=event.text,
                    options=event.options,
                    at_ms=event.at_ms,
                    waiting=True,
                )
            case Answered(by="") if event.question in found:
                found[event.question] = found[event.question]._replace(waiting=False)
            case Answered():
                found.pop(event.question, None)
            case SessionEnded(attempt=attempt) | AttemptEnded(attempt=attempt):
                gone = (name for name, each in found.items() if each.waiting and attempts[name] == attempt)
                for name in tuple(gone):
                    del found[name]
            case Landed(milestone=milestone):
                found = {name: each for name, each in found.items() if each.unit.split("/")[0] != milestone}
            case _:
                pass
    return tuple(found.values())
