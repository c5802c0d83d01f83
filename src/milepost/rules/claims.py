"""Which unit a file says is finished.

Some files complete a unit by being there: a task's summary, a slice's, a verdict. A session may only write those
of its own unit; another's would make work look done that nobody did. Source: DESIGN rules 2 and 4, spec auto 4.2.
"""

import re

from milepost.model.units import Unit, UnitKind

# A directory of an older release carries a descriptor behind the id: `slices/S01-auth`.
_HOME = r"milestones/[^/]+/slices/(?P<slice>[^/-]+)(?:-[^/]*)?"
_TASK = re.compile(_HOME + r"/tasks/(?P<task>T\d+)(?:-[^/]*)?-SUMMARY\.md\Z", re.IGNORECASE)
_SLICE = re.compile(_HOME + r"/[^/]+-(?P<what>SUMMARY|ASSESSMENT|UAT-RESULT|REPLAN)\.md\Z")
_MILESTONE = re.compile(r"milestones/[^/]+/[^/]+-(?P<what>SUMMARY|VALIDATION)\.md\Z")

_ORDERS = re.compile(r"-(?:PARKED|REPLAN-TRIGGER)\.md\Z", re.IGNORECASE)
"""What sets a milestone aside or has a slice planned again: a person's word, which triage may pass on."""

_SLICE_KINDS = {
    "SUMMARY": UnitKind.COMPLETE_SLICE,
    "ASSESSMENT": UnitKind.REASSESS_ROADMAP,
    "UAT-RESULT": UnitKind.RUN_UAT,
    "REPLAN": UnitKind.REPLAN_SLICE,
}
_MILESTONE_KINDS = {"SUMMARY": UnitKind.COMPLETE_MILESTONE, "VALIDATION": UnitKind.VALIDATE_MILESTONE}


def claimed(path: str, milestone: str) -> Unit | None:
    """The unit that `path` (below the state directory) completes; None for a file that completes nothing."""
    if found := _TASK.match(path):
        return Unit(UnitKind.EXECUTE_TASK, f"{milestone}/{found['slice']}/{found['task']}")
    if found := _SLICE.match(path):
        return Unit(_SLICE_KINDS[found["what"]], f"{milestone}/{found['slice']}")
    if found := _MILESTONE.match(path):
        return Unit(_MILESTONE_KINDS[found["what"]], milestone)
    return None


def may_claim(path: str, unit: Unit) -> bool:
    """Whether a session of `unit` may have written `path` where nothing was before."""
    if _ORDERS.search(path):
        return unit.kind is UnitKind.TRIAGE_CAPTURES
    other = claimed(path, unit.milestone)
    if other is None or other == unit:
        return True
    # A UAT session may put its verdict into the assessment, as releases from 2.59 on do.
    return unit.kind is UnitKind.RUN_UAT and other.kind is UnitKind.REASSESS_ROADMAP and other.id == unit.id
