"""Composed prompts: a snapshot of each kind at each level, and what must hold for all of them.

`UPDATE_SNAPSHOTS=1 pytest tests/prompts` writes the snapshots anew.
"""

import os
from pathlib import Path

import pytest

from milepost.errors import FormatError
from milepost.formats.preferences import Preferences
from milepost.model.units import UnitKind
from milepost.prompts.brief import Extras, Workplace
from milepost.prompts.compose import compose
from milepost.prompts.shrink import PREAMBLE_CHARS
from milepost.testing.trees import DictTree
from prompts.feeds import EXTRAS, FILES, M2, S1, S2, composed, unit_of

SNAPSHOTS = Path(__file__).parent / "snapshots"
LEVELS = {"budget": "minimal", "balanced": "standard", "quality": "full"}
KINDS = tuple(UnitKind)


@pytest.mark.spec(id="PR-234")
@pytest.mark.parametrize("profile", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_snapshot(kind: UnitKind, profile: str) -> None:
    overrides = ("Keep feeds in PostgreSQL.",) if kind is UnitKind.REWRITE_DOCS else ()
    prompt = composed(kind, profile=profile, extras=EXTRAS._replace(overrides=overrides))
    _compare(f"{kind}.{LEVELS[profile]}.md", prompt.text)


def test_system_snapshot() -> None:
    _compare("system.md", composed(UnitKind.EXECUTE_TASK).system)


def test_no_snapshot_is_left_over() -> None:
    wanted = {f"{kind}.{level}.md" for kind in KINDS for level in LEVELS.values()} | {"system.md"}
    assert {path.name for path in SNAPSHOTS.iterdir()} == wanted


def _compare(name: str, text: str) -> None:
    path = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_place_is_stated(kind: UnitKind) -> None:
    text = composed(kind).text
    assert "`/project`, branch `milestone/M002`" in text
    assert "\n# Owed\n\n- " in text


@pytest.mark.parametrize("kind", KINDS)
def test_other_milestones_stay_out(kind: UnitKind) -> None:
    prompt = composed(kind, profile="quality")
    assert "SECRET OF M001" not in prompt.text
    assert ("The store exists" in prompt.text) == (kind in (UnitKind.PLAN_MILESTONE, UnitKind.DISCUSS_MILESTONE))


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_dialect_names_only_its_own_directory(kind: UnitKind) -> None:
    prompt = composed(kind, state_dir=".sf", profile="quality")
    assert ".gsd" not in prompt.system + prompt.text
    assert ".sf/" in prompt.system


def test_texts_go_in_literally() -> None:
    assert "It costs $& and {{task}} \\1." in composed(UnitKind.COMPLETE_SLICE).text


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    files = {**FILES, f"{S2}/tasks/T03-PLAN.md": "# T03: caf\udce9\n"}
    prompt = composed(UnitKind.EXECUTE_TASK, files=files)
    assert "# T03: caf\ufffd" in prompt.text
    prompt.text.encode("utf-8")


def test_same_input_same_bytes() -> None:
    assert composed(UnitKind.PLAN_SLICE) == composed(UnitKind.PLAN_SLICE)


def test_required_and_absent_is_said_so() -> None:
    files = {path: text for path, text in FILES.items() if path != f"{S2}/tasks/T03-PLAN.md"}
    text = composed(UnitKind.EXECUTE_TASK, files=files).text
    assert f"Source: `.gsd/{S2}/tasks/T03-PLAN.md`\n\n(not found" in text


def test_optional_and_absent_is_left_out() -> None:
    files = {path: text for path, text in FILES.items() if path != "KNOWLEDGE.md"}
    labels = {entry.label for entry in composed(UnitKind.PLAN_SLICE, files=files).inlined}
    assert "Knowledge" not in labels


def test_blocks_before_the_unit() -> None:
    extras = EXTRAS._replace(
        verification_failure="FAILED", crash_briefing="CRASHED", retry_diagnostic="OWED", attempt=2
    )
    text = composed(UnitKind.EXECUTE_TASK, extras=extras).text
    assert text.startswith("FAILED\n\n---\n\nCRASHED\n\n---\n\nOWED\n\n---\n\n# Execute task T03")
    assert "This is attempt 2" in text
    assert "This is attempt" not in composed(UnitKind.EXECUTE_TASK).text


@pytest.mark.spec(id="PR-234")
def test_carry_forward_is_one_entry_per_task_and_the_latest_alone_at_minimal() -> None:
    standard, minimal = composed(UnitKind.EXECUTE_TASK).text, composed(UnitKind.EXECUTE_TASK, profile="budget").text
    assert standard.index("- **a clock**: Built a clock") < standard.index("- **a queue**: Built a queue")
    assert "a clock**" not in minimal
    assert "- **a queue**: Built a queue" in minimal
    assert "  Diagnostics: Run `feeds doctor`." in minimal


def test_replan_carries_the_blockers_only() -> None:
    text = composed(UnitKind.REPLAN_SLICE).text
    assert "### Summary of T02" in text
    assert "### Summary of T01" not in text


def test_validation_round() -> None:
    previous = {
        **FILES,
        f"{M2}/M002-VALIDATION.md": "---\nverdict: needs-remediation\nremediation_round: 2\n---\n# V\n",
    }
    assert "`remediation_round` is 0." in composed(UnitKind.VALIDATE_MILESTONE).text
    again = composed(UnitKind.VALIDATE_MILESTONE, files=previous).text
    assert "`remediation_round` is 3." in again
    assert "### Previous validation" in again


def test_overrides_of_the_tree_or_of_the_caller() -> None:
    told = "## Override: 2026-03-17T10:00:00Z\n\n**Change:** use Redis\n**Scope:** {}\n**Applied-at:** M002\n\n---\n"
    files = {**FILES, "OVERRIDES.md": told.format("active")}
    assert "1. use Redis" in composed(UnitKind.EXECUTE_TASK, files=files).text
    resolved = composed(UnitKind.EXECUTE_TASK, files={**FILES, "OVERRIDES.md": told.format("resolved")})
    assert "Redis" not in resolved.text
    given = composed(UnitKind.EXECUTE_TASK, files=files, extras=EXTRAS._replace(overrides=("use files",))).text
    assert "1. use files" in given
    assert "Redis" not in given


def test_captures_reach_replan_and_reassess() -> None:
    extras = EXTRAS._replace(captures=("the API has a new version",))
    for kind in KINDS:
        shown = "- the API has a new version" in composed(kind, extras=extras).text
        assert shown == (kind in (UnitKind.REPLAN_SLICE, UnitKind.REASSESS_ROADMAP, UnitKind.TRIAGE_CAPTURES))


def test_resume_note_of_this_task_only() -> None:
    note = "---\ntask: {}\n---\n## Next Action\nFinish the loop.\n"
    for task, shown in (("T03", True), ("T01", False)):
        files = {**FILES, f"{S2}/S02-CONTINUE.md": note.format(task)}
        assert ("Finish the loop." in composed(UnitKind.EXECUTE_TASK, files=files).text) == shown


def test_instructions_of_the_project_go_to_the_system_prompt() -> None:
    prefs = Preferences(custom_instructions=("Write British English.",))
    prompt = composed(UnitKind.RUN_UAT, prefs=prefs, extras=EXTRAS._replace(instructions=("Use tabs.", " ")))
    assert prompt.system.endswith("Use tabs.\n\n- Write British English.")
    assert "British" not in prompt.text


def test_gate_of_the_preferences_is_named() -> None:
    prefs = Preferences(verification_commands=("pytest -q", "ruff check ."))
    assert "The gate: `pytest -q` && `ruff check .`." in composed(UnitKind.EXECUTE_TASK, prefs=prefs).text


def test_documents_concerned_by_new_instructions() -> None:
    text = composed(UnitKind.REWRITE_DOCS).text
    assert (
        f"- `.gsd/{S2}/S02-PLAN.md`\n- `.gsd/{S2}/tasks/T03-PLAN.md`\n- `.gsd/{M2}/M002-CONTEXT.md` (read-only)" in text
    )
    assert "T01-PLAN" not in text


@pytest.mark.parametrize("profile", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_document_cannot_blow_the_prompt(kind: UnitKind, profile: str) -> None:
    huge = {path: f"{text}\n## More\n" + f"{text}word\n" * 300 for path, text in FILES.items()}
    huge["KNOWLEDGE.md"] = "## Rules\n" + "x" * 3_000_000
    prompt = composed(kind, files=huge, profile=profile)
    assert sum(entry.kept_chars for entry in prompt.inlined) <= PREAMBLE_CHARS
    assert len(prompt.text) < PREAMBLE_CHARS + 12_000


def test_what_was_left_out_is_named_with_its_path() -> None:
    long = "# Knowledge\n" + "".join(f"\n## Part {n}\n" + "word " * 2_000 for n in range(6))
    prompt = composed(UnitKind.PLAN_SLICE, files={**FILES, "KNOWLEDGE.md": long})
    assert "sections left out: Part " in prompt.text
    assert "Read `.gsd/KNOWLEDGE.md` for the rest.]" in prompt.text
    assert prompt.truncated_sections > 0
    entry = next(entry for entry in prompt.inlined if entry.label == "Knowledge")
    assert 0 < entry.kept_chars < entry.chars == len(long.strip("\n"))


def test_a_hundred_summaries_are_the_last_ones_and_a_list() -> None:
    tasks = {f"{S1}/tasks/T{n:02}-SUMMARY.md": f"# T{n:02}: task {n}\n\n**Did {n}**\n" for n in range(1, 101)}
    prompt = compose(
        unit_of(UnitKind.COMPLETE_SLICE)._replace(id="M002/S01"),
        DictTree({**FILES, **tasks}),
        Workplace(cwd="/project", branch="b", state_dir=".gsd"),
        Preferences(),
    )
    assert "**Did 100**" in prompt.text
    assert "**Did 9**" not in prompt.text
    assert f"- `.gsd/{S1}/tasks/T09-SUMMARY.md`" in prompt.text


class _Unreadable(DictTree):
    def text(self, path: str) -> str | None:
        if path == "KNOWLEDGE.md":
            raise FormatError(path, 0, "is larger than 16 MB")
        return super().text(path)


def test_a_document_that_cannot_be_read_is_named() -> None:
    place = Workplace(cwd="/project", branch="b", state_dir=".gsd")
    prompt = compose(unit_of(UnitKind.PLAN_SLICE), _Unreadable(FILES), place, Preferences(), Extras())
    assert "Source: `.gsd/KNOWLEDGE.md`\n\n(not inlined: is larger than 16 MB)" in prompt.text


def test_legacy_names_are_used_as_they_are() -> None:
    files = {path.replace("S02-PLAN.md", "plan.md"): text for path, text in FILES.items()}
    text = composed(UnitKind.EXECUTE_TASK, files=files).text
    assert f"Plan of the slice: `.gsd/{S2}/plan.md`" in text
    assert "**Goal:** Refresh hourly." in text
