"""When a unit is done, and that derivation, dispatch and done agree all the way to the end of a project."""

import random

import pytest
from planned import Files, context, document, owes, plan, roadmap, slice_document, task_document, tree

from milepost.formats import overrides, placeholder
from milepost.formats import plan as plans
from milepost.formats import roadmap as roadmaps
from milepost.formats.preferences import Phases, Preferences
from milepost.formats.tree import milestone_file, slice_file
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.rules.derive import Phase, derive
from milepost.rules.dispatch import Dispatch, Halt, decide
from milepost.testing.trees import DictTree

K = UnitKind
NOTE = placeholder.render("u", "why")


@pytest.mark.spec(id="PR-232")
@pytest.mark.parametrize(
    ("unit", "parts", "owed"),
    [
        (Unit(K.RESEARCH_MILESTONE, "M001"), (), ["M001-RESEARCH.md was not written"]),
        (Unit(K.RESEARCH_MILESTONE, "M001"), (document("RESEARCH", " \n"),), ["M001-RESEARCH.md is empty"]),
        (Unit(K.RESEARCH_MILESTONE, "M001"), (document("RESEARCH", NOTE),), ["M001-RESEARCH.md is a note that"]),
        (Unit(K.RESEARCH_MILESTONE, "M001"), (document("RESEARCH"),), []),
        (Unit(K.PLAN_MILESTONE, "M001"), (), ["M001-ROADMAP.md was not written"]),
        (Unit(K.PLAN_MILESTONE, "M001"), (document("ROADMAP"),), ["M001-ROADMAP.md has no slices"]),
        (Unit(K.PLAN_MILESTONE, "M001"), (roadmap(depends="S01:S09"),), ["M001-ROADMAP.md lets S01 depend on S09"]),
        (
            Unit(K.PLAN_MILESTONE, "M001"),
            (roadmap(slices="[ ] S01, [ ] S02, [ ] S03", depends="S01:S02 S02:S01"),),
            ["M001-ROADMAP.md has slices that wait for each other: S01, S02"],
        ),
        (Unit(K.PLAN_MILESTONE, "M001"), (roadmap(),), []),
        (Unit(K.RESEARCH_SLICE, "M001/S01"), (), ["S01-RESEARCH.md was not written"]),
        (Unit(K.PLAN_SLICE, "M001/S01"), (), ["S01-PLAN.md was not written"]),
        (Unit(K.PLAN_SLICE, "M001/S01"), (slice_document("S01", "PLAN"),), ["S01-PLAN.md has no tasks"]),
        (
            Unit(K.PLAN_SLICE, "M001/S01"),
            (plan(tasks="[ ] T01, [ ] T02", plans=False), task_document("T02", "PLAN")),
            ["T01-PLAN.md was not written"],
        ),
        (Unit(K.PLAN_SLICE, "M001/S01"), (plan(tasks="[x] T01", plans=False),), []),
        (Unit(K.PLAN_SLICE, "M001/S01"), (plan(),), []),
        (Unit(K.EXECUTE_TASK, "M001/S01/T01"), (plan(tasks="[x] T01"),), ["T01-SUMMARY.md was not written"]),
        (Unit(K.EXECUTE_TASK, "M001/S01/T01"), (plan(), task_document("T01")), []),
        (Unit(K.COMPLETE_SLICE, "M001/S01"), (), ["S01-SUMMARY.md was not written", "S01-UAT.md was not written"]),
        (Unit(K.COMPLETE_SLICE, "M001/S01"), (slice_document("S01", "SUMMARY"), slice_document("S01", "UAT")), []),
        (Unit(K.REPLAN_SLICE, "M001/S01"), (plan(),), ["S01-REPLAN.md was not written"]),
        (Unit(K.REPLAN_SLICE, "M001/S01"), (plan(), slice_document("S01", "REPLAN")), []),
        (Unit(K.REASSESS_ROADMAP, "M001/S01"), (), ["S01-ASSESSMENT.md was not written"]),
        (Unit(K.RUN_UAT, "M001/S01"), (), ["S01-UAT-RESULT.md was not written"]),
        (Unit(K.RUN_UAT, "M001/S01"), (slice_document("S01", "UAT-RESULT"),), ["S01-UAT-RESULT.md has no verdict"]),
        (Unit(K.RUN_UAT, "M001/S01"), (slice_document("S01", "ASSESSMENT", "---\nverdict: PASS\n---\n"),), []),
        (Unit(K.VALIDATE_MILESTONE, "M001"), (document("VALIDATION"),), ["M001-VALIDATION.md has no verdict"]),
        (Unit(K.VALIDATE_MILESTONE, "M001"), (document("VALIDATION", '---\nverdict: "pass"\n---\n'),), []),
        (
            Unit(K.COMPLETE_MILESTONE, "M001"),
            (document("SUMMARY", "Verification failed.\n"),),
            ["M001-SUMMARY.md says of itself"],
        ),
        (Unit(K.COMPLETE_MILESTONE, "M001"), (document("SUMMARY"),), []),
        (Unit(K.REWRITE_DOCS, "M001"), (), []),
        (
            Unit(K.REWRITE_DOCS, "M001"),
            ({"OVERRIDES.md": "## Override: 1\n\n**Change:** x\n**Scope:** active\n"},),
            ["OVERRIDES.md still has 1 override with"],
        ),
    ],
)
def test_missing(unit: Unit, parts: tuple[Files, ...], owed: list[str]) -> None:
    found = owes(unit, tree(*parts))
    assert len(found) == len(owed)
    assert all(line.startswith(begin) for line, begin in zip(found, owed, strict=True)), found


