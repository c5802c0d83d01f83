"""Hooks: sessions after a unit, and changes to a unit before it starts, end to end."""

import json
import textwrap

import pytest

from milepost.testing import projects
from scenarios.stage import DONE, Stage, finish, wait_until

TASK = "execute-task/M001/S01/T01"
REVIEW = "hook/review/M001/S01/T01"
REST = ["complete-slice/M001/S01", "complete-milestone/M001"]
TASKS = ".gsd/milestones/M001/slices/S01/tasks"


def hooked(stage: Stage, key: str, *hooks: str, **shape: object) -> Stage:
    """The small project with hooks, each given as the YAML of its fields."""
    entries = "".join("  - " + textwrap.indent(textwrap.dedent(hook).strip(), "    ")[4:] + "\n" for hook in hooks)
    return stage.make(preferences=projects.QUICK.replace("phases:", f"{key}:\n{entries}phases:"), **shape)


def play(stage: Stage, unit: str, *sessions: list[projects.Step]) -> None:
    stage.script = [s for s in stage.script if s["unit"] != unit]
    stage.script += [projects.session(unit, projects.usage(micro_usd=1_000), *steps) for steps in sessions]


def write(path: str, text: str) -> projects.Step:
    return projects.tool("write", path=path, content=text)


def ran(stage: Stage) -> list[str]:
    return [f"{e['kind']}/{e['unit']}" for e in stage.events("attempt-started")]


@pytest.mark.covers(
    "unit:hook",
    "hook:post",
    "key:post_unit_hooks[].name",
    "key:post_unit_hooks[].after",
    "key:post_unit_hooks[].prompt",
    "key:post_unit_hooks[].enabled",
)
def test_hooks_run_after_their_unit_in_order(stage: Stage) -> None:
    hooked(
        stage,
        "post_unit_hooks",
        "name: review\nafter: [execute-task]\nprompt: Look at {taskId} of {milestoneId}/{sliceId}",
        "name: off\nafter: [execute-task]\nprompt: x\nenabled: false",
        "name: polish\nafter: [execute-task, complete-slice]\nprompt: Polish {sliceId}",
    )
    play(stage, "hook", [write("work/seen.txt", "seen\n"), projects.say("Fine.")])
    stage.auto().require(DONE)
    polish = "hook/polish/M001/S01"
    assert ran(stage) == [TASK, REVIEW, f"{polish}/T01", REST[0], polish, REST[1]]
    assert "Look at T01 of M001/S01" in stage.prompts("M001-S01-T01")[1]
    assert json.loads((stage.state / "hook-state.json").read_text())["cycleCounts"] == {
        "review/execute-task/M001/S01/T01": 1,
        "polish/execute-task/M001/S01/T01": 1,
        "polish/complete-slice/M001/S01": 1,
    }
    stage.require_landed()


@pytest.mark.covers("hook:artifact", "key:post_unit_hooks[].artifact")
def test_a_hook_whose_file_is_there_does_not_run(stage: Stage) -> None:
    hooked(
        stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x\nartifact: REVIEW.md\nmax_cycles: 3"
    )
    summary = projects.steps(TASK)
    play(stage, TASK, [*summary[1:], write(f"{TASKS}/T01-REVIEW.md", "there\n")])
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, *REST]


@pytest.mark.covers("hook:artifact", "key:post_unit_hooks[].artifact")
def test_a_hook_is_told_where_its_file_goes(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x\nartifact: REVIEW.md")
    play(stage, "hook", [write(f"{TASKS}/T01-REVIEW.md", "fine\n")])
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, REVIEW, *REST]
    assert f"`{TASKS}/T01-REVIEW.md`" in stage.prompts("M001-S01-T01")[1]
    assert stage.git("show", f"main:{TASKS}/T01-REVIEW.md") == "fine\n"


@pytest.mark.covers("hook:artifact", "key:post_unit_hooks[].artifact")
def test_a_hook_is_not_done_without_the_file_it_was_to_write(stage: Stage) -> None:
    """The word of an agent is no evidence. One that never writes it is left to a person, and work goes on."""
    hook = "name: {}\nafter: [execute-task]\nprompt: x\nartifact: {}.md"
    hooked(stage, "post_unit_hooks", hook.format("review", "REVIEW"), hook.format("idle", "IDLE"))
    said, wrote = [projects.say("Reviewed.")], [write(f"{TASKS}/T01-REVIEW.md", "fine\n")]
    play(stage, "hook/review", said, wrote)
    play(stage, "hook/idle", said, said, said, said)
    out = stage.auto().require(DONE).out
    assert ran(stage) == [TASK, REVIEW, REVIEW, *["hook/idle/M001/S01/T01"] * 3, *REST]
    assert stage.git("show", f"main:{TASKS}/T01-REVIEW.md") == "fine\n"
    ends = [str(e["reason"]).splitlines()[0] for e in stage.events("attempt-ended") if e["result"] == "unfinished"]
    assert ends == [f"{TASKS}/T01-REVIEW.md: is missing", *[f"{TASKS}/T01-IDLE.md: is missing"] * 3]
    assert "hook/idle M001/S01/T01 is left for a person" in out
    stage.require_landed()


