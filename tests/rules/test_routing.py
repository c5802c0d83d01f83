"""Which model a unit gets when routing has a say."""

import pytest

from milepost.formats.preferences import DynamicRouting, TierModels
from milepost.rules.complexity import Complexity, Tier
from milepost.rules.routing import Evidence, Means, pressed, route

ON = DynamicRouting(enabled=True)
OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
LIGHT, STANDARD, HEAVY = (Complexity(tier, ("so it looks",)) for tier in Tier)


@pytest.mark.parametrize(
    ("found", "line", "model"),
    [
        (LIGHT, (OPUS,), HAIKU),
        (STANDARD, (OPUS,), SONNET),
        (HEAVY, (OPUS,), OPUS),
        (LIGHT, (SONNET, "b"), HAIKU),
        (STANDARD, (SONNET,), SONNET),
        (HEAVY, (SONNET,), SONNET),
        (LIGHT, (HAIKU,), HAIKU),
        (HEAVY, ("nobody-knows-it",), "nobody-knows-it"),
        (LIGHT, ("ollama/qwen3",), "ollama/qwen3"),
    ],
)
def test_the_configured_model_is_the_ceiling(found: Complexity, line: tuple[str, ...], model: str) -> None:
    got = route(found, line, ON)
    assert got.model == model
    assert got.models == tuple(dict.fromkeys((model, *line)))
    assert (got.ceiling, got.tier) == (line[0], found.tier)
    assert got.why.startswith(f"{found.tier}: so it looks")


def test_off_is_off() -> None:
    got = route(LIGHT, (OPUS, "b"), DynamicRouting(tier_models=TierModels(light="x")), evidence=Evidence(percent=99))
    assert (got.models, got.why, got.tier) == ((OPUS, "b"), "", "light")


def test_a_model_of_the_command_line_is_absolute() -> None:
    got = route(LIGHT, (OPUS,), ON, means=Means(pinned=True), simple=("s",), evidence=Evidence(floor=Tier.HEAVY))
    assert (got.models, got.why) == ((OPUS,), "")


def test_the_models_of_tiers() -> None:
    own = ON._replace(tier_models=TierModels(light="openai/l", standard="s"))
    assert route(LIGHT, (OPUS,), own).models == ("openai/l", OPUS)
    assert route(STANDARD, (OPUS,), own).models == ("s", OPUS)
    assert route(HEAVY, (OPUS,), own).models == (OPUS,)
    assert route(LIGHT, ("ollama/qwen3",), own).model == "openai/l"
    within = own._replace(cross_provider=False)
    assert route(LIGHT, (OPUS,), within).model == HAIKU
    assert "another provider" in route(LIGHT, (OPUS,), within).why
    without_key = route(LIGHT, (OPUS,), own, means=Means(reachable=frozenset({HAIKU})))
    assert without_key.model == HAIKU
    assert "cannot be asked" in without_key.why


def test_the_cheapest_of_a_tier_is_of_any_provider_that_can_be_asked() -> None:
    assert route(LIGHT, ("openai/gpt-5.5",), ON).model == HAIKU
    assert route(LIGHT, ("openai/gpt-5.5",), ON._replace(cross_provider=False)).model == "openai/gpt-5.4-mini"
    assert route(LIGHT, ("openai/gpt-5.5",), ON, means=Means(reachable=frozenset())).model == "openai/gpt-5.5"
    assert "for want of a model" in route(LIGHT, (OPUS,), ON, means=Means(reachable=frozenset())).why
    assert route(STANDARD, ("gpt-5.5",), ON._replace(cross_provider=False)).model == "openai/gpt-5.4"


@pytest.mark.parametrize("settings", [DynamicRouting(), ON], ids=["off", "on"])
def test_simple_tasks(settings: DynamicRouting) -> None:
    got = route(LIGHT, (OPUS,), settings, simple=("s", "t"))
    assert got.models == ("s", "t", OPUS)
    assert "models.execution_simple" in got.why
    assert "s" not in route(STANDARD, (OPUS,), settings, simple=("s",)).models
    failed = route(LIGHT, (OPUS,), settings, simple=("s",), evidence=Evidence(floor=Tier.STANDARD))
    assert "s" not in failed.models
    assert failed.tier == "standard"


def test_the_tier_of_a_task_goes_before_execution_simple() -> None:
    assert route(LIGHT, (OPUS,), ON._replace(tier_models=TierModels(light="l")), simple=("s",)).model == "l"


@pytest.mark.covers("promise:escalate")
def test_after_a_failure_one_tier_up() -> None:
    assert route(LIGHT, (OPUS,), ON, evidence=Evidence(floor=Tier.STANDARD)).model == SONNET
    assert route(LIGHT, (OPUS,), ON, evidence=Evidence(floor=Tier.HEAVY)).model == OPUS
    assert route(LIGHT, (SONNET,), ON, evidence=Evidence(floor=Tier.HEAVY)).model == SONNET
    assert route(HEAVY, (OPUS,), ON, evidence=Evidence(floor=Tier.STANDARD)).model == OPUS
    assert route(LIGHT, (OPUS,), ON, evidence=Evidence(floor=Tier.STANDARD, percent=95)).model == SONNET
    never = ON._replace(escalate_on_failure=False)
    assert route(LIGHT, (OPUS,), never, evidence=Evidence(floor=Tier.HEAVY)).model == HAIKU


def test_what_was_learnt_goes_up_only() -> None:
    assert route(LIGHT, (OPUS,), ON, evidence=Evidence(failing=True)).model == SONNET
    assert route(HEAVY, (OPUS,), ON, evidence=Evidence(failing=True)).model == OPUS


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (49, "light standard heavy"),
        (50, "light light heavy"),
        (75, "light light heavy"),
        (89, "light light heavy"),
        (90, "light light standard"),
        (120, "light light standard"),
    ],
)
def test_pressure_of_the_budget(percent: int, expected: str) -> None:
    assert " ".join(pressed(tier, percent) for tier in Tier) == expected
    assert route(STANDARD, (OPUS,), ON, evidence=Evidence(percent=percent)).tier == expected.split()[1]
    free = ON._replace(budget_pressure=False)
    assert route(STANDARD, (OPUS,), free, evidence=Evidence(percent=percent)).tier == "standard"