def test_every_kind_of_unit_has_a_predicate() -> None:
    for kind in UnitKind:
        done.missing(Unit(kind, "quick-1-fix-it" if kind is K.QUICK else "M001/S01/T01"), tree())


@pytest.mark.parametrize(
    ("unit", "parts", "settled"),
    [
        (Unit(K.EXECUTE_TASK, "M001/S01/T01"), (plan(),), False),
        (Unit(K.EXECUTE_TASK, "M001/S01/T01"), (plan(tasks="[x] T01"),), True),
        (Unit(K.EXECUTE_TASK, "M001/S01/T01"), (plan(), task_document("T01")), True),
        (Unit(K.EXECUTE_TASK, "M001/S01/T01"), (plan(), task_document("T01", text=NOTE)), False),
        (Unit(K.COMPLETE_SLICE, "M001/S01"), (roadmap(), slice_document("S01", "SUMMARY")), False),
        (Unit(K.COMPLETE_SLICE, "M001/S01"), (roadmap(slices="[x] S01"),), True),
        (Unit(K.PLAN_SLICE, "M001/S01"), (plan(),), True),
        (Unit(K.PLAN_SLICE, "M001/S01"), (), False),
    ],
)
def test_settled(unit: Unit, parts: tuple[Files, ...], settled: bool) -> None:
    assert done.settled(unit, tree(*parts)) is settled


