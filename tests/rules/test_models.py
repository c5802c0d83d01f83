"""Which model a unit gets."""

import pytest

from milepost.formats.preferences_layers import resolve
from milepost.model.units import UnitKind
from milepost.rules.complexity import Tier
from milepost.rules.models import efforts, model_for, of_phase, provider_of, tier_of

CHOSEN = {
    "models": {
        "research": {"model": "r"},
        "planning": {"model": "p", "provider": "openai", "fallbacks": ["q", "google/g"]},
        "execution": {"model": "x/e", "provider": "openai"},
        "completion": {"model": "c"},
    }
}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (UnitKind.RESEARCH_MILESTONE, ("r", "d")),
        (UnitKind.RESEARCH_SLICE, ("r", "d")),
        (UnitKind.PLAN_MILESTONE, ("openai/p", "q", "google/g", "d")),
        (UnitKind.PLAN_SLICE, ("openai/p", "q", "google/g", "d")),
        (UnitKind.REPLAN_SLICE, ("openai/p", "q", "google/g", "d")),
        (UnitKind.EXECUTE_TASK, ("x/e", "d")),
        (UnitKind.COMPLETE_SLICE, ("c", "d")),
        (UnitKind.RUN_UAT, ("c", "d")),
        (UnitKind.DISCUSS_MILESTONE, ("openai/p", "q", "google/g", "d")),
        (UnitKind.DISCUSS_SLICE, ("openai/p", "q", "google/g", "d")),
        (UnitKind.REASSESS_ROADMAP, ("d",)),
        (UnitKind.VALIDATE_MILESTONE, ("d",)),
        (UnitKind.COMPLETE_MILESTONE, ("d",)),
        (UnitKind.REWRITE_DOCS, ("d",)),
        (UnitKind.TRIAGE_CAPTURES, ("d",)),
        (UnitKind.QUICK_TASK, ("x/e", "d")),
        (UnitKind.QUICK, ("x/e", "d")),
        (UnitKind.HOOK, ("d",)),
    ],
)
@pytest.mark.spec(id="auto 5.14")
def test_phase_map(kind: UnitKind, names: tuple[str, ...]) -> None:
    assert model_for(resolve(CHOSEN), kind, default="d") == names


def test_every_kind_has_a_case() -> None:
    cases = test_phase_map.pytestmark  # type: ignore[attr-defined]
    listed = next(mark for mark in cases if mark.name == "parametrize").args[1]
    assert {kind for kind, _ in listed} == set(UnitKind)


def test_nothing_named_is_nothing() -> None:
    assert model_for(resolve({}), UnitKind.EXECUTE_TASK) == ()


def test_each_once() -> None:
    assert model_for(resolve(CHOSEN), UnitKind.COMPLETE_SLICE, default="c") == ("c",)


def test_a_profile_chooses_among_the_providers_that_have_a_key() -> None:
    prefs = resolve({"token_profile": "budget"})
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="gpt-5")[0].startswith("claude-sonnet")
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="d", providers={"openai"}) == ("openai/gpt-5.4", "d")
    assert model_for(prefs, UnitKind.COMPLETE_SLICE, providers={"openai"}) == ("openai/gpt-5.4-mini",)
    assert model_for(prefs, UnitKind.COMPLETE_SLICE, providers={"google"}) == ("gemini-3-flash-preview",)
    assert model_for(prefs, UnitKind.EXECUTE_TASK, providers={"openai", "anthropic"})[0].startswith("claude-sonnet")
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="ollama/qwen3", providers={"ollama"}) == ("ollama/qwen3",)
    assert of_phase(prefs, "execution_simple", {"anthropic"})[0].startswith("claude-haiku")


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("claude-haiku-4-5-20251001", Tier.LIGHT),
        ("anthropic/claude-sonnet-4-6", Tier.STANDARD),
        ("claude-opus-4-8", Tier.HEAVY),
        ("gpt-4o-mini", Tier.LIGHT),
        ("openai/gpt-5.5", Tier.HEAVY),
        ("openrouter/openai/gpt-5.4", Tier.STANDARD),
        ("gpt-5.4-pro", Tier.HEAVY),
        ("gemini-2.5-pro", Tier.STANDARD),
        ("gemini-2.5-flash", Tier.LIGHT),
        ("local/whatever", Tier.HEAVY),
    ],
)
def test_tier_of_a_model(name: str, tier: Tier) -> None:
    assert tier_of(name) is tier


def test_provider_of_a_model() -> None:
    assert [provider_of(name) for name in ("gpt-5", "claude-x", "gemini-3", "OpenAI/x", "ollama/q", "o3", "x")] == [
        "openai", "anthropic", "google", "openai", "ollama", "openai", "x",
    ]  # fmt: skip


def test_effort_of_the_models_of_a_phase() -> None:
    chosen = {"execution": {"model": "e", "provider": "openai", "fallbacks": ["f"], "thinking": "high"}}
    prefs = resolve(
        {"models": {**chosen, "execution_simple": {"model": "s", "thinking": "low"}, "planning": {"model": "p"}}}
    )
    assert efforts(prefs, "execute-task") == {"s": "low", "openai/e": "high", "f": "high"}
    assert efforts(prefs, "plan-slice") == {}
    assert efforts(prefs, "rewrite-docs") == {}


def test_what_the_user_chose_never_gives_way() -> None:
    prefs = resolve({"token_profile": "budget", "models": {"execution": {"model": "claude-opus-4-5"}}})
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="gpt-5", providers={"openai"}) == (
        "claude-opus-4-5",
        "gpt-5",
    )