@pytest.mark.covers(
    "hook:retry_on", "hook:max_cycles", "key:post_unit_hooks[].retry_on", "key:post_unit_hooks[].max_cycles"
)
def test_a_unit_is_done_again_as_often_as_there_are_cycles(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x\nretry_on: REDO.md\nmax_cycles: 4")
    play(stage, "hook", [write(f"{TASKS}/T01-REDO.md", "the colour is wrong\n")])
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, REVIEW, TASK, REVIEW, TASK, REVIEW, TASK, REVIEW, *REST]
    again = stage.prompts("M001-S01-T01")[2]
    assert "the colour is wrong" in again
    assert "# Once more" in again
    assert "# Once more" not in stage.prompts("M001-S01-T01")[0]
    stage.require_landed()


@pytest.mark.covers("hook:retry_on")
def test_without_the_file_nothing_is_done_again(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x\nretry_on: REDO.md\nmax_cycles: 4")
    play(stage, "hook", [write(f"{TASKS}/T01-REDO.md", "once\n")], [projects.say("Good.")])
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, REVIEW, TASK, REVIEW, *REST]


@pytest.mark.covers(
    "hook:model", "key:post_unit_hooks[].model", "key:post_unit_hooks[].agent", "key:pre_dispatch_hooks[].model"
)
def test_model_and_agent_of_a_hook(stage: Stage) -> None:
    hooked(
        stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x\nmodel: some/reviewer\nagent: critic"
    )
    before = (
        "pre_dispatch_hooks:\n  - {name: big, before: [complete-slice], action: modify, model: some/thinker}\nphases:"
    )
    (stage.state / "agents").mkdir()
    (stage.state / "agents/critic.md").write_text("---\nname: critic\n---\nYou are hard to please.\n")
    stage.prefer((stage.state / "PREFERENCES.md").read_text().replace("phases:", before))
    play(stage, "hook", [projects.say("Fine.")])
    stage.auto().require(DONE)
    models = {str(e["kind"]): e.get("model") for e in stage.events("attempt-started")}
    assert models["hook/review"] == "some/reviewer"
    assert models["complete-slice"] == "some/thinker"
    assert stage.prompts("M001-S01-T01")[1].startswith("You are hard to please.")


@pytest.mark.covers("unit:hook")
def test_a_hook_that_was_cut_off_runs_again_and_only_then_work_goes_on(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x")
    play(stage, "hook", [projects.hang()])
    run = stage.start()
    wait_until(lambda: ran(stage) == [TASK, REVIEW], seconds=60)
    run.kill()
    run.communicate()
    play(stage, "hook", [projects.say("Fine.")])
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, REVIEW, REVIEW, *REST]
    stage.require_landed()


