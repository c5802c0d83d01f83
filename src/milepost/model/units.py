"""The unit: one agent session with one job.

A unit is known by its kind and its id: `M001`, `M001/S02` or `M001/S02/T01`. Source: spec auto 4.2.
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


class Unit(NamedTuple):
    """One job for one fresh session."""

    kind: UnitKind
    id: str

    @property
    def key(self) -> str:
        """`kind/id`, as in `completed-units.json`."""
        return f"{self.kind}/{self.id}"

    @property
    def milestone(self) -> str:
        """The milestone the unit belongs to."""
        return self.id.split("/")[0]

    @property
    def slice(self) -> str | None:
        """The slice, None for a unit of a whole milestone."""
        return _part(self.id, 1)

    @property
    def task(self) -> str | None:
        """The task, None for a unit of a slice or milestone."""
        return _part(self.id, 2)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def _part(unit_id: str, index: int) -> str | None:
    parts = unit_id.split("/")
    return parts[index] if len(parts) > index else None
