"""Which phases of the cycle take place: profiles, the `phases` keys, and replans, one for each finding."""

from pathlib import Path

import pytest

from milepost.formats import replan
from milepost.formats.preferences_layers import HAIKU, SONNET, resolve
from milepost.testing import projects
from milepost.testing.projects import Session, say, session, tool, usage
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage

HOME = ".gsd/milestones/M001"
FULL = {
    "research-milestone/M001": f"{HOME}/M001-RESEARCH.md",
    "plan-milestone/M001": f"{HOME}/M001-ROADMAP.md",
    "research-slice/M001/S01": f"{HOME}/slices/S01/S01-RESEARCH.md",
    "research-slice/M001/S02": f"{HOME}/slices/S02/S02-RESEARCH.md",
    "reassess-roadmap/M001/S01": f"{HOME}/slices/S01/S01-ASSESSMENT.md",
    "validate-milestone/M001": f"{HOME}/M001-VALIDATION.md",
}


def written(unit: str, path: str, text: str) -> Session:
    return session(unit, usage(micro_usd=1_000), tool("write", path=path, content=text), say("Done."))


def from_context(tmp_path: Path, preferences: str) -> Stage:
    """A milestone of two slices that is only described; every phase has its session ready."""
    stage = Stage(root=tmp_path / "project").make(slices=2, preferences=preferences)
    made = projects.files(slices=2)
    stage.git("rm", "-rq", f"{HOME}/slices", f"{HOME}/M001-ROADMAP.md")
    stage.git("commit", "-qm", "only described")
    texts = {
        "plan-milestone/M001": made["milestones/M001/M001-ROADMAP.md"],
        "validate-milestone/M001": "---\nverdict: pass\n---\n# V\n\nRead.\n",
    }
    stage.script += [written(unit, path, texts.get(unit, "# A document\n\nText.\n")) for unit, path in FULL.items()]
    for sid in ("S01", "S02"):
        paths = [path for path in made if f"/{sid}/" in path]
        writes = [tool("write", path=f".gsd/{path}", content=made[path]) for path in paths]
        stage.script.append(session(f"plan-slice/M001/{sid}", usage(micro_usd=1_000), *writes, say("Done.")))
    return stage


def kinds(stage: Stage) -> list[str]:
    return [f"{e['kind']}/{e['unit']}" for e in stage.events("attempt-started")]


SKIPPED = {
    "token_profile: quality": (),
    "token_profile: balanced": ("research-slice/M001/S02",),
    "": ("research-slice/M001/S02",),
    "token_profile: budget": (
        "research-milestone/M001", "research-slice/M001/S02", "reassess-roadmap/M001/S01", "validate-milestone/M001",
    ),
    "phases: {skip_research: true}": ("research-milestone/M001", "research-slice/M001/S02"),
    "phases: {skip_slice_research: false}": (),
    "phases: {skip_reassess: true}": ("research-slice/M001/S02", "reassess-roadmap/M001/S01"),
    "phases: {skip_milestone_validation: true}": ("research-slice/M001/S02", "validate-milestone/M001"),
    "phases: {reassess_after_slice: true}": ("research-slice/M001/S02",),
    "phases: {reassess_after_slice: false}": ("research-slice/M001/S02", "reassess-roadmap/M001/S01"),
    "token_profile: budget\nphases: {skip_reassess: false}": (
        "research-milestone/M001", "research-slice/M001/S02", "validate-milestone/M001",
    ),
}  # fmt: skip
"""Preferences and the units that then do not take place. S01's research is the milestone's, unless that is skipped."""


@pytest.mark.covers(
    "key:token_profile", "promise:token-profile", "key:phases.skip_research", "key:phases.skip_slice_research",
    "key:phases.skip_reassess", "key:phases.skip_milestone_validation", "key:phases.reassess_after_slice",
    "unit:plan-milestone", "unit:research-milestone", "unit:research-slice",
)  # fmt: skip
@pytest.mark.parametrize("text", list(SKIPPED), ids=[text.replace("\n", " ") or "default" for text in SKIPPED])
def test_phases_take_place_exactly_as_the_table_says(tmp_path: Path, text: str) -> None:
    stage = from_context(tmp_path, f"---\n{text}\n---\n" if text else "")
    stage.auto().require(DONE)
    stage.require_landed(before=2)
    always = {"research-slice/M001/S01"}
    expected = set(FULL) - always - set(SKIPPED[text])
    assert {unit for unit in kinds(stage) if unit in FULL} == expected


