"""What a person means by a name on the command line: a milestone, a slice, a task, or a unit of a kind.

    M001    M001/S02    M001/S02/T03    S02    T03    execute-task/M001/S02/T03

A bare slice or task is that of the active milestone or slice. Pure. Source: spec auto 7.
"""

from typing import NamedTuple

from milepost.errors import MilepostError
from milepost.model.ids import milestone_of_directory, require_part
from milepost.model.state import State
from milepost.model.units import Unit, UnitKind
from milepost.model.work import is_quick


class BadTarget(MilepostError):
    """A name that stands for nothing here."""


class Target(NamedTuple):
    """A milestone, or a part of one; of one kind of unit when `kind` is there."""

    milestone: str
    slice: str = ""
    task: str = ""
    kind: UnitKind | None = None

    @property
    def id(self) -> str:
        """`M001/S02/T03`."""
        return "/".join(part for part in (self.milestone, self.slice, self.task) if part)

    @property
    def unit(self) -> Unit | None:
        """The unit that is named; None when only a place is."""
        return Unit(self.kind, self.id) if self.kind else None

    def holds(self, unit: Unit) -> bool:
        """Whether the unit is the one that is named, or belongs to the place that is."""
        if self.kind is not None:
            return unit == self.unit
        return unit.id == self.id or unit.id.startswith(f"{self.id}/")

    def __str__(self) -> str:
        return str(self.unit) if self.kind else self.id


def parse(text: str, state: State) -> Target:
    """The target of a name; raises BadTarget or BadId."""
    first, _, rest = text.strip().partition("/")
    if first == UnitKind.QUICK or is_quick(first):
        hint = "gsd quick --list; one that landed is taken back with git revert"
        raise BadTarget(f"{text!r} is a quick task, and in no plan", hint=hint)
    if first in set(UnitKind):
        return parse(rest, state)._replace(kind=UnitKind(first))
    parts = [part for part in text.strip().split("/") if part]
    if not parts or len(parts) > 3:
        raise BadTarget(
            f"{text!r} names nothing", hint="A name looks like M001/S02/T03, S02 or execute-task/M001/S02/T03."
        )
    if milestone_of_directory(parts[0]) != parts[0]:
        parts = [*_active(text, parts[0], state), *parts]
    milestone, slice_id, task_id = (*parts, "", "")[:3]
    return Target(milestone, slice_id and require_part(slice_id), task_id and require_part(task_id))


def _active(text: str, first: str, state: State) -> list[str]:
    """What goes before a bare slice or task."""
    require_part(first)
    if state.active_milestone is None:
        like = "M001/S02/T03" if first.upper().startswith("T") else "M001/S02"
        raise BadTarget(f"{text!r}: no milestone is active", hint=f"Say which: {like}")
    if not first.upper().startswith("T"):
        return [state.active_milestone.id]
    if state.active_slice is None:
        raise BadTarget(f"{text!r}: no slice is active", hint="Say which: M001/S02/T03")
    return [state.active_milestone.id, state.active_slice.id]
