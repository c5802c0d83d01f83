"""The unit: one agent session with one job.

A unit is known by its kind and its id: `M001`, `M001/S02` or `M001/S02/T01`; `quick-1-fix-the-typo` for one that
belongs to no milestone (`model.work`). Source: spec auto 4.2.
"""

from enum import StrEnum
from typing import NamedTuple


class UnitKind(StrEnum):
    """What the session is for; the value is the wire name in journals, metrics and lock files."""

    DISCUSS_MILESTONE = "discuss-milestone"
    RESEARCH_MILESTONE = "research-milestone"
    PLAN_MILESTONE = "plan-milestone"
    DISCUSS_SLICE = "discuss-slice"
    RESEARCH_SLICE = "research-slice"
    PLAN_SLICE = "plan-slice"
    EXECUTE_TASK = "execute-task"
    COMPLETE_SLICE = "complete-slice"
    REPLAN_SLICE = "replan-slice"
    REASSESS_ROADMAP = "reassess-roadmap"
    RUN_UAT = "run-uat"
    VALIDATE_MILESTONE = "validate-milestone"
    COMPLETE_MILESTONE = "complete-milestone"
    REWRITE_DOCS = "rewrite-docs"
    TRIAGE_CAPTURES = "triage-captures"
    QUICK_TASK = "quick-task"
    QUICK = "quick"
    HOOK = "hook"


ERRANDS = frozenset({UnitKind.TRIAGE_CAPTURES, UnitKind.QUICK_TASK, UnitKind.QUICK, UnitKind.HOOK})
"""Kinds that do not come from the plan: due when captures, hooks or a person (`gsd quick`) say so."""
TRIAGE = "triage"
"""Last part of the id of a triage: `M001/S02/triage`."""


class Unit(NamedTuple):
    """One job for one fresh session."""

    kind: UnitKind
    id: str
    name: str = ""
    """Of a hook: which one. Of a triage: the captures it is about, which are its input."""

    @property
    def type(self) -> str:
        """The kind as it is written down: `execute-task`, `hook/review`."""
        return f"{self.kind}/{self.name}" if self.kind is UnitKind.HOOK else str(self.kind)

    @property
    def label(self) -> str:
        """The type as a part of a file name."""
        return self.type.replace("/", "-")

    @property
    def key(self) -> str:
        """`type/id`, as in `completed-units.json`."""
        return f"{self.type}/{self.id}"

    @property
    def milestone(self) -> str:
        """The milestone the unit belongs to, or the key of the quick task that it is."""
        return self.id.split("/")[0]

    @property
    def slice(self) -> str | None:
        """The slice, None for a unit of a whole milestone."""
        part = None if self.kind is UnitKind.QUICK_TASK else _part(self.id, 1)
        return None if part == TRIAGE else part

    @property
    def task(self) -> str | None:
        """The task, None for a unit of a slice or milestone."""
        part = None if self.kind is UnitKind.QUICK_TASK else _part(self.id, 2)
        return None if part == TRIAGE else part

    def __str__(self) -> str:
        # The key of a quick task says what it is.
        return self.id if self.kind is UnitKind.QUICK else f"{self.type} {self.id}"


def of_type(type_: str, unit_id: str) -> Unit:
    """The unit that a journal names: type `execute-task` or `hook/review`. Raises ValueError for an unknown kind."""
    kind, _, name = type_.partition("/")
    return Unit(UnitKind(kind), unit_id, name)


def _part(unit_id: str, index: int) -> str | None:
    parts = unit_id.split("/")
    return parts[index] if len(parts) > index else None
