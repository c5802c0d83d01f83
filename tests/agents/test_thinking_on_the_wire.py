"""`models.PHASE.thinking`: what a provider is really asked for."""

from typing import Any

import pytest

from fakemodel.replies import Reply
from fakemodel.server import FakeModel
from milepost.formats.preferences_yaml import parse
from scenarios.stage import Stage


def asked(stage: Stage, provider: str, model: str) -> dict[str, Any]:
    """The body of the first request of a task whose phase has this model."""
    stage.make()
    stage.prefer(f"---\nmodels: {{execution: {model}}}\n---\n")
    with FakeModel(lambda _: Reply(text="No.")) as server:
        stage.gsd("next", **server.env(provider))
        return server.seen[0].body


@pytest.fixture
def stage(tmp_path: Any) -> Stage:
    return Stage(root=tmp_path / "project")


@pytest.mark.covers("key:models.PHASE.thinking")
@pytest.mark.parametrize("effort", ["low", "high"])
def test_openai_is_asked_for_an_effort(stage: Stage, effort: str) -> None:
    body = asked(stage, "openai", f"{{model: openai/gpt-5.5, thinking: {effort}}}")
    assert body["reasoning_effort"] == effort


@pytest.mark.covers("key:models.PHASE.thinking")
def test_anthropic_is_asked_to_think(stage: Stage) -> None:
    body = asked(stage, "anthropic", "{model: claude-sonnet-5-5, thinking: high}")
    assert body["thinking"]["type"] in ("adaptive", "enabled")


@pytest.mark.covers("key:models.PHASE.thinking")
@pytest.mark.parametrize(("provider", "model"), [("openai", "openai/gpt-5.5"), ("anthropic", "claude-sonnet-5-5")])
def test_nothing_is_asked_for_when_it_is_not_set(stage: Stage, provider: str, model: str) -> None:
    assert not {"thinking", "reasoning_effort"} & asked(stage, provider, model).keys()


def test_a_word_that_is_no_effort_is_an_error() -> None:
    found = parse("---\nmodels: {execution: {model: m, thinking: lots}}\n---\n", "PREFERENCES.md")
    assert [problem.key for problem in found.problems] == ["models.execution.thinking"]
