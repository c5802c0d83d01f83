"""What comes next: a table of named rules, the first answer counts.

Every rule is a pure function of the state, the files and the preferences. A rule that wants something written
before its unit says so in `effects`; `gsd query` shows the same decision that `gsd auto` carries out.
Source: spec auto 4.1, 4.3.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from milepost.formats import overrides, placeholder, replan, roadmap, validation
from milepost.formats.preferences import Preferences
from milepost.formats.tree import Tree, milestone_file, milestone_path, read, root_file, slice_file, slice_path
from milepost.model.state import Phase, State, Status
from milepost.model.units import Unit, UnitKind
from milepost.rules import done, remediation
from milepost.rules.remediation import Stand


class Level(StrEnum):
    """How much a halt asks of a person."""

    INFO = "info"
    """Nothing: the work is done."""
    WARNING = "warning"
    """Something to say or write, then the run goes on."""
    ERROR = "error"
    """Something stands in the way."""


class Write(NamedTuple):
    """A document to be written before the unit starts. path: relative to the state directory."""

    path: str
    text: str
    reason: str


class Dispatch(NamedTuple):
    """Start this unit."""

    unit: Unit
    rule: str
    effects: tuple[Write, ...] = ()


class Halt(NamedTuple):
    """Start nothing. reason: one sentence; hint: what to do about it."""

    reason: str
    level: Level
    rule: str
    hint: str = ""
    waits: bool = False
    """For a person's word; nothing is wrong."""


Decision = Dispatch | Halt


class Case(NamedTuple):
    """What a rule looks at."""

    state: State
    tree: Tree
    prefs: Preferences

    @property
    def mid(self) -> str:
        """The active milestone; empty when there is none."""
        return self.state.active_milestone.id if self.state.active_milestone else ""

    @property
    def sid(self) -> str:
        """The active slice; empty when there is none."""
        return self.state.active_slice.id if self.state.active_slice else ""

    @property
    def tid(self) -> str:
        """The active task; empty when there is none."""
        return self.state.active_task.id if self.state.active_task else ""

    def in_milestone(self, suffix: str) -> str:
        """Text of a document of the active milestone, empty when there is none."""
        return read(self.tree, milestone_file(self.tree, self.mid, suffix))

    def in_slice(self, sid: str, suffix: str) -> str:
        """Text of a document of one of its slices, empty when there is none."""
        return read(self.tree, slice_file(self.tree, self.mid, sid, suffix))

    def slices(self) -> tuple[roadmap.Slice, ...]:
        """The slices of the active milestone."""
        return roadmap.slices(self.in_milestone("ROADMAP"))

    def last_done(self) -> str:
        """The last finished slice in the roadmap's order that is no remedy; empty when none is."""
        return remediation.last_done(self.tree, self.mid, self.slices())

    def test(self, *stands: remediation.Stand) -> remediation.Test | None:
        """The first acceptance test that stands so; None when tests are no units, or none does."""
        if not self.prefs.uat_dispatch or not self.mid:
            return None
        return next((t for t in remediation.tests(self.tree, self.mid, self.slices()) if t.stand in stands), None)


class Answer(NamedTuple):
    """What a rule wants: a unit of a kind, or a halt."""

    kind: UnitKind | None = None
    id: str = ""
    effects: tuple[Write, ...] = ()
    reason: str = ""
    level: Level = Level.WARNING
    hint: str = ""
    waits: bool = False


class Rule(NamedTuple):
    """A rule under the name that the journal, the query and its test know it by."""

    name: str
    answer: Callable[[Case], Answer | None]


def decide(state: State, tree: Tree, prefs: Preferences) -> Decision:
    """The next unit, or why there is none. Raises FormatError only where `tree` does."""
    case = Case(state, tree, prefs)
    for rule in RULES:
        if answer := rule.answer(case):
            return _decision(case, rule.name, answer)
    return Halt(
        f"Nothing to do in phase {state.phase}.", Level.ERROR, "unhandled-phase", hint="gsd doctor looks for the cause."
    )


def _decision(case: Case, rule: str, answer: Answer) -> Decision:
    if answer.kind is None:
        return Halt(answer.reason, answer.level, rule, answer.hint, answer.waits)
    unit = Unit(answer.kind, answer.id)
    if why := done.given_up(unit, case.tree):
        path = done.artifact(unit, case.tree)
        return Halt(f"{unit} was given up: {why}", Level.ERROR, GIVEN_UP, hint=f"Remove {path} to have it tried again.")
    return Dispatch(unit, rule, answer.effects + _revalidation(case))


