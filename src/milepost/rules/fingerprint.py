"""What a unit starts from, as a short hash: attempts are counted per unit and fingerprint.

A person who changes the plan earns a unit new attempts; ticking boxes, writing the unit's own artifact, restarting
or waiting does not. Source: spec auto 8.1, rule 3.
"""

import re
from collections.abc import Iterator, Mapping

from milepost.formats import overrides, roadmap
from milepost.formats.tree import Tree, milestone_file, read, root_file, slice_file, task_file
from milepost.model.units import Unit, UnitKind

_BOX = re.compile(r"\[[ xX]\]|[✅☑✓✔⬜☐]")

_SLICES = "slices"
"""The ids and dependencies of the roadmap alone, for units that may rewrite the rest of it."""

_MILESTONE: Mapping[UnitKind, tuple[str, ...]] = {
    UnitKind.DISCUSS_MILESTONE: ("CONTEXT-DRAFT",),
    UnitKind.DISCUSS_SLICE: ("CONTEXT", "ROADMAP"),
    UnitKind.RESEARCH_MILESTONE: ("CONTEXT",),
    UnitKind.PLAN_MILESTONE: ("CONTEXT", "RESEARCH"),
    UnitKind.RESEARCH_SLICE: ("CONTEXT", "ROADMAP"),
    UnitKind.PLAN_SLICE: ("CONTEXT", "ROADMAP"),
    UnitKind.EXECUTE_TASK: ("CONTEXT", "ROADMAP"),
    UnitKind.COMPLETE_SLICE: ("CONTEXT", "ROADMAP"),
    UnitKind.REPLAN_SLICE: ("CONTEXT", "ROADMAP"),
    UnitKind.REASSESS_ROADMAP: ("CONTEXT",),
    UnitKind.RUN_UAT: ("CONTEXT",),
    UnitKind.VALIDATE_MILESTONE: ("CONTEXT",),
    UnitKind.COMPLETE_MILESTONE: ("CONTEXT", "VALIDATION", "ROADMAP"),
    UnitKind.REWRITE_DOCS: (),
    UnitKind.TRIAGE_CAPTURES: (),
    UnitKind.QUICK_TASK: (),
    UnitKind.QUICK: (),
    UnitKind.HOOK: (),
}
_SLICE: Mapping[UnitKind, tuple[str, ...]] = {
    UnitKind.RESEARCH_SLICE: ("CONTEXT",),
    UnitKind.PLAN_SLICE: ("CONTEXT", "RESEARCH"),
    UnitKind.EXECUTE_TASK: ("CONTEXT", "PLAN", "REPLAN"),
    UnitKind.COMPLETE_SLICE: ("CONTEXT", "PLAN"),
    UnitKind.REPLAN_SLICE: ("CONTEXT", "REPLAN-TRIGGER"),
    UnitKind.REASSESS_ROADMAP: ("SUMMARY",),
    UnitKind.RUN_UAT: ("UAT",),
}


def fingerprint(unit: Unit, tree: Tree) -> str:
    """Twelve hexadecimal digits over the unit's inputs; the same for the same texts on every machine."""
    import hashlib  # only a run needs it, a query does not

    digest = hashlib.sha256()
    for name, text in _inputs(unit, tree):
        digest.update(f"{name}\0{_plain(text)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:12]


def _inputs(unit: Unit, tree: Tree) -> Iterator[tuple[str, str]]:
    mid, sid, tid = unit.milestone, unit.slice, unit.task
    for suffix in _MILESTONE[unit.kind]:
        yield suffix, read(tree, milestone_file(tree, mid, suffix))
    if unit.kind in (UnitKind.VALIDATE_MILESTONE, UnitKind.RUN_UAT):
        yield _SLICES, _slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
    for suffix in _SLICE.get(unit.kind, ()) if sid else ():
        yield f"slice {suffix}", read(tree, slice_file(tree, mid, sid or "", suffix))
    if sid and tid:
        yield "task PLAN", read(tree, task_file(tree, mid, sid, tid, "PLAN"))
    if unit.name:
        yield "name", unit.name
    for entry in overrides.active(read(tree, root_file(tree, "OVERRIDES"))):
        yield "override", f"{entry.at} {entry.change}"


def _slices(text: str) -> str:
    return " ".join(f"{entry.id}:{','.join(entry.depends)}" for entry in roadmap.slices(text))


def _plain(text: str) -> str:
    """`text` with boxes emptied and blanks at line ends gone."""
    return "\n".join(line.rstrip() for line in _BOX.sub("[ ]", text).split("\n")).strip()
