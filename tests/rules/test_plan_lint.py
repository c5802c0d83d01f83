"""The lint of plans, as tables. Source: spec auto 2.11, 2.16, 2.17."""

import pytest

from milepost.model.units import Unit, UnitKind
from milepost.rules.plan_lint import Finding, lint
from milepost.testing.trees import DictTree

SLICE = "milestones/M001/slices/S01"
HEAD = "# S01: Store\n\n**Goal:** Feeds stay.\n\n## Tasks\n\n"
T01 = "- [ ] **T01: Write** `est:5m`\n  - Files: `a.py`\n  - Verify: pytest\n"
T02 = T01.replace("T01", "T02")
CRITERIA = "## Success Criteria\n\n- A feed is readable offline\n\n"
S01 = "- [ ] **S01: Feed store** `risk:low` `depends:[]`\n  > After this: a feed is readable.\n"


def _planned(
    plan: str, kind: UnitKind = UnitKind.PLAN_SLICE, *, gate: bool = False, **tasks: str
) -> tuple[Finding, ...]:
    files = {f"{SLICE}/S01-PLAN.md": plan, **{f"{SLICE}/tasks/{tid}-PLAN.md": text for tid, text in tasks.items()}}
    return lint(Unit(kind, "M001/S01"), DictTree(files), max_tasks=3, gate=gate)


def _mapped(slices: str, criteria: str = CRITERIA) -> tuple[Finding, ...]:
    text = f"# M001: Feeds\n\n**Vision:** v\n\n{criteria}## Slices\n\n{slices}"
    tree = DictTree({"milestones/M001/M001-ROADMAP.md": text})
    return lint(Unit(UnitKind.PLAN_MILESTONE, "M001"), tree, max_tasks=3)


def _said(findings: tuple[Finding, ...], *, error: bool) -> list[str]:
    return [finding.problem for finding in findings if finding.error is error]


@pytest.mark.parametrize("kind", [UnitKind.PLAN_SLICE, UnitKind.REPLAN_SLICE])
def test_a_good_plan_has_no_findings(kind: UnitKind) -> None:
    assert _planned(HEAD + T01 + T02, kind) == ()
    assert _mapped(S01) == ()


@pytest.mark.parametrize(
    ("plan", "begins"),
    [
        (HEAD + T01 + T01, "lists T01 more than once"),
        (HEAD + T01.replace("T01", "task_1"), "has a task id 'task_1'"),
        (HEAD + "- [ ] **T01: Write** `est:5m`\n  - Files: `a.py`\n", "gives T01 no acceptance"),
        ("# S01: Store\n\n## Tasks\n\n" + T01, "says nowhere what the slice is to hold"),
        (HEAD + "".join(T01.replace("T01", f"T0{n}") for n in range(1, 8)), "has 7 open tasks"),
    ],
)
def test_errors_of_a_plan(plan: str, begins: str) -> None:
    (problem,) = _said(_planned(plan), error=True)
    assert problem.startswith(begins)


@pytest.mark.parametrize(
    ("plan", "task", "begins"),
    [
        (HEAD + T02 + T01, "", "has its task ids out of order: T02, T01"),
        (HEAD + "".join(T01.replace("T01", f"T0{n}") for n in range(1, 5)), "", "has 4 open tasks"),
        (HEAD + T01.replace("  - Files: `a.py`\n", ""), "# T01\n", "names no file for T01"),
        (HEAD + T01, "---\nestimated_steps: 10\n---\n# T01\n", "has 10 steps"),
        (HEAD + T01, "---\nestimated_files: 12\n---\n# T01\n", "is about 12 files"),
        (HEAD + T01, "# T01\n\n## Steps\n\n" + "".join(f"{n}. x\n" for n in range(1, 12)), "has 11 steps"),
    ],
)
def test_warnings_of_a_plan(plan: str, task: str, begins: str) -> None:
    found = _planned(plan, T01=task)
    assert _said(found, error=True) == []
    (problem,) = _said(found, error=False)
    assert problem.startswith(begins)


@pytest.mark.parametrize("text", ["## Verification\n\n- pytest\n", "## Must-Haves\n\n- [ ] it holds\n"])
def test_acceptance_may_stand_in_the_plan_of_the_task(text: str) -> None:
    bare = HEAD + "- [ ] **T01: Write** `est:5m`\n  - Files: `a.py`\n"
    assert _said(_planned(bare, T01=f"# T01\n\n{text}"), error=True) == []
    assert _said(_planned(bare, gate=True), error=True) == []
    assert _said(_planned(f"{bare}  - Done when: it runs\n"), error=True) == []


def test_what_is_done_is_not_held_to_anything() -> None:
    done = HEAD + "- [x] **T01: Write** `est:5m`\n" + T02
    assert _planned(done, UnitKind.REPLAN_SLICE) == ()


def test_a_task_that_takes_what_a_later_one_makes() -> None:
    first = "# T01\n\n## Inputs\n\n- `src/b.py` — x\n- `src/old.py` — there already\n"
    second = "# T02\n\n## Expected Output\n\n- `src/b.py` — y\n"
    (problem,) = _said(_planned(HEAD + T01 + T02, T01=first, T02=second), error=False)
    assert problem == "takes `src/b.py`, which only T02 makes, after it"


@pytest.mark.parametrize(
    ("slices", "criteria", "errors", "warnings"),
    [
        (S01 + S01, CRITERIA, ["lists S01 more than once"], []),
        (S01.split("\n", maxsplit=1)[0], "", ["lets nobody see when S01 works"], ["has no Success Criteria"]),
        (S01.split("\n", maxsplit=1)[0], CRITERIA, [], ["has no `> After this"]),
        (S01, "", [], ["has no Success Criteria"]),
        (
            S01,
            "## Success Criteria\n\n- Mail arrives\n\n",
            [],
            ["has a success criterion that no slice seems to meet: Mail"],
        ),
        ("".join(S01.replace("S01", f"S0{n}") for n in range(1, 10)), CRITERIA, [], ["has 9 slices"]),
    ],
)
def test_a_roadmap(slices: str, criteria: str, errors: list[str], warnings: list[str]) -> None:
    found = _mapped(slices, criteria)
    for said, wanted in ((_said(found, error=True), errors), (_said(found, error=False), warnings)):
        assert len(said) == len(wanted), said
        assert all(line.startswith(begin) for line, begin in zip(said, wanted, strict=True)), said


def test_units_that_plan_nothing_have_no_findings() -> None:
    assert lint(Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01"), DictTree({}), max_tasks=3) == ()
