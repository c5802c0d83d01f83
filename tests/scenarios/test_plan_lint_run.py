"""A plan that nobody could carry out goes back to the agent, with the list. Source: issue "From an idea to a plan"."""

from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios import idea
from scenarios.stage import DONE, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A milestone of which only the context is there."""
    stage = Stage(root=tmp_path / "project", script=idea.build())
    projects.tiny(stage.root, milestones=(), preferences=projects.QUICK)
    projects.write(stage.state, {"milestones/M001/M001-CONTEXT.md": idea.CONTEXT})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "context")
    return stage


def _wrong_first(stage: Stage, unit: str, text: str, wrong: str) -> None:
    """Let the first session of the unit write something else in the place of a text."""
    at = next(i for i, session in enumerate(stage.script) if session["unit"] == unit)
    good = stage.script[at]["steps"]
    assert isinstance(good, list)
    bad = [{**step, "args": {**step["args"], "content": step["args"]["content"].replace(text, wrong)}} for step in good]
    assert bad != good
    stage.replay(unit, bad, good)


@pytest.mark.covers("unit:plan-slice")
def test_a_slice_plan_goes_back_with_what_is_wrong(stage: Stage) -> None:
    line = "  - Verify: `grep -q feed feeds.txt`\n  - Done when: the file is there\n"
    twice = "- [ ] **T01: Once more** `est:5m`\n"
    _wrong_first(stage, "plan-slice/M001/S01", line, twice)
    ran = stage.auto().require(DONE)
    first, second = stage.prompts("M001-S01")[:2]
    assert "lists T01 more than once" not in first
    for problem in ("lists T01 more than once", "gives T01 no acceptance"):
        assert problem in second
        assert problem in ran.out
    assert stage.attempts("M001/S01") == 3  # planned twice, completed once


@pytest.mark.covers("unit:plan-milestone")
def test_a_roadmap_goes_back_and_a_warning_is_only_told(stage: Stage) -> None:
    _wrong_first(stage, "plan-milestone/M001", "  > After this: a feed is readable offline.\n", "")
    ran = stage.auto().require(DONE)
    assert "plan: milestones/M001/M001-ROADMAP.md has no `> After this: …` for S01" in ran.out
    assert stage.attempts("M001") == 2
    stage.require_landed(before=len(stage.log()) - 1)


def test_a_roadmap_that_nobody_could_check_goes_back(stage: Stage) -> None:
    text = "## Success Criteria\n\n- A feed is readable offline\n\n"
    demo = "  > After this: a feed is readable offline.\n"
    _wrong_first(stage, "plan-milestone/M001", text, "")
    at = next(i for i, session in enumerate(stage.script) if session["unit"] == "plan-milestone/M001")
    (step,) = stage.script[at]["steps"]  # type: ignore[misc]
    step["args"]["content"] = step["args"]["content"].replace(demo, "")
    stage.auto().require(DONE)
    assert "lets nobody see when S01 works" in stage.prompts("M001")[1]


def test_a_plan_that_was_there_is_worked_with_as_it_is(stage: Stage) -> None:
    bare = idea.PLAN.replace("  - Done when: the file is there\n", "").replace(
        "  - Verify: `grep -q feed feeds.txt`\n", ""
    )
    home = "milestones/M001/slices/S01"
    projects.write(
        stage.state,
        {
            "milestones/M001/M001-ROADMAP.md": idea.ROADMAP.replace("  > After", "  > "),
            f"{home}/S01-PLAN.md": bare,
            f"{home}/tasks/T01-PLAN.md": idea.TASK,
        },
    )
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "plan")
    stage.auto().require(DONE)
    assert "plan-slice" not in [event["kind"] for event in stage.events("attempt-started")]


SMALL = projects.QUICK.replace("---\n", "---\nmodels: {execution: openai/gpt-3.5-turbo}\n", 1)
"""The window of this model holds 16 thousand tokens."""


def _many(count: int) -> str:
    line = "- [ ] **T{:02d}: Write it** `est:5m`\n  - Files: `feeds.txt`\n  - Verify: `grep -q feed feeds.txt`\n"
    first, rest = idea.PLAN.split("- [ ] **T01", 1)
    return first + "".join(line.format(n) for n in range(1, count + 1)) + rest[rest.index("\n\n## Files") :]


@pytest.mark.parametrize(("preferences", "attempts"), [(projects.QUICK, 1), (SMALL, 2)], ids=["unknown", "small"])
@pytest.mark.covers("key:models.execution", "unit:plan-slice")
def test_the_window_of_the_model_that_executes_says_how_many_tasks_fit(
    stage: Stage, preferences: str, attempts: int
) -> None:
    stage.prefer(f"{preferences}\n")
    at = next(i for i, session in enumerate(stage.script) if session["unit"] == "plan-slice/M001/S01")
    good = stage.script[at]["steps"]
    assert isinstance(good, list)
    home = f"{idea.BASE}/slices/S01"
    tasks = [idea.write(f"{home}/tasks/T{n:02d}-PLAN.md", idea.TASK) for n in range(1, 8)]
    stage.replay("plan-slice/M001/S01", [idea.write(f"{home}/S01-PLAN.md", _many(7)), *tasks], good)
    stage.auto("--max-units", "3")
    planned = [event for event in stage.events("attempt-started") if event["kind"] == "plan-slice"]
    assert len(planned) == attempts
    first, *second = stage.prompts("M001-S01")
    assert f"Cut 2 to {6 if attempts == 1 else 3} tasks" in first
    assert all("has 7 open tasks; at most 3 fit a slice" in prompt for prompt in second)


@pytest.mark.covers("command:doctor", "command:dispatch")
def test_the_doctor_names_what_a_plan_lacks_and_a_command_has_it_mended(stage: Stage) -> None:
    home = "milestones/M001/slices/S01"
    bare = idea.PLAN.replace("  - Done when: the file is there\n", "").replace(
        "  - Verify: `grep -q feed feeds.txt`\n", ""
    )
    projects.write(stage.state, {"milestones/M001/M001-ROADMAP.md": idea.ROADMAP, f"{home}/S01-PLAN.md": bare})
    stage.git("add", "-f", ".gsd")
    stage.git("commit", "-qm", "plan")
    ran = stage.gsd("doctor")
    assert "gives T01 no acceptance" in ran.said
    assert "gsd dispatch plan M001/S01" in ran.said
    stage.gsd("dispatch", "plan", "M001/S01", "--agent", stage.agent()).require(DONE)
    (prompt,) = stage.prompts("M001-S01")
    assert "There is a plan already" in prompt and "gives T01 no acceptance" in prompt
    assert "gives T01 no acceptance" not in stage.gsd("doctor").said


def test_the_doctor_knows_the_window_too(stage: Stage) -> None:
    home = "milestones/M001/slices/S01"
    projects.write(stage.state, {"milestones/M001/M001-ROADMAP.md": idea.ROADMAP, f"{home}/S01-PLAN.md": _many(5)})
    assert "open tasks" not in stage.gsd("doctor").said
    stage.prefer(SMALL)
    assert "has 5 open tasks; at most 3 fit a slice" in stage.gsd("doctor").said
