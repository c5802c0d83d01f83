"""A unit that is not to be done, written down so that the plan goes on: the files say so, and derivation reads files.

What stands in the place of the unit's artifact has `status: skipped` and the reason. A plan cannot be skipped, nor a
test whose verdict somebody has to give. Source: spec auto 5.16, 8.15.
"""

from milepost.formats import plan, roadmap, validation
from milepost.formats.tree import milestone_file, slice_file, slice_path
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.worker import injecting
from milepost.worker.shift import Shift

POSSIBLE = frozenset(
    {
        UnitKind.RESEARCH_MILESTONE,
        UnitKind.RESEARCH_SLICE,
        UnitKind.EXECUTE_TASK,
        UnitKind.COMPLETE_SLICE,
        UnitKind.REASSESS_ROADMAP,
        UnitKind.VALIDATE_MILESTONE,
        UnitKind.COMPLETE_MILESTONE,
    }
)
"""What work can go on without."""


def skip(unit: Unit, reason: str, bench: Bench, shift: Shift) -> bool:
    """Write and commit what stands for the unit; False for a kind that cannot be skipped. May run twice."""
    tree = tree_of(bench)
    path = done.artifact(unit, tree)
    if unit.kind not in POSSIBLE or path is None:
        return False
    wanted = {path: _stub(unit, reason)}
    mid, sid, tid = unit.milestone, unit.slice or "", unit.task or ""
    if unit.kind is UnitKind.EXECUTE_TASK and (where := slice_file(tree, mid, sid, "PLAN")):
        wanted[where] = plan.tick(injecting.raw(bench, where), tid)
    if unit.kind is UnitKind.COMPLETE_SLICE and (where := milestone_file(tree, mid, "ROADMAP")):
        wanted[slice_path(tree, mid, sid, "UAT")] = _stub(unit, reason)
        wanted[where] = roadmap.tick(injecting.raw(bench, where), sid)
    for name, text in wanted.items():
        injecting.write(bench, name, text)
    injecting.commit(tuple(wanted), f"chore({unit.id}): skip {unit.type}\n\n{reason}\n", bench, shift)
    bench.watcher.note(f"{unit} is skipped: {reason}")
    return True


def _stub(unit: Unit, reason: str) -> str:
    subject = unit.task or unit.slice or unit.milestone
    verdict = f"verdict: {validation.PASS}\n" if unit.kind is UnitKind.VALIDATE_MILESTONE else ""
    return (
        f"---\nid: {subject}\n{verdict}status: skipped\nblocker_discovered: false\n---\n"
        f"# {subject}: Skipped\n\n**Not done: {reason}**\n"
    )
