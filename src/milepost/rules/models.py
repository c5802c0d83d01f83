"""Which models a unit may use, best first.

    prefs.models: {planning: {model: opus, fallbacks: [openai/gpt-5]}}
    plan-slice → ("opus", "openai/gpt-5", <default>)

Source: spec auto 5.14 (phase map), 2.9 (provider, fallbacks).
"""

from collections.abc import Container, Mapping
from typing import Final

from milepost.formats.preferences import ModelChoice, Preferences
from milepost.model.units import UnitKind

PHASE_OF: Final[Mapping[UnitKind, str]] = {
    UnitKind.DISCUSS_MILESTONE: "planning",
    UnitKind.DISCUSS_SLICE: "planning",
    UnitKind.RESEARCH_MILESTONE: "research",
    UnitKind.RESEARCH_SLICE: "research",
    UnitKind.PLAN_MILESTONE: "planning",
    UnitKind.PLAN_SLICE: "planning",
    UnitKind.REPLAN_SLICE: "planning",
    UnitKind.EXECUTE_TASK: "execution",
    UnitKind.COMPLETE_SLICE: "completion",
    UnitKind.RUN_UAT: "completion",
}
"""The phase whose model a unit takes; kinds that are not here take the default model."""


def model_for(
    prefs: Preferences, kind: UnitKind, *, default: str = "", providers: Container[str] | None = None
) -> tuple[str, ...]:
    """Model names to try for a unit, in order, each once; empty when nothing names one.

    default: the model of the command line or environment, always last. providers: those with a key, if the caller
    knows; a model that only the token profile chose is passed over when its provider is not among them.
    """
    choice = prefs.models.get(PHASE_OF.get(kind, ""))
    named = _names(choice) if choice is not None and _is_usable(choice, providers) else ()
    return tuple(dict.fromkeys(name for name in (*named, default) if name))


def full_name(choice: ModelChoice) -> str:
    """`provider/model`; a model that has a `/` of its own is left as it is."""
    if choice.provider and "/" not in choice.model:
        return f"{choice.provider}/{choice.model}"
    return choice.model


def _names(choice: ModelChoice) -> tuple[str, ...]:
    return (full_name(choice), *choice.fallbacks)


def _is_usable(choice: ModelChoice, providers: Container[str] | None) -> bool:
    # The profiles name Anthropic's models; somebody with only another provider's key still wants to run.
    return not choice.by_profile or providers is None or "anthropic" in providers
