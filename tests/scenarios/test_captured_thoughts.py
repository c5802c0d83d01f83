"""Captured thoughts: sorted at a seam, and each class carried out for real, once."""

import json
from collections.abc import Sequence

import pytest

from milepost.formats import captures
from milepost.testing import projects
from scenarios.stage import DONE, PAUSED, Stage, wait_until

TASK = "execute-task/M001/S01/T01"
TRIAGE = "triage-captures/M001/S01/triage"
ANSWER = ".gsd/milestones/M001/M001-TRIAGE.json"


def note(stage: Stage, text: str) -> str:
    return stage.gsd("capture", text).require(DONE).out.split()[0]


def sorting(*decisions: tuple[str, str], fence: bool = False) -> list[projects.Step]:
    """A session that says what each capture is."""
    made = [
        {"captureId": c, "classification": k, "resolution": f"as {k}", "rationale": "why not"} for c, k in decisions
    ]
    text = f"Here:\n```json\n{json.dumps(made)}\n```\n" if fence else json.dumps(made)
    return [projects.usage(micro_usd=1_000), projects.tool("write", path=ANSWER, content=text), projects.say("Done.")]


def kept(stage: Stage) -> dict[str, captures.Capture]:
    return {entry.id: entry for entry in captures.parse((stage.state / "CAPTURES.md").read_text())}


def ran(stage: Stage) -> list[str]:
    return [f"{e['kind']}/{e['unit']}" for e in stage.events("attempt-started")]


def play(stage: Stage, unit: str, *steps: Sequence[projects.Step]) -> None:
    stage.script += [projects.session(unit, *one) for one in steps]


@pytest.mark.covers("unit:triage-captures", "capture:note", "command:capture")
@pytest.mark.spec(id="PR-244")
@pytest.mark.parametrize("fence", [False, True], ids=["bare", "fenced"])
def test_a_note_is_sorted_between_units_and_kept(stage: Stage, fence: bool) -> None:
    stage.make()
    capture = note(stage, "the sea is blue")
    play(stage, TRIAGE, sorting((capture, "note"), fence=fence))
    stage.auto().require(DONE)
    entry = kept(stage)[capture]
    assert (entry.status, entry.classification, entry.resolution, entry.executed) == (
        "resolved",
        "note",
        "as note",
        False,
    )
    assert ran(stage) == [TRIAGE, TASK, "complete-slice/M001/S01", "complete-milestone/M001"]
    [prompt] = stage.prompts("M001-S01-triage")
    assert "the sea is blue" in prompt
    assert f"`{stage.state}/CAPTURES.md`" in prompt
    assert "TRIAGE.json" not in stage.git("ls-tree", "-r", "--name-only", "main")
    stage.require_landed(before=2)


@pytest.mark.covers("capture:inject")
def test_an_injected_task_is_planned_and_done(stage: Stage) -> None:
    stage.make()
    capture = note(stage, "say who made it")
    play(stage, TRIAGE, sorting((capture, "inject")))
    added = "execute-task/M001/S01/T02"
    summary = ".gsd/milestones/M001/slices/S01/tasks/T02-SUMMARY.md"
    play(stage, added, [projects.usage(micro_usd=1_000), projects.tool("write", path="work/who.txt", content="me\n"),
                        projects.tool("write", path=summary, content="---\nid: T02\n---\n# T02: Said\n\n**Said it**\n")])  # fmt: skip
    stage.prefer(projects.QUICK.replace("phases:", "verification_commands: ['true']\nphases:"))
    stage.auto().require(DONE)
    assert ran(stage) == [TRIAGE, TASK, added, "complete-slice/M001/S01", "complete-milestone/M001"]
    plan = stage.path("slices/S01/S01-PLAN.md").read_text()
    assert "- [x] **T02: say who made it** `est:30m`" in plan
    assert capture in plan
    assert "say who made it" in stage.path("slices/S01/tasks/T02-PLAN.md").read_text()
    assert kept(stage)[capture].executed
    assert "say who made it" in stage.prompts("M001-S01-T02")[0]
    stage.require_landed(before=3)


@pytest.mark.covers("capture:quick-task", "unit:quick-task")
def test_a_quick_task_is_a_session_and_a_commit_of_its_own(stage: Stage) -> None:
    stage.make()
    capture = note(stage, "fix the typo in README")
    play(stage, TRIAGE, sorting((capture, "quick-task")))
    quick = f"quick-task/M001/{capture}"
    play(
        stage, quick, [projects.usage(micro_usd=1_000), projects.tool("write", path="README.md", content="# Mended\n")]
    )
    stage.auto().require(DONE)
    assert ran(stage) == [TRIAGE, quick, TASK, "complete-slice/M001/S01", "complete-milestone/M001"]
    assert stage.git("show", "main:README.md") == "# Mended\n"
    assert kept(stage)[capture].executed
    assert "fix the typo in README" in stage.prompts(f"M001-{capture}")[0]


@pytest.mark.covers("capture:defer", "key:phases.skip_reassess")
def test_a_deferred_thought_is_shown_to_the_next_reassessment(stage: Stage) -> None:
    stage.make(slices=2, preferences=projects.QUICK.replace("skip_reassess: true", "skip_reassess: false"))
    capture = note(stage, "think of colours later")
    play(stage, TRIAGE, sorting((capture, "defer")))
    assessment = ".gsd/milestones/M001/slices/S01/S01-ASSESSMENT.md"
    play(
        stage,
        "reassess-roadmap/M001/S01",
        [projects.usage(micro_usd=1_000), projects.tool("write", path=assessment, content="no change\n")],
    )
    stage.auto().require(DONE)
    assert "think of colours later" in stage.prompts("M001-S01")[1]
    assert kept(stage)[capture].executed
    assert ran(stage).count(TRIAGE) == 1


