"""What a session is told of skills, and what is remembered of their use."""

import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from milepost.formats.journal import SkillUsed
from milepost.formats.preferences_layers import resolve
from milepost.testing.scripted import Step, Tool
from milepost.unit.bench import Bench
from milepost.unit.transaction import run_unit
from unit.workbench import START_MS, TASK, agent, bench_for, events, honest

DAY_S = 86_400


def skill(place: Path, name: str, *, text: str = "Do it so.", age_days: int = 1) -> Path:
    path = place / name / "SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_text(f"---\nname: {name}\ndescription: How to {name}.\n---\n{text}\n")
    changed = START_MS / 1000 - age_days * DAY_S
    os.utime(path, (changed, changed))
    return path


@pytest.fixture
def global_skills() -> Path:
    """`~/.claude/skills` of the user of the test."""
    return Path(os.environ["HOME"]) / ".claude" / "skills"


def system(project: Path, steps: list[Step] | None = None, **preferences: Any) -> str:
    """The system prompt of one attempt at the task."""
    return agent(worked(project, steps, **preferences)).sessions[-1].system


def worked(project: Path, steps: list[Step] | None = None, **preferences: Any) -> Bench:
    bench = bench_for(project, {"*": steps or honest()}, preferences=resolve(preferences))
    anyio.run(run_unit, TASK, bench)
    return bench


def test_a_project_without_skills_says_nothing_of_them(project: Path) -> None:
    assert "# Skills" not in system(project)


@pytest.mark.covers("key:skill_discovery")
@pytest.mark.parametrize(
    ("discovery", "words"),
    [("auto", "Read and follow each of these"), ("suggest", "These exist too"), ("off", "")],
)
def test_what_is_said_of_skills_that_nobody_named(
    project: Path, global_skills: Path, discovery: str, words: str
) -> None:
    path = skill(global_skills, "release")
    skill(global_skills, "review")
    said = system(project, skill_discovery=discovery, prefer_skills=["review"])
    assert "How to review." in said
    assert (f"- **release** (`{path}`): How to release." in said) is (discovery != "off")
    assert not words or words in said


@pytest.mark.covers("key:always_use_skills")
def test_the_text_of_a_skill_that_always_counts(project: Path, global_skills: Path) -> None:
    skill(global_skills, "release", text="Tag it first.")
    assert "Tag it first." in system(project, always_use_skills=["release"])


@pytest.mark.covers("key:always_use_skills")
def test_a_long_text_is_cut(project: Path, global_skills: Path) -> None:
    skill(global_skills, "release", text="Tag it. " * 10_000)
    assert len(system(project, always_use_skills=["release"])) < 30_000


@pytest.mark.covers("key:prefer_skills")
def test_preferred_skills_come_first(project: Path, global_skills: Path) -> None:
    for name in ("aaa", "review"):
        skill(global_skills, name)
    said = system(project, prefer_skills=["review"])
    assert said.index("Prefer these") < said.index("**review**") < said.index("**aaa**")


@pytest.mark.covers("key:avoid_skills")
def test_skills_to_leave_alone(project: Path, global_skills: Path) -> None:
    skill(global_skills, "release", text="Tag it first.")
    said = system(project, avoid_skills=["release"], always_use_skills=["release"])
    assert "How to release." not in said
    assert "Tag it first." not in said
    assert "Never use: release." in said


@pytest.mark.covers(
    "key:skill_rules[].when", "key:skill_rules[].use", "key:skill_rules[].prefer", "key:skill_rules[].avoid"
)
def test_skills_by_situation(project: Path, global_skills: Path) -> None:
    skill(global_skills, "release")
    rule = {"when": "a version is made", "use": ["release"], "prefer": ["notes"], "avoid": ["review"]}
    said = system(project, skill_rules=[rule], skill_discovery="off")
    assert "- When a version is made: use release; prefer notes; leave alone review." in said
    assert "How to release." in said


@pytest.mark.covers("key:skill_staleness_days")
def test_a_skill_that_was_not_used_for_long_counts_less(project: Path, global_skills: Path) -> None:
    skill(global_skills, "release", age_days=50)
    assert "How to release." in system(project)
    said = system(project, skill_staleness_days=30)
    assert "How to release." not in said
    assert "Unused for long, and perhaps out of date: release." in said
    assert "How to release." in system(project, skill_staleness_days=0)


@pytest.mark.covers("key:skill_staleness_days")
def test_reading_a_skill_is_using_it(project: Path, global_skills: Path) -> None:
    path = skill(global_skills, "release", age_days=50)
    skill(global_skills, "other", age_days=50)
    bench = worked(project, [Tool("shell", {"command": f"cat {path}"})], skill_staleness_days=30)
    assert [event.skill for event in events(bench, SkillUsed) if isinstance(event, SkillUsed)] == ["release"]
    said = system(project, skill_staleness_days=30)
    assert "How to release." in said
    assert "How to other." not in said


def test_the_project_goes_before_the_home(project: Path, global_skills: Path) -> None:
    skill(global_skills, "release")
    own = project / ".gsd" / "skills" / "release" / "SKILL.md"
    own.parent.mkdir(parents=True)
    own.write_text("# Releasing here\n\nOur way.\n")
    said = system(project, skill_discovery="auto", skill_staleness_days=0)
    assert "Releasing here" in said
    assert "How to release." not in said
