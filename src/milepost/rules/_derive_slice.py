"""Inside the active milestone: which slice, which task, which phase. Source: spec auto 3.6 to 3.8."""

from typing import NamedTuple

from milepost.formats import placeholder, plan, replan, roadmap, summary, validation
from milepost.formats.tree import (
    Tree,
    milestone_file,
    read,
    slice_dir,
    slice_file,
    task_file,
)
from milepost.model.state import Phase, Ref, Tally

_NO_SLICE = "No slice eligible — check dependency ordering"
_MOST_NAMED = 20


class Found(NamedTuple):
    """The part of a state that lies below the milestone."""

    phase: Phase
    next_action: str
    slices: Tally
    blockers: tuple[str, ...] = ()
    slice: Ref | None = None
    task: Ref | None = None
    tasks: Tally | None = None


def inside(tree: Tree, milestone: Ref, text: str) -> Found:
    """What the active milestone with the roadmap `text` waits for."""
    slices = roadmap.slices(text)
    tally = Tally(done=sum(entry.done for entry in slices), total=len(slices))
    if why := placeholder.reason(text):
        return _halted(tally, f"plan-milestone {milestone.id}", why)
    if not slices:
        return Found(
            phase=Phase.PRE_PLANNING,
            next_action=f"Milestone {milestone.id} has a roadmap but no slices defined. Add slices to the roadmap.",
            slices=tally,
        )
    if tally.done == tally.total:
        return _all_done(tree, milestone, tally)
    done = {entry.id for entry in slices if entry.done}
    left = [entry for entry in slices if not entry.done]
    chosen = next((entry for entry in left if not _unmet(tree, entry, done)), None)
    if chosen is None:
        waiting = (f"{entry.id} waits for {', '.join(_unmet(tree, entry, done))}" for entry in left[:_MOST_NAMED])
        return Found(
            phase=Phase.BLOCKED,
            next_action="Resolve dependency blockers or plan next slice.",
            blockers=(_NO_SLICE, *waiting),
            slices=tally,
        )
    return _Slice(tree, milestone.id, Ref(chosen.id, chosen.title), tally).found()


def _unmet(tree: Tree, entry: roadmap.Slice, done: set[str]) -> tuple[str, ...]:
    return tuple(need for need in entry.depends if need not in done and not _done_elsewhere(tree, need))


def _done_elsewhere(tree: Tree, need: str) -> bool:
    """Whether `M009/S02` is ticked in its own roadmap, or its milestone has its summary."""
    mid, slash, sid = need.partition("/")
    if not slash:
        return False
    text = read(tree, milestone_file(tree, mid, "SUMMARY"))
    if text and not summary.reports_failure(text):
        return True
    return any(
        other.id == sid and other.done for other in roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))
    )


def _halted(slices: Tally, unit: str, why: str) -> Found:
    return Found(
        phase=Phase.BLOCKED,
        next_action=f"Remove the note that stands for {unit}, or do the work, then go on.",
        blockers=(f"{unit} was given up: {why}",),
        slices=slices,
    )


def _all_done(tree: Tree, milestone: Ref, tally: Tally) -> Found:
    report = read(tree, milestone_file(tree, milestone.id, "VALIDATION"))
    if why := placeholder.reason(report):
        return _halted(tally, f"validate-milestone {milestone.id}", why)
    if why := placeholder.reason(read(tree, milestone_file(tree, milestone.id, "SUMMARY"))):
        return _halted(tally, f"complete-milestone {milestone.id}", why)
    said = validation.verdict(report)
    if said is None:
        return Found(
            phase=Phase.VALIDATING_MILESTONE,
            next_action=f"Validate milestone {milestone.id} before completion.",
            slices=tally,
        )
    if said == validation.NEEDS_REMEDIATION:
        return Found(
            phase=Phase.BLOCKED,
            next_action=f"Resolve {milestone.id} remediation before proceeding.",
            blockers=(_remediation(milestone.id),),
            slices=tally,
        )
    return Found(
        phase=Phase.COMPLETING_MILESTONE,
        next_action=f"All slices complete in {milestone.id}. Write milestone summary.",
        slices=tally,
    )


def _remediation(mid: str) -> str:
    return (
        f"Milestone {mid} validation verdict is needs-remediation but all slices are complete. "
        "Add remediation slices to its roadmap, or set the verdict to pass."
    )