GIVEN_UP = "given-up-unit-waits-for-a-person"
"""Rule name of the halt that takes the place of a unit whose artifact is a note that it was given up."""


def _revalidation(case: Case) -> tuple[Write, ...]:
    """A verdict that asked for remediation is spent once there are slices for it; else it would block again."""
    if not case.sid:
        return ()
    return tuple(Write(*one) for one in remediation.revalidation(case.tree, case.mid))


def _complete(case: Case) -> Answer | None:
    """Every milestone is done; the run ends."""
    if case.state.phase is not Phase.COMPLETE:
        return None
    return Answer(reason=case.state.next_action, level=Level.INFO)


def _blocked(case: Case) -> Answer | None:
    """Dependencies, a given-up unit or a verdict stand in the way; the state names which."""
    if case.state.phase is not Phase.BLOCKED:
        return None
    reason = "; ".join(case.state.blockers) or case.state.next_action
    hint = case.state.next_action
    if case.mid and validation.verdict(case.in_milestone("VALIDATION")) == validation.NEEDS_REMEDIATION:
        hint = _VERDICT.format(case.mid)
    return Answer(reason=reason, level=Level.ERROR, hint=hint)


_VERDICT = "Add slices for what {0}-VALIDATION.md lacks to {0}-ROADMAP.md, or: gsd verdict {0} pass --note WHY"


def _nothing_active(case: Case) -> Answer | None:
    """There is no milestone to work on: none yet, all parked, or a layout that is not ours."""
    if case.mid:
        return None
    if case.state.blockers:
        return Answer(reason="; ".join(case.state.blockers), level=Level.WARNING, hint=case.state.next_action)
    parked = next((entry.id for entry in case.state.registry if entry.status is Status.PARKED), "")
    first = f"gsd new-milestone says what you want; or write {milestone_path(case.tree, 'M001', 'CONTEXT')}."
    hint = f"gsd unpark {parked} takes it up again; gsd new-milestone begins another." if parked else first
    return Answer(reason=case.state.next_action, level=Level.WARNING, hint=hint)


def _conflict_markers(case: Case) -> Answer | None:
    """A plan with a merge conflict left in it says two things at once; a person has to say which holds."""
    torn = [("ROADMAP", case.in_milestone("ROADMAP")), ("PLAN", case.in_slice(case.sid, "PLAN") if case.sid else "")]
    suffix = next((name for name, text in torn if "\n<<<<<<< " in text and "\n>>>>>>> " in text), "")
    if not suffix:
        return None
    name = f"{case.sid if suffix == 'PLAN' else case.mid}-{suffix}.md"
    return Answer(
        reason=f"{name} has conflict markers in it", level=Level.ERROR, hint=f"Resolve them in {name}, then gsd auto."
    )


def _overrides(case: Case) -> Answer | None:
    """Open orders in `OVERRIDES.md` are worked into the plan before anything else."""
    if not overrides.active(read(case.tree, root_file(case.tree, "OVERRIDES"))):
        return None
    return Answer(UnitKind.REWRITE_DOCS, f"{case.mid}/{case.sid}" if case.sid else case.mid)


def _summarizing(case: Case) -> Answer | None:
    """All tasks of the slice are done, so it gets its summary and its acceptance test."""
    if case.state.phase is not Phase.SUMMARIZING:
        return None
    return Answer(UnitKind.COMPLETE_SLICE, f"{case.mid}/{case.sid}")


def _validation_gate(case: Case) -> Answer | None:
    """Remediation that leads to more remediation ends: a person says whether it goes on."""
    if not case.sid or not remediation.validated_in_vain(case.tree, case.mid):
        return None
    return Answer(
        reason=f"The validation of {case.mid} asks for remediation after {remediation.ROUNDS} rounds of it.",
        level=Level.ERROR,
        hint=f"For one more: gsd verdict {case.mid} needs-remediation. To close it: gsd verdict {case.mid} pass",
    )


def _uat(case: Case) -> Answer | None:
    """The test of the slice that was finished last, also when it was the milestone's last one; and after a remedy."""
    if case.state.phase is Phase.COMPLETING_MILESTONE:
        return None
    test = case.test(Stand.UNTESTED)
    return Answer(UnitKind.RUN_UAT, f"{case.mid}/{test.slice}") if test else None


