"""A small project half-way through its second milestone, with traps in its texts."""

from collections.abc import Mapping
from pathlib import Path

from milepost.formats.preferences import Preferences
from milepost.model.units import Unit, UnitKind
from milepost.prompts.brief import Extras, Workplace
from milepost.prompts.compose import Prompt, compose
from milepost.testing.trees import DictTree

M1, M2 = "milestones/M001", "milestones/M002"
S1, S2 = f"{M2}/slices/S01", f"{M2}/slices/S02"


PROJECT = Path(__file__).parent / "project"
FILES: Mapping[str, str] = {
    path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in PROJECT.rglob("*.md")
}
IDS: Mapping[UnitKind, str] = {
    UnitKind.DISCUSS_MILESTONE: "M002",
    UnitKind.DISCUSS_SLICE: "M002/S02",
    UnitKind.RESEARCH_MILESTONE: "M002",
    UnitKind.PLAN_MILESTONE: "M002",
    UnitKind.RESEARCH_SLICE: "M002/S02",
    UnitKind.PLAN_SLICE: "M002/S02",
    UnitKind.EXECUTE_TASK: "M002/S02/T03",
    UnitKind.COMPLETE_SLICE: "M002/S02",
    UnitKind.REPLAN_SLICE: "M002/S02",
    UnitKind.REASSESS_ROADMAP: "M002/S01",
    UnitKind.RUN_UAT: "M002/S01",
    UnitKind.VALIDATE_MILESTONE: "M002",
    UnitKind.COMPLETE_MILESTONE: "M002",
    UnitKind.REWRITE_DOCS: "M002/S02",
    UnitKind.TRIAGE_CAPTURES: "M002/S02/triage",
    UnitKind.QUICK_TASK: "M002/CAP-1a2b3c4d",
    UnitKind.QUICK: "quick-3-fix-the-typo",
    UnitKind.HOOK: "M002/S02/T03",
}
EXTRAS = Extras(now="2026-03-17T11:00:00Z", window_tokens=200_000)


def unit_of(kind: UnitKind) -> Unit:
    """The unit of that kind in this project."""
    return Unit(kind=kind, id=IDS[kind])


def composed(
    kind: UnitKind,
    *,
    files: Mapping[str, str] = FILES,
    profile: str = "balanced",
    extras: Extras = EXTRAS,
    state_dir: str = ".gsd",
    prefs: Preferences | None = None,
) -> Prompt:
    """The prompt of that unit, at /project."""
    place = Workplace(cwd="/project", branch="milestone/M002", state_dir=state_dir)
    chosen = (prefs or Preferences())._replace(token_profile=profile)  # type: ignore[arg-type]
    return compose(unit_of(kind), DictTree(files), place, chosen, extras)
