"""Something that a person at the prompt is asked, by a run or by the session itself."""

from collections.abc import Callable
from dataclasses import dataclass

from milepost.ui.session.job import Job
from milepost.ui.terminal import chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One of them."""

    text: str
    options: tuple[str, ...] = ()
    answer: Callable[[str | None], None]
    """Told what was chosen or said; None: nothing."""
    hint: str
    """What an empty line means."""
    job: Job | None = None
    """Who asks; None: the session."""
    id: str = ""

    def shown(self) -> str:
        """As it stands above the prompt."""
        listed = "".join(f"\n    {number}. {option}" for number, option in enumerate(self.options, 1))
        ways = f"a number, your own words, or {self.hint}" if self.options else f"your own words, or {self.hint}"
        return f"\n  ? {self.text}{listed}\n  ({ways}; commands begin with /)"

    def settle(self, line: str) -> None:
        """Answer with what was typed."""
        self.answer(chosen(line, self.options))
