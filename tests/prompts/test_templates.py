"""The template files: one per unit kind, small, and their forms readable by our own readers."""

from importlib.resources import files

import pytest

from milepost.formats import plan, roadmap, summary, validation
from milepost.model.units import UnitKind
from milepost.prompts.blanks import fill
from milepost.prompts.brief import Desk, Workplace
from milepost.prompts.manifest import MANIFEST, Level, Source, items
from milepost.prompts.names import names
from milepost.prompts.texts import NoTemplate, template
from milepost.testing.trees import DictTree
from prompts.feeds import EXTRAS, FILES, unit_of

TEMPLATES = files("milepost.prompts") / "templates"


def _stems(folder: str) -> set[str]:
    entries = (TEMPLATES / folder).iterdir() if folder else TEMPLATES.iterdir()
    return {entry.name.removesuffix(".md") for entry in entries if entry.name.endswith(".md")}


def _filled(form: str, kind: UnitKind) -> str:
    place = Workplace(cwd="/project", branch="b", state_dir=".gsd")
    desk = Desk(unit=unit_of(kind), tree=DictTree(FILES), workplace=place, level=Level.FULL, gate=(), extras=EXTRAS)
    return fill(f"documents/{form}", names(desk))


def test_one_template_and_one_manifest_row_per_kind() -> None:
    kinds = {str(kind) for kind in UnitKind}
    assert _stems("") == kinds
    assert {str(kind) for kind in MANIFEST} == kinds


def test_every_form_is_used_and_exists() -> None:
    used = {item.source for row in MANIFEST.values() for item in row if "/" in item.source}
    assert {f"documents/{stem}" for stem in _stems("documents")} == used
    assert {source for source in Source if "/" in source} == used


def test_every_source_is_used() -> None:
    assert {item.source for row in MANIFEST.values() for item in row} == set(Source)


def test_missing_template_is_an_error() -> None:
    with pytest.raises(NoTemplate):
        template("no-such-unit")


def test_system_prompt_is_small() -> None:
    assert len(template("blocks/system").encode()) <= 3_500


@pytest.mark.parametrize("kind", UnitKind)
def test_unit_template_is_small(kind: UnitKind) -> None:
    text = template(kind)
    assert len(text.encode()) <= 3_000
    assert [text.count(part) for part in ("{{where}}", "{{inlined}}", "\n# Owed\n")] == [1, 1, 1]


@pytest.mark.parametrize("form", sorted(_stems("documents")))
def test_form_is_small(form: str) -> None:
    assert len(template(f"documents/{form}").encode()) <= 1_500


@pytest.mark.parametrize("kind", UnitKind)
def test_more_at_higher_levels(kind: UnitKind) -> None:
    minimal, standard, full = (items(kind, level) for level in Level)
    assert set(minimal) <= set(standard) <= set(full)


def test_roadmap_form_reads_as_a_roadmap() -> None:
    slices = roadmap.slices(_filled("roadmap", UnitKind.PLAN_MILESTONE))
    assert [(entry.id, entry.risk, entry.depends, entry.done) for entry in slices] == [
        ("S01", "high", (), False),
        ("S02", "low", ("S01",), False),
    ]
    assert all(entry.demo for entry in slices)


def test_plan_form_reads_as_a_plan() -> None:
    told = plan.parse(_filled("plan", UnitKind.PLAN_SLICE))
    assert told.goal
    assert told.demo
    assert told.files_likely_touched
    assert [(task.id, task.done, task.estimate, task.verify) for task in told.tasks] == [
        ("T01", False, "30m", "<command> && <command>")
    ]


@pytest.mark.parametrize(
    ("form", "kind", "entity"),
    [
        ("task-summary", UnitKind.EXECUTE_TASK, "T03"),
        ("slice-summary", UnitKind.COMPLETE_SLICE, "S02"),
        ("milestone-summary", UnitKind.COMPLETE_MILESTONE, "M002"),
    ],
)
def test_summary_forms_read_as_summaries(form: str, kind: UnitKind, entity: str) -> None:
    told = summary.parse(_filled(form, kind))
    assert told.front["id"] == entity
    assert told.provides
    assert told.one_liner
    assert told.blocker_discovered is False
    assert told.front["completed_at"] == "2026-03-17T11:00:00Z"


@pytest.mark.parametrize("verdict", [validation.PASS, validation.NEEDS_ATTENTION, validation.NEEDS_REMEDIATION])
def test_validation_form_reads_as_a_validation(verdict: str) -> None:
    form = _filled("validation", UnitKind.VALIDATE_MILESTONE)
    start = form.index("<pass")
    written = form[:start] + verdict + form[form.index(">", start) + 1 :]
    assert validation.verdict(written) == verdict
    assert validation.remediation_round(written) == 0


def test_slice_lines_in_instructions_read_as_slices() -> None:
    for kind in (UnitKind.PLAN_MILESTONE, UnitKind.VALIDATE_MILESTONE):
        assert len(roadmap.slices(template(kind).replace("```markdown", "## Slices\n").replace("```", ""))) == 1


def test_task_lines_in_instructions_read_as_tasks() -> None:
    for kind in (UnitKind.PLAN_SLICE, UnitKind.REPLAN_SLICE):
        found = plan.tasks(template(kind).replace("```markdown", "## Tasks\n").replace("```", ""))
        assert [(task.verify, bool(task.files)) for task in found] == [("pytest tests/test_a.py", True)]