def _uat_remedy(case: Case) -> Answer | None:
    """A test that failed gets a slice that mends what it found."""
    test = case.test(Stand.FAILED)
    planned = remediation.remedy(case.tree, case.mid, test) if test else None
    if not planned:
        return None
    effects = tuple(Write(*one) for one in planned.writes)
    return Answer(UnitKind.EXECUTE_TASK, f"{case.mid}/{planned.slice}/{planned.task}", effects=effects)


def _uat_waits(case: Case) -> Answer | None:
    """What a session cannot judge waits for a person, with no session running."""
    test = case.test(Stand.WAITS)
    if not test:
        return None
    name = f"{case.mid}/{test.slice}"
    return Answer(
        reason=f"The acceptance test of {name} waits for your verdict (the session says {test.said}).",
        hint=f"Read {test.slice}-UAT-RESULT.md, then: gsd verdict {name} pass (or: fail --note WHAT)",
        waits=True,
    )


def _uat_gate(case: Case) -> Answer | None:
    """Nothing goes on after a test that did not pass, when remedies were tried in vain or cannot be planned."""
    test = case.test(Stand.EXHAUSTED, Stand.FAILED)
    if not test:
        return None
    name, tried = f"{case.mid}/{test.slice}", f" after {test.rounds} remedies" if test.rounds else ""
    return Answer(
        reason=f"The acceptance test of {name} ended {test.said}{tried}.",
        level=Level.ERROR,
        hint=f"Mend it, then: gsd verdict {name} pass. For one more remedy: gsd verdict {name} fail --note WHAT",
    )


def _reassess(case: Case) -> Answer | None:
    """Between two slices: does the roadmap still hold?"""
    if case.prefs.phases.skip_reassess or case.prefs.phases.reassess_after_slice is False:
        return None
    if case.test(Stand.MENDING):
        return None
    slices, sid = case.slices(), case.last_done()
    if not sid or all(entry.done for entry in slices):
        return None
    if case.in_slice(sid, "ASSESSMENT") and not done.given_up(
        Unit(UnitKind.REASSESS_ROADMAP, f"{case.mid}/{sid}"), case.tree
    ):
        return None
    return Answer(UnitKind.REASSESS_ROADMAP, f"{case.mid}/{sid}") if case.in_slice(sid, "SUMMARY") else None


def _needs_discussion(case: Case) -> Answer | None:
    """Only a draft of the context is there, and a person is to settle it."""
    if case.state.phase is not Phase.NEEDS_DISCUSSION:
        return None
    return Answer(
        reason=f"{case.mid} has a draft of its context that was not discussed.",
        hint=f"gsd discuss {case.mid}",
    )


def _no_context(case: Case) -> Answer | None:
    """A milestone without a roadmap and without a context cannot be planned."""
    if case.state.phase is not Phase.PRE_PLANNING or case.in_milestone("CONTEXT"):
        return None
    return Answer(
        reason=f"{case.mid} has no context: nothing says what it is to achieve.",
        hint=f"gsd discuss {case.mid}, or write {milestone_path(case.tree, case.mid, 'CONTEXT')}.",
    )


def _research_milestone(case: Case) -> Answer | None:
    """Once, before the roadmap, unless `phases.skip_research`."""
    if case.state.phase is not Phase.PRE_PLANNING or case.prefs.phases.skip_research:
        return None
    unit = Unit(UnitKind.RESEARCH_MILESTONE, case.mid)
    return Answer(unit.kind, unit.id) if done.missing(unit, case.tree) else None


def _plan_milestone(case: Case) -> Answer | None:
    """There is no roadmap with slices yet."""
    return Answer(UnitKind.PLAN_MILESTONE, case.mid) if case.state.phase is Phase.PRE_PLANNING else None


def _slice_discussion(case: Case) -> Answer | None:
    """`phases.require_slice_discussion` wants a context for each slice before its plan."""
    wanted = case.prefs.phases.require_slice_discussion and case.state.phase is Phase.PLANNING
    if not wanted or case.in_slice(case.sid, "CONTEXT"):
        return None
    return Answer(
        reason=f"{case.mid}/{case.sid} is to be discussed before it is planned (phases.require_slice_discussion).",
        hint=f"gsd discuss {case.mid}/{case.sid}",
    )


