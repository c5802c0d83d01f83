"""A unit that a person orders although it was done: what it left is set aside first, or its word is taken back.

Else the files of before would pass for those of now (spec auto 4.2, "stale artifacts"). What a failed try did not
replace is put back. Source: spec auto 7 (dispatch).
"""

from collections.abc import Callable
from typing import Final

from milepost.formats import replan, uat, validation
from milepost.model.outcome import Committed, Outcome
from milepost.model.units import Unit, UnitKind
from milepost.rules import done, remediation
from milepost.store import atomic
from milepost.unit import books
from milepost.unit.bench import Bench
from milepost.unit.put_right import shelf_of, tree_of
from milepost.worker.shift import Shift

_MOVED: Final = frozenset({UnitKind.RESEARCH_MILESTONE, UnitKind.RESEARCH_SLICE, UnitKind.REASSESS_ROADMAP})
_REOPENED: Final[dict[UnitKind, Callable[[str], str]]] = {
    UnitKind.REPLAN_SLICE: replan.supersede,
    UnitKind.RUN_UAT: uat.reopen,
    UnitKind.VALIDATE_MILESTONE: validation.reopen,
}


def prepare(unit: Unit, bench: Bench, shift: Shift) -> None:
    """Before an ordered unit starts."""
    if shift.discuss != unit or unit.kind not in (*_MOVED, *_REOPENED):
        return
    tree, state = tree_of(bench), bench.workspace.state
    path = done.artifact(unit, tree)
    if unit.kind is UnitKind.RUN_UAT:
        path = remediation.result(tree, unit.milestone, unit.slice or "")[0]
    if path is None or not (state / path).is_file():
        return
    if unit.kind in _MOVED:
        target = shelf_of(bench, _shelf(shift)) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (state / path).replace(target)
    else:
        text = (state / path).read_bytes().decode("utf-8", "surrogateescape")
        opened = _REOPENED[unit.kind](text).encode("utf-8", "surrogateescape")
        atomic.replace(state / path, opened, within=state)


def put_back(unit: Unit, outcome: Outcome, bench: Bench, shift: Shift) -> None:
    """After it: what nothing has taken the place of comes back."""
    if shift.discuss == unit and not isinstance(outcome, Committed):
        books.bring_back(bench.workspace.state, shelf_of(bench, _shelf(shift)))


def _shelf(shift: Shift) -> str:
    return f"again-{shift.run}"
