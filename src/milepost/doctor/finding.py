"""What a check finds, and what it is: a code, how bad, where, what to do, and whether `--fix` can do it.

Codes of GSD keep their names (spec auto 7). A finding never stands for damage that a fix would paper over: no
document is written that somebody else should have written. Source: spec auto 8.3, DESIGN rules 4 and 7.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from milepost.errors import MilepostError

if TYPE_CHECKING:
    from milepost.doctor.site import Site


class Severity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """Auto mode cannot go on, or goes wrong, until somebody acts."""
    WARNING = "warning"
    """Something is not as it should be; work can go on."""
    INFO = "info"
    """Worth knowing."""


class Needs(StrEnum):
    """What must hold while something is mended."""

    NOBODY = "nobody"
    """Nobody is at work in the project."""
    NO_COORDINATOR = "no-coordinator"
    """Nobody starts or merges anything, and nobody is on the milestone that the finding is about."""
    NOTHING = "nothing"
    """It concerns nobody who lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found."""

    code: str
    severity: Severity
    message: str
    """One line; reads on from the path when there is one."""
    path: str = ""
    """As a person would type it at the project's root; empty when it is about no single file."""
    line: int = 0
    """From 1; 0 means the whole file."""
    hint: str = ""
    """What to do, preferably a command to type."""
    fixable: bool = False
    """Whether `--fix` tries. It may still refuse."""
    subject: str = ""
    """What a fix acts on: an absolute path, a branch or an id."""
    milestone: str = ""
    """The milestone it is about, where it is about one alone."""

    def is_about(self, milestone: str) -> bool:
        """Whether it concerns this milestone: by itself, by its path, or because it names it."""
        word = re.compile(rf"(?<![\w-]){re.escape(milestone)}(?![\w])")
        return self.milestone == milestone or any(word.search(text) for text in (self.path, self.message))


class NotFixed(MilepostError):
    """A fix that was not done, because it was not proved to be safe. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One subject that is looked at, and what mends it."""

    name: str
    look: Callable[["Site"], Iterable[Finding]]
    fix: Callable[["Site", Finding], str] | None = None
    """Mends one finding and says what was done. Raises NotFixed, or a typed error of the room it asked."""
    needs: Needs = Needs.NOBODY
