"""How a unit ended. Expected endings are values and are matched exhaustively; only surprises are exceptions."""

from typing import NamedTuple, TypeAlias


class Committed(NamedTuple):
    """Artifacts there, gate passed, books kept, committed."""

    commit: str


class Unfinished(NamedTuple):
    """The session ended and what the unit owes is not there."""

    missing: tuple[str, ...]
    """`path: what is wrong`, one line each."""


class VerifyFailed(NamedTuple):
    """The gate ran and said no."""

    failed: tuple[str, ...]
    """`command: exit code`, one line each."""
    evidence: str
    """Path of the evidence file, below the state directory."""


class Inconclusive(NamedTuple):
    """The gate itself broke (killed, missing, ran no test): not a pass, and not the agent's fault."""

    reason: str
    evidence: str


class OverBudget(NamedTuple):
    """No money left for this unit, or it ran out in the middle of it. Micro-USD."""

    committed: int
    ceiling: int
    scope: str = ""
    """Whose ceiling: empty for the project's, `fleet` for that of all workers, a milestone id for a worker's own."""
    setting: str = "budget_ceiling"
    """The preference that raises it."""
    waiting: bool = False
    """Siblings hold what is missing; the unit was not begun because somebody wanted to be heard first."""


class ProviderFailed(NamedTuple):
    """The model could not be reached or would not answer."""

    kind: str
    text: str
    passing: bool
    """Whether waiting may help."""


class TimedOut(NamedTuple):
    """A time limit of the unit passed."""

    minutes: float
    """The limit."""
    missing: tuple[str, ...] = ()
    """What it still owes: `path: what is wrong`, one line each."""
    idle: bool = False
    """For that long nothing happened; else it took that long in all."""


class Interrupted(NamedTuple):
    """A person or a signal ended it."""

    by: str


Outcome: TypeAlias = (
    Committed | Unfinished | VerifyFailed | Inconclusive | OverBudget | ProviderFailed | TimedOut | Interrupted
)