def _research_slice(case: Case) -> Answer | None:
    """Before a slice's plan, unless a preference skips it, or the milestone's research covers S01."""
    skip = case.prefs.phases.skip_research or case.prefs.phases.skip_slice_research
    if case.state.phase is not Phase.PLANNING or skip:
        return None
    if case.sid == "S01" and case.in_milestone("RESEARCH"):
        return None
    unit = Unit(UnitKind.RESEARCH_SLICE, f"{case.mid}/{case.sid}")
    return Answer(unit.kind, unit.id) if done.missing(unit, case.tree) else None


def _plan_slice(case: Case) -> Answer | None:
    """The active slice has no plan with tasks yet."""
    return Answer(UnitKind.PLAN_SLICE, f"{case.mid}/{case.sid}") if case.state.phase is Phase.PLANNING else None


def _replan(case: Case) -> Answer | None:
    """A task reported a blocker, or a trigger file asks for it: once for each. An earlier replan does not answer it."""
    if case.state.phase is not Phase.REPLANNING_SLICE:
        return None
    path, text = slice_path(case.tree, case.mid, case.sid, "REPLAN"), case.in_slice(case.sid, "REPLAN")
    earlier = text and placeholder.reason(text) is None and not replan.superseded(text)
    effects = (Write(path, replan.supersede(text), "it answers an earlier finding"),) if earlier else ()
    return Answer(UnitKind.REPLAN_SLICE, f"{case.mid}/{case.sid}", effects=effects)


def _unplanned_task(case: Case) -> Answer | None:
    """The active task is listed and has no plan file of its own."""
    if case.state.phase is not Phase.EXECUTING or done.task_planned(case.tree, case.mid, case.sid, case.tid):
        return None
    return Answer(UnitKind.PLAN_SLICE, f"{case.mid}/{case.sid}")


def _execute(case: Case) -> Answer | None:
    """The first open task of the active slice."""
    if case.state.phase is not Phase.EXECUTING:
        return None
    return Answer(UnitKind.EXECUTE_TASK, f"{case.mid}/{case.sid}/{case.tid}")


def _skip_validation(case: Case) -> Answer | None:
    """`phases.skip_milestone_validation`: a note that says so is written. One that nobody can read is made again."""
    skip = case.prefs.phases.skip_milestone_validation and case.state.phase is Phase.VALIDATING_MILESTONE
    if not skip or case.in_milestone("VALIDATION"):
        return None
    path = milestone_path(case.tree, case.mid, "VALIDATION")
    stub = Write(path, validation.render_skipped(case.mid), "validation is skipped by preference")
    return Answer(UnitKind.COMPLETE_MILESTONE, case.mid, effects=(stub,))


def _validate(case: Case) -> Answer | None:
    """All slices are done: does the milestone hold what it promised?"""
    if case.state.phase is not Phase.VALIDATING_MILESTONE:
        return None
    return Answer(UnitKind.VALIDATE_MILESTONE, case.mid)


def _complete_milestone(case: Case) -> Answer | None:
    """Validated; the summary of the milestone is written."""
    if case.state.phase is not Phase.COMPLETING_MILESTONE:
        return None
    return Answer(UnitKind.COMPLETE_MILESTONE, case.mid)


RULES: tuple[Rule, ...] = (
    Rule("all-complete-stops", _complete),
    Rule("blocked-stops", _blocked),
    Rule("nothing-active-stops", _nothing_active),
    Rule("conflict-markers-stop", _conflict_markers),
    Rule("overrides-first", _overrides),
    Rule("validation-rounds-stop", _validation_gate),
    Rule("summarizing-completes-slice", _summarizing),
    Rule("finished-slice-is-tested", _uat),
    Rule("failed-test-is-mended", _uat_remedy),
    Rule("test-waits-for-verdict", _uat_waits),
    Rule("failed-test-stops", _uat_gate),
    Rule("finished-slice-is-reassessed", _reassess),
    Rule("draft-waits-for-discussion", _needs_discussion),
    Rule("no-context-stops", _no_context),
    Rule("milestone-is-researched", _research_milestone),
    Rule("milestone-is-planned", _plan_milestone),
    Rule("slice-waits-for-discussion", _slice_discussion),
    Rule("slice-is-researched", _research_slice),
    Rule("slice-is-planned", _plan_slice),
    Rule("blocker-replans-slice", _replan),
    Rule("task-without-plan-replans", _unplanned_task),
    Rule("task-is-executed", _execute),
    Rule("validation-is-skipped", _skip_validation),
    Rule("milestone-is-validated", _validate),
    Rule("milestone-is-completed", _complete_milestone),
)
