"""Who answers the questions of a session: a terminal, a channel, nobody.

Nothing else needs to be known of them. What is asked and answered is kept by `unit.questions`.
"""

from typing import Protocol


class Answerer(Protocol):
    """Somebody who can be asked."""

    @property
    def name(self) -> str:
        """Where the answers come from, for the journal: `terminal`, `slack`; empty for nobody."""
        ...

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """The answer; None: nobody is there, or nobody wants to say. May take as long as a person does.

        options: answers to choose from, empty for a free one; something else may be answered all the same.
        """
        ...


class Nobody:
    """A run that works unattended."""

    @property
    def name(self) -> str:
        """Empty."""
        return ""

    async def ask(self, question: str, options: tuple[str, ...]) -> str | None:
        """Nobody is there."""
        del question, options
        return None
