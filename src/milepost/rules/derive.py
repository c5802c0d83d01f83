"""From the files of `.gsd/` to the state of the project.

Milestones are looked at in working order; the first that is neither complete nor parked and whose dependencies are
complete is the active one. Inside it the first open slice whose dependencies are done is active, and inside that
the first open task. A finished milestone costs two small reads; the rest of it is never opened.

Done means: a milestone has a summary that does not say it failed; a slice is ticked in the roadmap; a task is
ticked in the plan or has a summary. `rules.done.settled` says the same of a single unit.
Source: spec auto 3, in-the-wild 2 (v3.0.0 reads the same from the same files).
"""

from milepost.formats import context, placeholder, requirements, roadmap, summary, validation
from milepost.formats.tree import Tree, layout, milestone_file, milestone_ids, read, root_file
from milepost.model.state import Phase, Progress, Ref, RegistryEntry, State, Status, Tally
from milepost.rules import _derive_slice

__all__ = ["Phase", "Progress", "Ref", "RegistryEntry", "State", "Status", "Tally", "derive"]


def derive(tree: Tree, *, lock: str | None = None, assigned: bool = False) -> State:
    """The state of the project, or of the milestone `lock` alone; dependencies always count over all milestones.

    assigned: a coordinator has decided that the milestone may be worked on, and knows more than the user's checkout
    shows; what it waits for is not asked again (FM-26, FM-27). Pure apart from what `tree` reads; raises FormatError
    only where `tree` does.
    """
    survey = _Survey(tree, assigned=assigned)
    ids = milestone_ids(tree)
    if lock is not None and lock not in ids:
        return survey.idle(Phase.BLOCKED, "Check the milestone lock.", f"The lock names {lock}, which is not there.")
    for mid in (lock,) if lock is not None else ids:
        survey.enter(mid)
    return survey.state()