@pytest.mark.covers("unit:hook")
def test_a_hook_that_never_finishes_is_passed_over(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x")
    play(stage, "hook", [write("work/half.txt", "half\n"), projects.hang()])
    for number in (1, 2, 3):
        run = stage.start()
        wait_until(lambda number=number: ran(stage).count(REVIEW) == number, seconds=60)
        run.kill()
        run.communicate()
    done = stage.auto().require(DONE)
    assert ran(stage) == [TASK, REVIEW, REVIEW, REVIEW, *REST]
    assert done.said.count("is left for a person") == 1
    assert "half.txt" not in stage.git("ls-tree", "-r", "--name-only", "main")
    stage.require_landed()


@pytest.mark.covers("command:next")
def test_hooks_wait_in_step_mode(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x")
    stage.gsd("next", "--agent", stage.agent()).require(DONE)
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, *REST]


@pytest.mark.covers(
    "hook:modify",
    "key:pre_dispatch_hooks[].name",
    "key:pre_dispatch_hooks[].before",
    "key:pre_dispatch_hooks[].action",
    "key:pre_dispatch_hooks[].prepend",
    "key:pre_dispatch_hooks[].append",
    "key:pre_dispatch_hooks[].enabled",
)
def test_a_prompt_is_changed(stage: Stage) -> None:
    hooked(
        stage,
        "pre_dispatch_hooks",
        "name: a\nbefore: [execute-task]\naction: modify\nprepend: First {taskId}.\nappend: Last.",
        "name: b\nbefore: [execute-task]\naction: modify\nprepend: Then.\nappend: Really last.",
        "name: c\nbefore: [execute-task]\naction: modify\nprepend: Never.\nenabled: false",
    )
    stage.auto().require(DONE)
    prompt = stage.prompts("M001-S01-T01")[0]
    assert prompt.startswith("First T01.\n\nThen.")
    assert prompt.endswith("Last.\n\nReally last.")
    assert "Never." not in prompt
    assert "First" not in stage.prompts("M001-S01")[0]


@pytest.mark.covers("hook:skip", "key:pre_dispatch_hooks[].skip_if")
def test_a_skipped_task_lets_the_plan_go_on(stage: Stage) -> None:
    hooked(stage, "pre_dispatch_hooks", "name: lazy\nbefore: [execute-task]\naction: skip\nskip_if: SKIP.md", tasks=2)
    (stage.root / TASKS / "T02-SKIP.md").write_text("not needed\n")
    stage.git("add", "-A")
    stage.git("commit", "-qm", "skip")
    stage.auto().require(DONE)
    assert ran(stage) == [TASK, *REST]
    assert "- [x] **T02: Write T02**" in stage.path("slices/S01/S01-PLAN.md").read_text()
    assert "status: skipped" in stage.path("slices/S01/tasks/T02-SUMMARY.md").read_text()
    [event] = stage.events("hook-fired")
    assert (event["action"], event["unit"]) == ("skip", "execute-task/M001/S01/T02")


@pytest.mark.covers("hook:skip")
@pytest.mark.parametrize("kind", ["complete-slice", "complete-milestone"])
def test_other_units_may_be_skipped_too(stage: Stage, kind: str) -> None:
    hooked(stage, "pre_dispatch_hooks", f"name: lazy\nbefore: [{kind}]\naction: skip")
    stage.auto().require(DONE)
    assert [unit.split("/")[0] for unit in ran(stage)] == [
        k for k in ("execute-task", "complete-slice", "complete-milestone") if k != kind
    ]
    stage.require_landed()


@pytest.mark.covers("hook:replace", "key:pre_dispatch_hooks[].prompt")
def test_a_prompt_is_replaced_and_the_unit_owes_the_same(stage: Stage) -> None:
    hooked(
        stage, "pre_dispatch_hooks", "name: own\nbefore: [execute-task]\naction: replace\nprompt: Do {taskId} my way."
    )
    stage.auto().require(DONE)
    prompt = stage.prompts("M001-S01-T01")[0]
    assert "Do T01 my way." in prompt
    assert f"- `{TASKS}/T01-SUMMARY.md`" in prompt
    assert "Inlined context" not in prompt
    assert ran(stage) == [TASK, *REST]


@pytest.mark.covers("hook:replace", "key:pre_dispatch_hooks[].unit_type")
def test_a_unit_of_another_type_comes_first_and_once(stage: Stage) -> None:
    hooked(
        stage,
        "pre_dispatch_hooks",
        "name: look\nbefore: [execute-task]\naction: replace\nprompt: Look around {sliceId}.\nunit_type: research-slice",
    )
    research = ".gsd/milestones/M001/slices/S01/S01-RESEARCH.md"
    play(stage, "research-slice/M001/S01", [write(research, "# Research\n\nSeen.\n")])
    stage.auto().require(DONE)
    assert ran(stage) == ["research-slice/M001/S01", TASK, *REST]
    assert "Look around S01." in stage.prompts("M001-S01")[0]


@pytest.mark.covers("command:hooks")
def test_hooks_are_listed(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [execute-task]\nprompt: x\nretry_on: REDO.md\nmax_cycles: 2")
    play(stage, "hook", [projects.say("Fine.")])
    stage.auto().require(DONE)
    listed = stage.gsd("hooks").require(DONE).out
    assert listed == "review  after execute-task  (at most 2 runs a unit; ran 1 time; again on REDO.md)\n"


@pytest.mark.covers("command:run-hook")
def test_a_hook_is_run_by_hand(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [run-uat]\nprompt: Look at {taskId}")
    play(stage, "hook", [projects.say("Fine.")])
    stage.gsd("next", "--agent", stage.agent()).require(DONE)
    stage.gsd("run-hook", "review", "execute-task", "M001/S01/T01", "--agent", stage.agent()).require(DONE)
    assert ran(stage) == [TASK, REVIEW]
    assert stage.gsd("run-hook", "nobody", "execute-task", "M001/S01/T01").code == 1
    assert stage.gsd("run-hook", "review", "nothing", "M001/S01/T01").code == 1
    assert ran(stage) == [TASK, REVIEW]


@pytest.mark.covers("command:run-hook")
def test_a_running_auto_mode_takes_the_wish_up(stage: Stage) -> None:
    hooked(stage, "post_unit_hooks", "name: review\nafter: [run-uat]\nprompt: Look at {taskId}")
    play(stage, "hook", [projects.say("Fine.")])
    play(stage, TASK, [{"sleep": 2.0}, *projects.steps(TASK)[1:]])
    run = stage.start()
    wait_until(lambda: stage.attempts("M001/S01/T01") == 1, seconds=60)
    said = stage.gsd("run-hook", "review", "execute-task", "M001/S01/T01").require(DONE)
    assert "when its unit has ended" in said.out
    finish(run, seconds=60).require(DONE)
    assert ran(stage) == [TASK, REVIEW, *REST]