class _Slice:
    """The active slice, read as far as needed."""

    def __init__(self, tree: Tree, mid: str, ref: Ref, slices: Tally) -> None:
        self.tree = tree
        self.mid = mid
        self.ref = ref
        self.slices = slices
        self.tally: Tally | None = None

    def found(self) -> Found:
        """The first rule of spec auto 3.8 that applies."""
        sid = self.ref.id
        text = read(self.tree, slice_file(self.tree, self.mid, sid, "PLAN"))
        if not text:
            return self._at(Phase.PLANNING, f"Plan slice {sid} ({self.ref.title}).")
        if why := placeholder.reason(text):
            return self._given_up(f"plan-slice {self.mid}/{sid}", why)
        tasks = plan.tasks(text)
        done = [task for task in tasks if task.done or task_reported(self.tree, self.mid, sid, task.id)]
        self.tally = Tally(done=len(done), total=len(tasks))
        current = next((task for task in tasks if task not in done), None)
        if current is None:
            return self._all_done() if tasks else self._no_tasks()
        return self._open(Ref(current.id, current.title), [task.id for task in done])

    def _no_tasks(self) -> Found:
        return self._at(Phase.PLANNING, f"Slice {self.ref.id} has a plan file but no tasks. Add tasks to the plan.")

    def _all_done(self) -> Found:
        sid = self.ref.id
        if why := placeholder.reason(read(self.tree, slice_file(self.tree, self.mid, sid, "SUMMARY"))):
            return self._given_up(f"complete-slice {self.mid}/{sid}", why)
        return self._at(Phase.SUMMARIZING, f"All tasks done in {sid}. Write slice summary and complete slice.")

    def _open(self, task: Ref, done: list[str]) -> Found:
        tree, mid, sid = self.tree, self.mid, self.ref.id
        home = f"{slice_dir(tree, mid, sid)}/tasks"
        if tree.is_dir(home) and not any(name.endswith(".md") for name in tree.names(home)):
            return self._at(
                Phase.PLANNING, f"Task plan files missing for {sid}. Run plan-slice to generate task plans."
            )
        if why := placeholder.reason(read(tree, task_file(tree, mid, sid, task.id, "SUMMARY"))):
            return self._given_up(f"execute-task {mid}/{sid}/{task.id}", why)
        if cause := replan_cause(tree, mid, sid, done):
            return self._at(
                Phase.REPLANNING_SLICE,
                f"{cause[1]} Replan slice {sid} before continuing.",
                task=task,
                blockers=(cause[0],),
            )
        words = f"{task.id}: {task.title} in slice {sid}."
        if read(tree, slice_file(tree, mid, sid, "CONTINUE")):
            return self._at(Phase.EXECUTING, f"Resume interrupted work on {words}", task=task)
        return self._at(Phase.EXECUTING, f"Execute {words}", task=task)

    def _at(self, phase: Phase, next_action: str, *, task: Ref | None = None, blockers: tuple[str, ...] = ()) -> Found:
        return Found(
            phase=phase,
            next_action=next_action,
            blockers=blockers,
            slice=self.ref,
            task=task,
            slices=self.slices,
            tasks=self.tally,
        )

    def _given_up(self, unit: str, why: str) -> Found:
        return _halted(self.slices, unit, why)._replace(slice=self.ref, tasks=self.tally)


def task_reported(tree: Tree, mid: str, sid: str, tid: str) -> bool:
    """Whether the task has a summary that is one: a summary outlives a plan whose box was never ticked."""
    text = read(tree, task_file(tree, mid, sid, tid, "SUMMARY"))
    return bool(text) and placeholder.reason(text) is None


def replan_cause(tree: Tree, mid: str, sid: str, done: list[str]) -> tuple[str, str] | None:
    """Why the slice must be planned anew, as (blocker, sentence); None when nothing asks for it.

    Each blocker and each trigger asks once: a REPLAN document says which it answers, or answers all when it does not
    say (GSD's). Milepost's own triggers count until they are taken away.
    """
    answered = _answered(tree, mid, sid)
    for tid in blockers(tree, mid, sid, done) if answered is not None else ():
        if tid not in (answered or ()):
            return (
                f"Task {tid} discovered a blocker requiring slice replan",
                f"Task {tid} reported blocker_discovered.",
            )
    trigger = slice_file(tree, mid, sid, "REPLAN-TRIGGER")
    if trigger and (answered == () or replan.pending(read(tree, trigger))):
        return "Triage replan trigger detected — slice replan required", f"Triage replan triggered for slice {sid}."
    return None


def blockers(tree: Tree, mid: str, sid: str, tasks: list[str]) -> list[str]:
    """Those of the tasks that reported a blocker."""
    return [t for t in tasks if summary.blocker_discovered(read(tree, task_file(tree, mid, sid, t, "SUMMARY")))]


def _answered(tree: Tree, mid: str, sid: str) -> tuple[str, ...] | None:
    """The tasks whose blockers were taken up; None: all there were."""
    answer = read(tree, slice_file(tree, mid, sid, "REPLAN"))
    if not answer or placeholder.reason(answer) is not None:
        return ()
    return replan.answers(answer)
