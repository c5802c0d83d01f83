"""`gsd dispatch`: one unit when a person wants it, with everything that holds for any unit."""

from pathlib import Path

import pytest

from milepost.testing.projects import Session, say, session, tool, usage
from scenarios.stage import BLOCKED, BUDGET, DONE, PAUSED, Stage

HOME = ".gsd/milestones/M001"
TEXTS = {
    "research-milestone/M001": f"{HOME}/M001-RESEARCH.md",
    "research-slice/M001/S02": f"{HOME}/slices/S02/S02-RESEARCH.md",
    "reassess-roadmap/M001/S01": f"{HOME}/slices/S01/S01-ASSESSMENT.md",
    "replan-slice/M001/S02": f"{HOME}/slices/S02/S02-REPLAN.md",
}


def writes(unit: str, text: str = "# A document\n\nText.\n") -> Session:
    return session(unit, usage(micro_usd=1_000), tool("write", path=TEXTS[unit], content=text), say("Done."))


def judged(unit: str, path: str, verdict: str) -> Session:
    return session(
        unit,
        usage(micro_usd=1_000),
        tool("write", path=path, content=f"---\nverdict: {verdict}\n---\n# R\n\nLooked.\n"),
    )


def replanned() -> Session:
    path = f"{HOME}/slices/S02/tasks/T01-PLAN.md"
    return session(
        "plan-slice/M001/S02", usage(micro_usd=1_000), tool("write", path=path, content="# T01: Anew\n\nText.\n")
    )


@pytest.fixture
def plan(tmp_path: Path) -> Stage:
    """S01 is finished, S02 is planned."""
    stage = Stage(root=tmp_path / "project").make(slices=2)
    uat = judged("run-uat/M001/S01", f"{HOME}/slices/S01/S01-UAT-RESULT.md", "PASS")
    stage.script += [
        *(writes(unit) for unit in TEXTS),
        uat,
        replanned(),
    ]
    stage.auto("--max-units", "2").require(DONE)
    return stage


def dispatched(stage: Stage, *words: str) -> str:
    before = stage.attempts()
    stage.gsd("dispatch", *words, "--agent", stage.agent()).require(DONE)
    assert stage.attempts() == before + 1
    event = stage.events("attempt-started")[-1]
    return f"{event['kind']}/{event['unit']}"


@pytest.mark.covers(
    "command:dispatch", "unit:research-milestone", "unit:research-slice", "unit:plan-slice", "unit:execute-task",
    "unit:reassess-roadmap", "unit:run-uat", "unit:replan-slice",
)  # fmt: skip
@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (("research",), "research-slice/M001/S02"),
        (("research", "M001"), "research-milestone/M001"),
        (("plan",), "plan-slice/M001/S02"),
        (("execute",), "execute-task/M001/S02/T01"),
        (("execute", "T01"), "execute-task/M001/S02/T01"),
        (("reassess",), "reassess-roadmap/M001/S01"),
        (("uat",), "run-uat/M001/S01"),
        (("run-uat", "S01"), "run-uat/M001/S01"),
        (("replan",), "replan-slice/M001/S02"),
        (("execute-task",), "execute-task/M001/S02/T01"),
    ],
)
def test_a_word_means_the_unit_that_makes_sense(plan: Stage, words: tuple[str, ...], unit: str) -> None:
    assert dispatched(plan, *words) == unit
    assert plan.events("attempt-ended")[-1]["result"] == "committed"
    assert f"GSD-Unit: {unit.replace('/', ' ', 1)}" in plan.git("log", "-1", "--format=%B", "milestone/M001")


@pytest.mark.covers("command:dispatch", "unit:complete-slice", "unit:complete-milestone", "unit:validate-milestone")
def test_complete_is_the_slice_then_the_milestone(plan: Stage) -> None:
    plan.script.append(judged("validate-milestone/M001", f"{HOME}/M001-VALIDATION.md", "pass"))
    assert dispatched(plan, "execute") == "execute-task/M001/S02/T01"
    assert dispatched(plan, "complete") == "complete-slice/M001/S02"
    assert dispatched(plan, "validate") == "validate-milestone/M001"
    assert dispatched(plan, "complete") == "complete-milestone/M001"
    assert plan.log() == ["first"]  # It is not merged by that.
    plan.auto().require(DONE)
    plan.require_landed()


@pytest.mark.covers("command:dispatch")
def test_what_was_done_before_does_not_pass_for_what_is_done_now(plan: Stage) -> None:
    dispatched(plan, "reassess")
    path = plan.worktree / TEXTS["reassess-roadmap/M001/S01"]
    plan.replay("reassess-roadmap/M001/S01", [say("Nothing to do.")])
    ran = plan.gsd("dispatch", "reassess", "--agent", plan.agent()).require(PAUSED)
    assert "was not written" in ran.said
    assert path.read_text() == "# A document\n\nText.\n"


@pytest.mark.covers("command:dispatch")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("complete",), "open slices: S02"),
        (("validate",), "open slices: S02"),
        (("execute", "M001/S01/T01"), "M001/S01 is finished"),
        (("uat", "M001/S02"), "M001/S02 is not finished"),
        (("execute", "M001/S02/T09"), "no task T09"),
        (("complete-slice",), "open tasks: T01"),
        (("plan", "M001/S09"), "no slice S09"),
        (("uat", "M001"), "nothing to uat"),
        (("run-uat", "M001"), "of a slice"),
        (("dance",), "no kind of unit"),
        (("rewrite-docs",), "a command of its own"),
    ],
)
def test_what_cannot_be_done_now_is_refused_with_a_reason(plan: Stage, words: tuple[str, ...], says: str) -> None:
    before = plan.attempts()
    ran = plan.gsd("dispatch", *words, "--agent", plan.agent())
    assert ran.code in (1, BLOCKED)
    assert says in ran.said
    assert plan.attempts() == before


@pytest.mark.covers("command:dispatch")
def test_a_dispatched_unit_is_paid_for_from_the_same_budget(plan: Stage) -> None:
    plan.gsd("dispatch", "execute", "--max-cost", "0.000001", "--agent", plan.agent()).require(BUDGET)
