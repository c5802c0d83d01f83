"""What follows a verdict, in real runs: remedies, a person's word, rounds that end."""

from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import Session, say, session, steps, tool, usage
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage

HOME = ".gsd/milestones/M001"
TESTED = projects.QUICK.replace("---\n", "---\nuat_dispatch: true\n", 1)
VALIDATED = projects.QUICK.replace("skip_milestone_validation: true", "skip_milestone_validation: false")


def completed(sid: str, mode: str = "artifact-driven") -> Session:
    script = f"# {sid} UAT\n\n## UAT Type\n\n- UAT mode: {mode}\n\n1. Look at `work/`\n"
    unit = f"complete-slice/M001/{sid}"
    return session(unit, *steps(unit), tool("write", path=f"{HOME}/slices/{sid}/{sid}-UAT.md", content=script))


def uat_said(sid: str, verdict: str) -> Session:
    text = f"---\nsliceId: {sid}\nuatType: artifact-driven\nverdict: {verdict}\n---\n# UAT result\n\nStep 1: the colour is wrong.\n"
    path = f"{HOME}/slices/{sid}/{sid}-UAT-RESULT.md"
    return session(f"run-uat/M001/{sid}", usage(micro_usd=1_000), tool("write", path=path, content=text), say("Done."))


def validated(verdict: str, *more: projects.Step) -> Session:
    text = f"---\nverdict: {verdict}\nremediation_round: 0\n---\n# Validation\n\nRead all of it.\n"
    path = f"{HOME}/M001-VALIDATION.md"
    written = tool("write", path=path, content=text)
    return session("validate-milestone/M001", usage(micro_usd=1_000), *more, written, say("Done."))


def remedied(sid: str) -> list[Session]:
    return [session(unit, *steps(unit)) for unit in (f"execute-task/M001/{sid}/T01", f"complete-slice/M001/{sid}")]


def stage_with(tmp_path: Path, *sessions: Session, preferences: str = TESTED, slices: int = 1) -> Stage:
    """The honest script, where these sessions take the place of their units' own."""
    made = Stage(root=tmp_path / "project").make(slices=slices, preferences=preferences)
    given = {entry["unit"] for entry in sessions}
    made.script = [*sessions, *(entry for entry in made.script if entry["unit"] not in given)]
    return made


def started(stage: Stage) -> list[str]:
    return [f"{e['kind']}/{e['unit']}" for e in stage.events("attempt-started")]


@pytest.mark.covers("key:uat_dispatch", "unit:run-uat")
@pytest.mark.parametrize("verdict", ["FAIL", "PARTIAL"])
def test_a_failed_test_is_mended_and_carried_out_again_also_for_the_last_slice(tmp_path: Path, verdict: str) -> None:
    stage = stage_with(tmp_path, uat_said("S01", verdict), uat_said("S01", "PASS"), *remedied("S02"))
    stage.auto().require(DONE)
    assert started(stage) == [
        "execute-task/M001/S01/T01", "complete-slice/M001/S01", "run-uat/M001/S01",
        "execute-task/M001/S02/T01", "complete-slice/M001/S02", "run-uat/M001/S01", "complete-milestone/M001",
    ]  # fmt: skip
    assert "the colour is wrong" in stage.prompts("M001-S02-T01")[0]
    roadmap = stage.git("show", f"main:{HOME}/M001-ROADMAP.md")
    assert "- [x] **S02: Mend what the acceptance test of S01 found** `risk:medium` `depends:[S01]`" in roadmap
    assert "verdict: PASS" in stage.git("show", f"main:{HOME}/slices/S01/S01-UAT-RESULT.md")


@pytest.mark.covers("key:uat_dispatch")
def test_without_the_key_nobody_tests(tmp_path: Path) -> None:
    stage = stage_with(tmp_path, preferences=projects.QUICK)
    stage.auto().require(DONE)
    assert not [unit for unit in started(stage) if unit.startswith("run-uat")]


@pytest.mark.covers("command:verdict")
def test_remedies_end_after_three_rounds_and_a_person_can_close_it(tmp_path: Path) -> None:
    mends = [one for sid in ("S02", "S03", "S04") for one in remedied(sid)]
    stage = stage_with(tmp_path, uat_said("S01", "FAIL"), *mends)
    ran = stage.auto().require(BLOCKED)
    assert "The acceptance test of M001/S01 ended fail after 3 remedies." in ran.said
    assert "gsd verdict M001/S01 pass" in ran.said
    assert stage.attempts("M001/S01") == 1 + 4  # complete-slice, and the test four times
    before = stage.attempts()
    stage.auto().require(BLOCKED)
    assert stage.attempts() == before
    stage.gsd("verdict", "M001/S01", "pass", "--note", "Good enough for now.").require(DONE)
    stage.auto().require(DONE)
    result = stage.git("show", f"main:{HOME}/slices/S01/S01-UAT-RESULT.md")
    assert "verdict: PASS" in result
    assert "> Good enough for now." in result
    assert [(e["unit"], e["verdict"]) for e in stage.events("verdict-given")] == [("M001/S01", "pass")]