class _Survey:
    """One walk over the milestones: the registry so far, and which one is active."""

    def __init__(self, tree: Tree, *, assigned: bool) -> None:
        self.tree = tree
        self.assigned = assigned
        self.registry: list[RegistryEntry] = []
        self.active: Ref | None = None
        self.roadmap = ""
        self._complete: dict[str, bool] = {}

    def enter(self, mid: str) -> None:
        """Add one milestone to the registry; one without any document of its own is left out."""
        tree = self.tree
        plan = read(tree, milestone_file(tree, mid, "ROADMAP"))
        if milestone_file(tree, mid, "PARKED"):
            self._add(mid, self._title(mid, plan), Status.PARKED)
        elif self.complete(mid):
            self._add(mid, self._title(mid, plan), Status.COMPLETE)
        elif plan or not self._ghost(mid):
            self._enter_open(mid, plan)

    def _enter_open(self, mid: str, plan: str) -> None:
        title = self._title(mid, plan)
        finished = bool(plan) and _all_done(plan)
        if finished and self.active and self._validated(mid):
            # It only lacks its summary; nothing waits for it, and a second active milestone there is not.
            self._add(mid, title, Status.COMPLETE)
            return
        waits = () if finished or self.assigned else self._depends_on(mid)
        if self.active or any(not self.complete(other) for other in waits):
            self._add(mid, title, Status.PENDING, waits)
            return
        self._add(mid, title, Status.ACTIVE, waits)
        self.active, self.roadmap = Ref(mid, title), plan

    def complete(self, mid: str) -> bool:
        """Whether the milestone's summary stands. A parked milestone is not complete."""
        known = self._complete.get(mid)
        if known is None:
            text = read(self.tree, milestone_file(self.tree, mid, "SUMMARY"))
            known = bool(text) and not summary.reports_failure(text) and not milestone_file(self.tree, mid, "PARKED")
            self._complete[mid] = known
        return known

    def state(self) -> State:
        """The state, once every milestone is in the registry."""
        if self.active is None:
            return self._without_active()
        if not self.roadmap:
            return self._unplanned(self.active)
        found = _derive_slice.inside(self.tree, self.active, self.roadmap)
        milestones = self._tally()
        return State(
            phase=found.phase,
            next_action=found.next_action,
            blockers=found.blockers,
            active_milestone=self.active,
            active_slice=found.slice,
            active_task=found.task,
            registry=tuple(self.registry),
            requirements=self._requirements(),
            progress=Progress(milestones=milestones, slices=found.slices, tasks=found.tasks),
        )

    def idle(self, phase: Phase, next_action: str, *blockers: str, last: Ref | None = None) -> State:
        """A state without an active milestone."""
        return State(
            phase=phase,
            next_action=next_action,
            blockers=blockers,
            registry=tuple(self.registry),
            requirements=self._requirements(),
            progress=Progress(milestones=self._tally()),
            last_completed_milestone=last,
        )

    def _without_active(self) -> State:
        pending = [entry for entry in self.registry if entry.status is Status.PENDING]
        parked = [entry.id for entry in self.registry if entry.status is Status.PARKED]
        if pending:
            waiting = (self._waiting(entry) for entry in pending if entry.depends_on)
            return self.idle(Phase.BLOCKED, "Resolve milestone dependencies before proceeding.", *waiting)
        if parked:
            listed = ", ".join(parked)
            return self.idle(
                Phase.PRE_PLANNING,
                f"All remaining milestones are parked ({listed}). Unpark one or create a new milestone.",
            )
        if self.registry:
            last = self.registry[-1]
            return self.idle(Phase.COMPLETE, self._completion(), last=Ref(last.id, last.title))
        return self._empty()

    def _empty(self) -> State:
        if layout(self.tree) == "phases":
            return self.idle(
                Phase.PRE_PLANNING,
                "This project is planned in the successor's phases/ layout; work on it with the tool that wrote it.",
                "Found phases/ and no milestones/: this layout is recognised, not worked on.",
            )
        return self.idle(Phase.PRE_PLANNING, "No milestones found. Create one first.")

    def _unplanned(self, active: Ref) -> State:
        tree, mid = self.tree, active.id
        draft = not milestone_file(tree, mid, "CONTEXT") and milestone_file(tree, mid, "CONTEXT-DRAFT")
        if draft:
            found = self.idle(Phase.NEEDS_DISCUSSION, f"Discuss draft context for milestone {mid}.")
        else:
            found = self.idle(Phase.PRE_PLANNING, f"Plan milestone {mid}.")
        return found._replace(active_milestone=active)

    def _completion(self) -> str:
        active = self._requirements().active
        if not active:
            return "All milestones complete."
        noun, have = ("requirement", "has") if active == 1 else ("requirements", "have")
        left = f"{active} active {noun} in REQUIREMENTS.md {have} not been mapped to a milestone."
        return f"All milestones complete. {left}"

    def _waiting(self, entry: RegistryEntry) -> str:
        unmet = ", ".join(other for other in entry.depends_on if not self.complete(other))
        return f"{entry.id} is waiting on unmet deps: {unmet}"

    def _add(self, mid: str, title: str, status: Status, waits: tuple[str, ...] = ()) -> None:
        self.registry.append(RegistryEntry(id=mid, title=title, status=status, depends_on=waits))

    def _tally(self) -> Tally:
        done = sum(entry.status is Status.COMPLETE for entry in self.registry)
        return Tally(done=done, total=len(self.registry))

    def _requirements(self) -> requirements.Counts:
        return requirements.counts(read(self.tree, root_file(self.tree, "REQUIREMENTS")))

    def _validated(self, mid: str) -> bool:
        said = validation.verdict(read(self.tree, milestone_file(self.tree, mid, "VALIDATION")))
        return said in (validation.PASS, validation.NEEDS_ATTENTION)

    def _brief(self, mid: str) -> str:
        path = milestone_file(self.tree, mid, "CONTEXT") or milestone_file(self.tree, mid, "CONTEXT-DRAFT")
        return read(self.tree, path)

    def _depends_on(self, mid: str) -> tuple[str, ...]:
        return tuple(other for other in context.depends_on(self._brief(mid)) if other != mid)

    def _title(self, mid: str, plan: str) -> str:
        """The name in the roadmap, else in the brief, else in the summary, else the id."""
        if name := roadmap.title(plan):
            return name
        if name := context.title(self._brief(mid)):
            return name
        text = read(self.tree, milestone_file(self.tree, mid, "SUMMARY"))
        return (text and not placeholder.reason(text) and summary.title(text)) or mid

    def _ghost(self, mid: str) -> bool:
        tree = self.tree
        documents = ("CONTEXT", "CONTEXT-DRAFT", "ROADMAP", "SUMMARY")
        return not any(milestone_file(tree, mid, name) for name in documents) and not tree.is_dir(f"worktrees/{mid}")


def _all_done(plan: str) -> bool:
    slices = roadmap.slices(plan)
    return bool(slices) and all(entry.done for entry in slices)
