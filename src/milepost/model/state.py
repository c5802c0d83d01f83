"""What is known of a project at one moment: the value that derivation yields. Source: spec auto 3."""

from enum import StrEnum
from typing import NamedTuple


class Phase(StrEnum):
    """What the active milestone waits for; the values are the wire names of `gsd headless query`."""

    PRE_PLANNING = "pre-planning"
    NEEDS_DISCUSSION = "needs-discussion"
    PLANNING = "planning"
    EXECUTING = "executing"
    SUMMARIZING = "summarizing"
    REPLANNING_SLICE = "replanning-slice"
    VALIDATING_MILESTONE = "validating-milestone"
    COMPLETING_MILESTONE = "completing-milestone"
    BLOCKED = "blocked"
    COMPLETE = "complete"


class Status(StrEnum):
    """Where a milestone stands."""

    COMPLETE = "complete"
    ACTIVE = "active"
    PENDING = "pending"
    PARKED = "parked"


class Ref(NamedTuple):
    """A milestone, slice or task by id and title."""

    id: str
    title: str


class RegistryEntry(NamedTuple):
    """One milestone. `depends_on` is what it waits for, empty for one that is complete."""

    id: str
    title: str
    status: Status
    depends_on: tuple[str, ...] = ()


class Tally(NamedTuple):
    """How many of how many are done."""

    done: int
    total: int


class Counts(NamedTuple):
    """How many requirements there are. `blocked` ones are counted in their section too."""

    active: int = 0
    validated: int = 0
    deferred: int = 0
    out_of_scope: int = 0
    blocked: int = 0

    @property
    def total(self) -> int:
        """All of the four sections."""
        return self.active + self.validated + self.deferred + self.out_of_scope


class Progress(NamedTuple):
    """Milestones of the project, slices of the active milestone, tasks of the active slice; None: not known."""

    milestones: Tally
    slices: Tally | None = None
    tasks: Tally | None = None


class State(NamedTuple):
    """The project as its files tell it. `next_action` is one sentence for people."""

    phase: Phase
    next_action: str
    registry: tuple[RegistryEntry, ...]
    requirements: Counts
    progress: Progress
    active_milestone: Ref | None = None
    active_slice: Ref | None = None
    active_task: Ref | None = None
    blockers: tuple[str, ...] = ()
    last_completed_milestone: Ref | None = None
