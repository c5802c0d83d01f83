"""Which model a unit gets."""

import pytest

from milepost.formats.preferences_layers import resolve
from milepost.model.units import UnitKind
from milepost.rules.models import model_for

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


def test_a_profile_gives_way_when_its_provider_has_no_key() -> None:
    prefs = resolve({"token_profile": "budget"})
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="gpt-5")[0].startswith("claude-")
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="gpt-5", providers={"openai"}) == ("gpt-5",)
    assert model_for(prefs, UnitKind.EXECUTE_TASK, providers={"anthropic"})[0].startswith("claude-")


def test_what_the_user_chose_never_gives_way() -> None:
    prefs = resolve({"token_profile": "budget", "models": {"execution": {"model": "claude-opus-4-5"}}})
    assert model_for(prefs, UnitKind.EXECUTE_TASK, default="gpt-5", providers={"openai"}) == (
        "claude-opus-4-5",
        "gpt-5",
    )