@pytest.mark.covers("promise:token-profile", "key:token_profile")
def test_profiles_name_the_models_of_the_table() -> None:
    def named(profile: str) -> dict[str, str]:
        return {phase: choice.model for phase, choice in resolve({"token_profile": profile}).models.items()}

    assert named("budget") == {
        "planning": SONNET, "execution": SONNET, "execution_simple": HAIKU, "completion": HAIKU, "subagent": HAIKU,
    }  # fmt: skip
    assert named("balanced") == {"subagent": SONNET}
    assert named("quality") == {}


def task(tid: str, *, blocker: bool) -> Session:
    unit = f"execute-task/M001/S01/{tid}"
    summary = f"---\nid: {tid}\nblocker_discovered: {str(blocker).lower()}\n---\n# {tid}: Did\n\n**Did**\n\n## What Happened\n\nx\n"
    path = f"{HOME}/slices/S01/tasks/{tid}-SUMMARY.md"
    return session(
        unit, usage(micro_usd=1_000), tool("write", path=projects.product("M001", "S01", tid), content=f"made by M001/S01/{tid}\n"),
        tool("write", path=path, content=summary), say("Done."),
    )  # fmt: skip


def replanned(text: str) -> Session:
    return written("replan-slice/M001/S01", f"{HOME}/slices/S01/S01-REPLAN.md", f"# S01 Replan\n\n{text}\n")


@pytest.mark.covers("unit:replan-slice", "promise:replan-capture")
def test_each_blocker_and_each_trigger_is_replanned_once(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make(tasks=4)
    given = [task("T01", blocker=True), task("T02", blocker=False), task("T03", blocker=True)]
    names = {entry["unit"] for entry in given}
    stage.script = [
        *given, replanned("T01 found it."), replanned("T03 found more."), replanned("The capture."),
        *(entry for entry in stage.script if entry["unit"] not in names),
    ]  # fmt: skip
    stage.auto("--until", "M001/S01/T03").require(DONE)
    stage.auto("--max-units", "1").require(DONE)
    assert [unit.rpartition("/")[2] if "execute" in unit else "replan" for unit in kinds(stage)] == [
        "T01", "replan", "T02", "T03", "replan",
    ]  # fmt: skip
    assert "T03" in stage.prompts("M001-S01")[-1]
    document = (stage.worktree / HOME / "slices/S01/S01-REPLAN.md").read_text()
    assert replan.answers(document) == ("T01", "T03")
    # A trigger that comes when there is a replan already is taken up as well, and goes when it was.
    trigger = stage.worktree / HOME / "slices/S01/S01-REPLAN-TRIGGER.md"
    trigger.write_text(
        replan.render_trigger("S01", replan.Trigger("CAP-1", "Use sqlite", "smaller", "2026-03-17T10:00:00Z"))
    )
    stage.auto().require(DONE)
    assert kinds(stage).count("replan-slice/M001/S01") == 3
    assert "S01-REPLAN-TRIGGER.md" not in stage.git("ls-tree", "-r", "--name-only", "main")
    assert "The capture." in stage.git("show", f"main:{HOME}/slices/S01/S01-REPLAN.md")


@pytest.mark.covers("unit:replan-slice")
def test_an_earlier_replan_does_not_pass_for_a_new_one(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make(tasks=3)
    lazy = session("replan-slice/M001/S01", usage(micro_usd=1_000), say("Nothing to do."))
    given = [task("T01", blocker=True), task("T02", blocker=True)]
    names = {entry["unit"] for entry in given}
    rest = (entry for entry in stage.script if entry["unit"] not in names)
    stage.script = [*given, replanned("T01 found it."), lazy, *rest]
    assert stage.auto().code in (BLOCKED, PAUSED)
    ended = [e["reason"] for e in stage.events("attempt-ended") if e["result"] == "unfinished"]
    assert ended
    assert "earlier replan" in ended[0]