class Project:
    """Files that an obedient agent and Milepost write in turn."""

    def __init__(self, files: Files, dice: random.Random) -> None:
        self.files = dict(files)
        self.dice = dice
        self.remediated: set[str] = set()

    @property
    def tree(self) -> DictTree:
        return DictTree(self.files)

    def work(self, unit: Unit) -> None:
        """Write what the unit is for; sometimes with a discovered blocker, a replan, a call for remediation."""
        for _ in range(20):
            owed = done.missing(unit, self.tree)
            if not owed:
                return
            self.files[owed[0].path] = self._text(unit, owed[0].path)
        raise AssertionError(f"{unit} still owes {owed}")

    def _text(self, unit: Unit, path: str) -> str:
        name = path.rsplit("/", 1)[-1]
        if name == "OVERRIDES.md":
            return overrides.resolve_all(self.files[path])
        if name.endswith("ROADMAP.md"):
            return "\n".join(roadmap(unit.milestone, self._slices(), "S02:S01").values())
        if path.endswith(f"/{unit.slice}-PLAN.md"):
            tasks = ", ".join(f"[ ] T{n:02d}" for n in range(1, self.dice.randint(2, 4)))
            return next(iter(plan(unit.slice or "", tasks, unit.milestone).values()))
        if unit.kind is K.EXECUTE_TASK:
            return f"---\nblocker_discovered: {str(self.dice.random() < 0.2).lower()}\n---\n# T: done\n"
        if unit.kind is K.VALIDATE_MILESTONE:
            return f"---\nverdict: {self._verdict(unit.milestone)}\n---\n"
        return "---\nverdict: PASS\n---\nText.\n" if unit.kind is K.RUN_UAT else "Text.\n"

    def _slices(self) -> str:
        return ", ".join(f"[ ] S{n:02d}" for n in range(1, self.dice.randint(2, 4)))

    def _verdict(self, mid: str) -> str:
        if mid in self.remediated or self.dice.random() < 0.5:
            return "pass"
        self.remediated.add(mid)
        path = milestone_file(self.tree, mid, "ROADMAP") or ""
        self.files[path] += "- [ ] **S77: Remedy** `risk:low` `depends:[]`\n"
        return "needs-remediation"

    def keep_books(self, unit: Unit) -> None:
        """What Milepost does after verification: tick the box of a task or a slice."""
        if unit.kind is K.EXECUTE_TASK:
            path = slice_file(self.tree, unit.milestone, unit.slice or "", "PLAN") or ""
            self.files[path] = plans.tick(self.files[path], unit.task or "")
        elif unit.kind is K.COMPLETE_SLICE:
            path = milestone_file(self.tree, unit.milestone, "ROADMAP") or ""
            self.files[path] = roadmaps.tick(self.files[path], unit.slice or "")


def ticked(project: Project) -> int:
    return sum(text.count("[x]") for text in project.files.values())


def preferences(dice: random.Random) -> Preferences:
    names = ("skip_research", "skip_slice_research", "skip_reassess", "skip_milestone_validation")
    phases = Phases(**{name: dice.random() < 0.5 for name in names})
    return Preferences(phases=phases, uat_dispatch=dice.random() < 0.5)


@pytest.mark.parametrize("seed", range(60))
def test_every_project_reaches_its_end_without_a_unit_coming_back(seed: int) -> None:
    dice = random.Random(seed)
    files: Files = {"OVERRIDES.md": "## Override: 1\n\n**Change:** x\n**Scope:** active\n**Applied-at:** M001\n"}
    for number in range(1, dice.randint(2, 4)):
        needs = f"M{number - 1:03d}" if number > 1 and dice.random() < 0.5 else ""
        files.update(context(f"M{number:03d}", needs))
    project, prefs = Project(files, dice), preferences(dice)
    seen: set[str] = set()
    for _ in range(400):
        state = derive(project.tree)
        decision = decide(state, project.tree, prefs)
        if isinstance(decision, Halt):
            assert state.phase is Phase.COMPLETE, decision
            return
        assert isinstance(decision, Dispatch)
        for effect in decision.effects:
            project.files[effect.path] = effect.text
        unit = decision.unit
        assert not done.settled(unit, project.tree), f"{unit} is dispatched although it is done"
        again = unit.key in seen and unit.kind not in (K.VALIDATE_MILESTONE, K.PLAN_SLICE)
        assert not again, f"{unit} came back"
        seen.add(unit.key)
        before = ticked(project)
        project.work(unit)
        project.keep_books(unit)
        assert not done.missing(unit, project.tree)
        assert done.settled(unit, project.tree)
        assert ticked(project) >= before
    raise AssertionError("the project never ended")
