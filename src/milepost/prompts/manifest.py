"""What each unit's prompt carries, in which order, from which level on: one table.

`must` is noted as not found when it is missing, `may` is passed over. A third argument says from which level on:
nothing there means always, STANDARD that the budget profile goes without, FULL that only the quality profile has it.
Beyond GSD 2.28: the slice's own CONTEXT, the summaries of milestones depended on, and the forms of validation,
replan, assessment and UAT result. Source: spec auto 5.17 (table), 2.9 (token profiles).
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import NamedTuple

from milepost.model.units import UnitKind


class Level(IntEnum):
    """How much context a prompt carries; follows from `token_profile`."""

    MINIMAL = 0
    STANDARD = 1
    FULL = 2


LEVELS: Mapping[str, Level] = MappingProxyType(
    {"budget": Level.MINIMAL, "balanced": Level.STANDARD, "quality": Level.FULL}
)


class Source(StrEnum):
    """One thing that can be inlined. A value with a slash is the name of a document form."""

    OVERRIDES = "overrides"
    CAPTURES = "captures"
    RESUME = "resume"
    PROJECT = "project"
    REQUIREMENTS = "requirements"
    DECISIONS = "decisions"
    KNOWLEDGE = "knowledge"
    CONTEXT = "context"
    DRAFT = "draft"
    RESEARCH = "research"
    ROADMAP = "roadmap"
    VALIDATION = "validation"
    EARLIER_MILESTONES = "earlier-milestones"
    SLICE_CONTEXT = "slice-context"
    SLICE_RESEARCH = "slice-research"
    PLAN = "plan"
    SLICE_SUMMARY = "slice-summary"
    UAT = "uat"
    DEPENDENCIES = "dependencies"
    SLICE_SUMMARIES = "slice-summaries"
    UAT_RESULTS = "uat-results"
    TASK_PLAN = "task-plan"
    SLICE_EXCERPT = "slice-excerpt"
    CARRY_FORWARD = "carry-forward"
    TASK_SUMMARIES = "task-summaries"
    BLOCKER_SUMMARIES = "blocker-summaries"
    CONTEXT_FORM = "documents/context"
    SLICE_CONTEXT_FORM = "documents/slice-context"
    LATER_FORM = "documents/later"
    PROJECT_FORM = "documents/project"
    REQUIREMENTS_FORM = "documents/requirements"
    ROADMAP_FORM = "documents/roadmap"
    PLAN_FORM = "documents/plan"
    TASK_PLAN_FORM = "documents/task-plan"
    TASK_SUMMARY_FORM = "documents/task-summary"
    SLICE_SUMMARY_FORM = "documents/slice-summary"
    MILESTONE_SUMMARY_FORM = "documents/milestone-summary"
    UAT_FORM = "documents/uat"
    UAT_RESULT_FORM = "documents/uat-result"
    RESEARCH_FORM = "documents/research"
    VALIDATION_FORM = "documents/validation"
    ASSESSMENT_FORM = "documents/assessment"
    REPLAN_FORM = "documents/replan"
    DECISIONS_FORM = "documents/decisions"
    SECRETS_FORM = "documents/secrets"
    QUICK_SUMMARY_FORM = "documents/quick-summary"


class Item(NamedTuple):
    """One line of the table."""

    source: Source
    required: bool
    since: Level


def must(source: Source, since: Level = Level.MINIMAL) -> Item:
    """An artefact the unit cannot do without."""
    return Item(source=source, required=True, since=since)


def may(source: Source, since: Level = Level.MINIMAL) -> Item:
    """An artefact that is inlined when it exists."""
    return Item(source=source, required=False, since=since)


MANIFEST: Mapping[UnitKind, tuple[Item, ...]] = MappingProxyType(
    {
        UnitKind.DISCUSS_MILESTONE: (
            may(Source.OVERRIDES),
            may(Source.DRAFT),
            may(Source.CONTEXT),
            may(Source.EARLIER_MILESTONES),
            may(Source.PROJECT),
            may(Source.REQUIREMENTS),
            may(Source.DECISIONS),
            may(Source.KNOWLEDGE),
            must(Source.CONTEXT_FORM),
            must(Source.LATER_FORM, Level.STANDARD),
            must(Source.PROJECT_FORM, Level.STANDARD),
            must(Source.REQUIREMENTS_FORM, Level.STANDARD),
        ),
        UnitKind.DISCUSS_SLICE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            may(Source.CONTEXT),
            may(Source.SLICE_CONTEXT),
            may(Source.RESEARCH),
            may(Source.DEPENDENCIES),
            may(Source.REQUIREMENTS),
            may(Source.DECISIONS),
            may(Source.KNOWLEDGE),
            must(Source.SLICE_CONTEXT_FORM),
        ),
        UnitKind.RESEARCH_MILESTONE: (
            may(Source.OVERRIDES),
            must(Source.CONTEXT),
            may(Source.PROJECT),
            may(Source.REQUIREMENTS),
            may(Source.DECISIONS),
            may(Source.KNOWLEDGE),
            must(Source.RESEARCH_FORM),
        ),
        UnitKind.PLAN_MILESTONE: (
            may(Source.OVERRIDES),
            must(Source.CONTEXT),
            may(Source.RESEARCH),
            may(Source.EARLIER_MILESTONES),
            may(Source.PROJECT, Level.STANDARD),
            may(Source.REQUIREMENTS, Level.STANDARD),
            may(Source.DECISIONS, Level.STANDARD),
            may(Source.KNOWLEDGE),
            must(Source.ROADMAP_FORM),
            must(Source.DECISIONS_FORM, Level.STANDARD),
            must(Source.PLAN_FORM, Level.STANDARD),
            must(Source.TASK_PLAN_FORM, Level.STANDARD),
            must(Source.SECRETS_FORM, Level.FULL),
        ),
        UnitKind.RESEARCH_SLICE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            may(Source.CONTEXT),
            may(Source.SLICE_CONTEXT),
            may(Source.RESEARCH),
            may(Source.DECISIONS),
            may(Source.REQUIREMENTS),
            may(Source.KNOWLEDGE),
            must(Source.RESEARCH_FORM),
            may(Source.DEPENDENCIES),
        ),
        UnitKind.PLAN_SLICE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            may(Source.SLICE_CONTEXT),
            may(Source.SLICE_RESEARCH),
            may(Source.DECISIONS, Level.STANDARD),
            may(Source.REQUIREMENTS, Level.STANDARD),
            may(Source.KNOWLEDGE),
            must(Source.PLAN_FORM),
            must(Source.TASK_PLAN_FORM, Level.FULL),
            may(Source.DEPENDENCIES),
        ),
        UnitKind.EXECUTE_TASK: (
            may(Source.OVERRIDES),
            may(Source.RESUME),
            may(Source.CARRY_FORWARD),
            must(Source.TASK_PLAN),
            must(Source.SLICE_EXCERPT),
            may(Source.SLICE_CONTEXT, Level.STANDARD),
            must(Source.TASK_SUMMARY_FORM),
            must(Source.DECISIONS_FORM, Level.STANDARD),
            may(Source.KNOWLEDGE, Level.STANDARD),
        ),
        UnitKind.COMPLETE_SLICE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            must(Source.PLAN),
            may(Source.SLICE_CONTEXT),
            may(Source.REQUIREMENTS, Level.STANDARD),
            may(Source.KNOWLEDGE),
            must(Source.TASK_SUMMARIES),
            must(Source.SLICE_SUMMARY_FORM),
            must(Source.UAT_FORM, Level.STANDARD),
        ),
        UnitKind.REPLAN_SLICE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            must(Source.PLAN),
            may(Source.SLICE_CONTEXT),
            may(Source.BLOCKER_SUMMARIES),
            may(Source.CAPTURES),
            may(Source.DECISIONS),
            must(Source.REPLAN_FORM),
        ),
        UnitKind.REASSESS_ROADMAP: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            must(Source.SLICE_SUMMARY),
            may(Source.SLICE_CONTEXT),
            may(Source.PROJECT, Level.STANDARD),
            may(Source.REQUIREMENTS, Level.STANDARD),
            may(Source.DECISIONS, Level.STANDARD),
            may(Source.KNOWLEDGE),
            may(Source.CAPTURES),
            must(Source.ASSESSMENT_FORM),
        ),
        UnitKind.RUN_UAT: (
            may(Source.OVERRIDES),
            must(Source.UAT),
            may(Source.SLICE_SUMMARY),
            may(Source.PROJECT),
            must(Source.UAT_RESULT_FORM),
        ),
        UnitKind.VALIDATE_MILESTONE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            must(Source.SLICE_SUMMARIES),
            may(Source.UAT_RESULTS),
            may(Source.VALIDATION),
            may(Source.REQUIREMENTS, Level.STANDARD),
            may(Source.DECISIONS, Level.STANDARD),
            may(Source.PROJECT, Level.STANDARD),
            may(Source.KNOWLEDGE),
            may(Source.CONTEXT),
            must(Source.VALIDATION_FORM),
        ),
        UnitKind.COMPLETE_MILESTONE: (
            may(Source.OVERRIDES),
            must(Source.ROADMAP),
            must(Source.SLICE_SUMMARIES),
            may(Source.REQUIREMENTS, Level.STANDARD),
            may(Source.DECISIONS, Level.STANDARD),
            may(Source.PROJECT, Level.STANDARD),
            may(Source.KNOWLEDGE),
            may(Source.CONTEXT),
            must(Source.MILESTONE_SUMMARY_FORM),
        ),
        UnitKind.REWRITE_DOCS: (must(Source.OVERRIDES), must(Source.DECISIONS_FORM, Level.STANDARD)),
        UnitKind.TRIAGE_CAPTURES: (
            may(Source.OVERRIDES),
            must(Source.CAPTURES),
            may(Source.ROADMAP),
            may(Source.PLAN),
            may(Source.KNOWLEDGE, Level.STANDARD),
        ),
        UnitKind.QUICK_TASK: (may(Source.OVERRIDES), may(Source.KNOWLEDGE), may(Source.PROJECT, Level.STANDARD)),
        UnitKind.QUICK: (
            may(Source.OVERRIDES),
            may(Source.KNOWLEDGE),
            may(Source.DECISIONS, Level.STANDARD),
            may(Source.PROJECT, Level.STANDARD),
            must(Source.QUICK_SUMMARY_FORM),
        ),
        UnitKind.HOOK: (
            may(Source.OVERRIDES),
            may(Source.SLICE_EXCERPT, Level.STANDARD),
            may(Source.KNOWLEDGE, Level.STANDARD),
        ),
    }
)


def items(kind: UnitKind, level: Level) -> tuple[Item, ...]:
    """The lines that hold for a unit at a level, in order."""
    return tuple(item for item in MANIFEST[kind] if item.since <= level)