@pytest.mark.covers("promise:uat-pause", "command:verdict")
@pytest.mark.parametrize(
    ("mode", "verdict"),
    [
        ("human-experience", "surfaced-for-human-review"),
        ("mixed", "PASS"),
        ("live-runtime", "PARTIAL"),
        ("artifact-driven", "surfaced-for-human-review"),
    ],
)
def test_what_a_person_must_judge_pauses_with_no_session_running(tmp_path: Path, mode: str, verdict: str) -> None:
    stage = stage_with(tmp_path, completed("S01", mode), uat_said("S01", verdict), slices=2)
    ran = stage.auto().require(PAUSED)
    assert "gsd verdict M001/S01 pass" in ran.said
    assert started(stage)[-1] == "run-uat/M001/S01"
    assert len(stage.events("attempt-ended")) == len(started(stage))
    assert not (stage.state / "auto.lock").exists()
    stage.auto().require(PAUSED)  # Asking again costs nothing.
    assert started(stage)[-1] == "run-uat/M001/S01"
    stage.gsd("verdict", "S01", "pass").require(DONE)
    stage.script.append(uat_said("S02", "PASS"))
    stage.auto().require(DONE)


@pytest.mark.covers("command:verdict")
def test_a_person_who_says_fail_gets_a_remedy_made_of_the_note(tmp_path: Path) -> None:
    again = uat_said("S01", "PASS")
    stage = stage_with(
        tmp_path,
        completed("S01", "human-experience"),
        uat_said("S01", "surfaced-for-human-review"),
        again,
        *remedied("S02"),
    )
    stage.auto().require(PAUSED)
    stage.gsd("verdict", "M001/S01", "fail", "--note", "The button is green, I want it red.").require(DONE)
    stage.auto().require(PAUSED)
    assert "> > The button is green, I want it red." in stage.prompts("M001-S02-T01")[0]
    assert started(stage)[-1] == "run-uat/M001/S01"
    stage.gsd("verdict", "M001/S01", "pass").require(DONE)
    stage.auto().require(DONE)


@pytest.mark.covers("command:verdict")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("M001/S02", "pass"), "is not finished"),
        (("M001/S01", "needs-attention"), "is not 'needs-attention'"),
        (("M001", "fail"), "is not 'fail'"),
        (("M001/S01/T01", "pass"), "is not 'pass'"),
        (("/", "pass"), "names nothing"),
    ],
)
def test_a_verdict_that_does_not_fit_is_refused(tmp_path: Path, words: tuple[str, str], says: str) -> None:
    stage = stage_with(tmp_path, preferences=projects.QUICK, slices=2)
    stage.auto("--max-units", "2").require(DONE)
    assert says in stage.gsd("verdict", *words).said
    assert not stage.events("verdict-given")


@pytest.mark.covers("unit:validate-milestone")
def test_remediation_slices_are_worked_and_the_milestone_is_validated_again(tmp_path: Path) -> None:
    more = tool(
        "edit",
        path=f"{HOME}/M001-ROADMAP.md",
        old="## Slices\n",
        new="## Slices\n\n- [ ] **S02: More** `risk:low` `depends:[]`\n",
    )
    plan = session("plan-slice/M001/S02", *planned("S02"))
    stage = stage_with(
        tmp_path, validated("needs-remediation", more), validated("pass"), plan, *remedied("S02"), preferences=VALIDATED
    )
    stage.auto().require(DONE)
    assert started(stage).count("validate-milestone/M001") == 2
    assert "verdict: needs-remediation" in stage.git("show", f"main:{HOME}/M001-VALIDATION-R1.md")


def planned(sid: str) -> list[projects.Step]:
    made = projects.files(slices=9)
    base = f"milestones/M001/slices/{sid}"
    paths = (f"{base}/{sid}-PLAN.md", f"{base}/tasks/T01-PLAN.md")
    return [tool("write", path=f".gsd/{path}", content=made[path]) for path in paths]


@pytest.mark.covers("command:verdict", "unit:validate-milestone")
@pytest.mark.parametrize("word", ["pass", "needs-attention"])
def test_remediation_without_slices_blocks_until_a_person_decides(tmp_path: Path, word: str) -> None:
    stage = stage_with(tmp_path, validated("needs-remediation"), preferences=VALIDATED)
    ran = stage.auto().require(BLOCKED)
    assert "gsd verdict M001 pass" in ran.said
    stage.gsd("verdict", "M001", word, "--note", "It will do.").require(DONE)
    stage.auto().require(DONE)
    assert f"verdict: {word}" in stage.git("show", f"main:{HOME}/M001-VALIDATION.md")
    assert started(stage).count("validate-milestone/M001") == 1