@pytest.mark.covers("capture:replan", "promise:replan-capture")
def test_a_replan_has_the_slice_planned_again(stage: Stage) -> None:
    stage.make(tasks=2)
    capture = note(stage, "the second file is not wanted")
    play(stage, TRIAGE, sorting((capture, "replan")))
    replan = ".gsd/milestones/M001/slices/S01/S01-REPLAN.md"
    plan = ".gsd/milestones/M001/slices/S01/S01-PLAN.md"
    gone = "\n".join(stage.path("slices/S01/S01-PLAN.md").read_text().split("\n")[:10]) + "\n"
    play(
        stage,
        "replan-slice/M001/S01",
        [
            projects.usage(micro_usd=1_000),
            projects.tool("write", path=replan, content="# Replan\n\nOne is enough.\n"),
            projects.tool("write", path=plan, content=gone),
        ],
    )
    stage.auto().require(DONE)
    assert ran(stage) == [TRIAGE, "replan-slice/M001/S01", TASK, "complete-slice/M001/S01", "complete-milestone/M001"]
    assert "the second file is not wanted" in stage.prompts("M001-S01")[0]
    assert kept(stage)[capture].executed
    assert not stage.path("slices/S01/S01-REPLAN-TRIGGER.md").exists()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        pytest.param("stop", "asks to stop: talk to me first", marks=pytest.mark.covers("capture:stop")),
        pytest.param("backtrack", "asks to go back: talk to me first", marks=pytest.mark.covers("capture:backtrack")),
    ],
    ids=["stop", "backtrack"],
)
def test_a_stop_ends_the_run_once(stage: Stage, kind: str, says: str) -> None:
    stage.make()
    capture = note(stage, "talk to me first")
    play(stage, TRIAGE, sorting((capture, kind)))
    paused = stage.auto().require(PAUSED)
    assert f"{capture} {says}" in paused.said
    assert ran(stage) == [TRIAGE]
    stage.auto().require(DONE)
    assert kept(stage)[capture].executed
    stage.require_landed(before=2)


@pytest.mark.covers("unit:triage-captures")
def test_what_cannot_be_sorted_stays_pending_and_stops_nothing(stage: Stage) -> None:
    stage.make()
    capture = note(stage, "riddle")
    play(stage, TRIAGE, [projects.usage(micro_usd=1_000), projects.tool("write", path=ANSWER, content="no idea")])
    done = stage.auto().require(DONE)
    assert kept(stage)[capture].status == "pending"
    assert ran(stage).count(TRIAGE) == 3
    assert done.said.count("is left for a person") == 1
    stage.require_landed(before=2)


@pytest.mark.covers("command:triage")
def test_triage_sorts_now_and_does_nothing_else(stage: Stage) -> None:
    stage.make()
    capture = note(stage, "another file")
    shown = stage.gsd("triage", "--dry-run").require(DONE)
    assert f"{capture}  another file" in shown.out
    assert stage.attempts() == 0
    play(stage, TRIAGE, sorting((capture, "inject")))
    stage.gsd("triage", "--agent", stage.agent()).require(DONE)
    assert ran(stage) == [TRIAGE]
    assert "- [ ] **T02: another file**" in stage.path("slices/S01/S01-PLAN.md", where=stage.worktree).read_text()
    assert stage.gsd("triage", "--agent", stage.agent()).require(DONE).said.count("no capture waits") == 1
    assert ran(stage) == [TRIAGE]


@pytest.mark.covers("command:next")
def test_a_step_leaves_captures_alone(stage: Stage) -> None:
    stage.make()
    note(stage, "later")
    stage.gsd("next", "--agent", stage.agent()).require(DONE)
    assert ran(stage) == [TASK]


@pytest.mark.covers("capture:inject")
def test_a_task_is_not_added_twice_when_its_end_was_not_written_down(stage: Stage) -> None:
    """As after a crash between the commit of the plan and the mark in CAPTURES.md."""
    stage.make()
    capture = note(stage, "another file")
    play(stage, TRIAGE, sorting((capture, "inject")))
    for _ in range(2):
        stage.gsd("triage", "--agent", stage.agent()).require(DONE)
        text = (stage.state / "CAPTURES.md").read_text()
        assert "**Executed:**" in text
        (stage.state / "CAPTURES.md").write_text(
            "\n".join(line for line in text.split("\n") if not line.startswith("**Executed:**"))
        )
    plan = stage.path("slices/S01/S01-PLAN.md", where=stage.worktree).read_text()
    assert plan.count(capture) == 1
    assert "T03" not in plan


@pytest.mark.covers("unit:quick-task")
def test_a_quick_task_that_was_cut_off_is_done_once(stage: Stage) -> None:
    stage.make()
    capture = note(stage, "fix the typo in README")
    quick = f"quick-task/M001/{capture}"
    play(stage, TRIAGE, sorting((capture, "quick-task")))
    stage.script.append(projects.session(quick, projects.usage(micro_usd=1_000), projects.hang()))
    run = stage.start()
    wait_until(lambda: stage.attempts(f"M001/{capture}") == 1, seconds=60)
    run.kill()
    run.communicate()
    assert not kept(stage)[capture].executed
    stage.script = projects.sessions()
    play(
        stage, quick, [projects.usage(micro_usd=1_000), projects.tool("write", path="README.md", content="# Mended\n")]
    )
    stage.auto().require(DONE)
    assert ran(stage).count(quick) == 2
    assert kept(stage)[capture].executed
    subjects = stage.git("log", "--all", "--format=%s").splitlines()
    assert subjects.count("fix(M001): fix the typo in README") == 1
    stage.require_landed(before=2)
